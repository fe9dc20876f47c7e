"""What Terraform plans and what the local stack sets up are the same thing: here they lie side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.local import LocalStack
from scripts.local.outbox import CODES_ENDPOINT_VARIABLE, ENDPOINT_VARIABLE
from tests.terraform.workspace import Json, Plan

MADE_BY_CHANCE = ("ORIGIN_SECRET", "SNAPSHOT_KEY")
"""Alike in form only. The bucket's name has the account's number on AWS."""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack.start() as running:
        yield running


def form(variable: str, value: str) -> str:
    """A variable's value; of what is made by chance its form."""
    if variable == "SITE_BUCKET":
        return re.sub(r"-[0-9]{12}$", "", value)
    if variable == "WEBSOCKET_ENDPOINT":
        # Each engine has its own address; what follows it is the stage.
        return re.sub(r"^https?://.*/[0-9a-f]{32}\Z", "<api>/<32 digits>", value)
    if variable == "FAILURES_QUEUE":
        # So has each engine its own queue addresses; what they end with is the name.
        return value.rpartition("/")[2]
    if variable == "WARM_INSTANCES":
        # An engine on this machine starts a process for each.
        return "<some>"
    return re.sub(r"[0-9a-f]{32}", "<32 digits>", value) if variable == "SNAPSHOT_KEY" else value


def settings(variables: Json) -> Json:
    # Only the local stack has a number to send from without being told, and an outbox instead of the service.
    return {
        name: "<own>" if name == "ORIGIN_SECRET" or name.startswith(("ALERTS_", "CODES_")) else form(name, value)
        for name, value in variables.items()
        if name not in (ENDPOINT_VARIABLE, CODES_ENDPOINT_VARIABLE)
    }


def planned(plan: Plan) -> Json:
    """Everything both make, from planned values."""
    api = json.loads(plan.one("aws_apigatewayv2_api", "module.http_api")["body"])
    functions = {each["arn"]: each for each in plan.of_type("aws_lambda_function") if each["region"] != "us-east-1"}
    events = {each["function_name"]: each for each in plan.of_type("aws_lambda_function_event_invoke_config")}
    tables = plan.of_type("aws_dynamodb_table")
    streams = {each["stream_arn"]: each["name"] for each in tables}
    return {
        "tables": {
            each["name"]: {
                "keys": [key for key in (each["hash_key"], each["range_key"]) if key],
                "types": {attribute["name"]: attribute["type"] for attribute in each["attribute"]},
                "stream": each["stream_view_type"] if each["stream_enabled"] else None,
                "ttl": each["ttl"][0]["attribute_name"],
                "billing": each["billing_mode"],
            }
            for each in tables
        },
        "functions": {
            each["function_name"]: {
                "handler": each["handler"],
                "runtime": each["runtime"],
                "memory_mb": each["memory_size"],
                "timeout_sec": each["timeout"],
                "environment": settings(each["environment"][0]["variables"]),
                "retries": events.get(each["function_name"], {}).get("maximum_retry_attempts"),
                "age_sec": events.get(each["function_name"], {}).get("maximum_event_age_in_seconds"),
            }
            for each in functions.values()
        },
        "layer": plan.one("aws_lambda_layer_version")["layer_name"],
        "routes": {
            f"{method.upper()} {path}": {
                "function": function_of(route["x-amazon-apigateway-integration"]["uri"]),
                "payload": route["x-amazon-apigateway-integration"]["payloadFormatVersion"],
                "signed": "security" in route,
            }
            for path, item in api["paths"].items()
            for method, route in item.items()
        },
        "stage": re.sub(
            r"\A[0-9a-f]{32}\Z", "<32 digits>", plan.one("aws_apigatewayv2_stage", "module.http_api")["name"]
        ),
        "mappings": {
            each["function_name"]: {
                "table": streams[each["event_source_arn"]],
                "from": each["starting_position"],
                "batch": each["batch_size"],
                "window_sec": each["maximum_batching_window_in_seconds"],
                "age_sec": each["maximum_record_age_in_seconds"],
                "bisect": each["bisect_batch_on_function_error"],
                "parallel": each["parallelization_factor"],
                "filters": [json.loads(one["pattern"]) for part in each["filter_criteria"] for one in part["filter"]],
            }
            for each in plan.of_type("aws_lambda_event_source_mapping")
        },
        "schedules": {
            each["name"]: {
                "when": each["schedule_expression"],
                "window": each["flexible_time_window"][0]["mode"],
                "function": functions[each["target"][0]["arn"]]["function_name"],
                "retries": each["target"][0]["retry_policy"][0]["maximum_retry_attempts"],
                "age_sec": each["target"][0]["retry_policy"][0]["maximum_event_age_in_seconds"],
            }
            for each in plan.of_type("aws_scheduler_schedule")
        },
        "snapshot": snapshot(plan.one("aws_s3_object", "module.storage")),
    }


def function_of(uri: str) -> str:
    return uri.removesuffix("/invocations").rpartition(":")[2]


def snapshot(stored: Json) -> Json:
    document = json.loads(stored["content"])
    assert document.pop("published_at_ms") > 0
    return {"document": document, "type": stored["content_type"], "cache": stored["cache_control"]}


def running(stack: LocalStack) -> Json:
    """The same from what the engine has."""
    lambdas = stack.client("lambda")
    found = lambdas.list_functions()["Functions"]
    names = [each["FunctionName"] for each in found]
    (layer,) = {each["Layers"][0]["Arn"].split(":")[-2] for each in found}
    return {
        "tables": {name: table(stack.client("dynamodb"), name) for name in stack.tables.values()},
        "functions": {each["FunctionName"]: function(lambdas, each) for each in found},
        "layer": layer,
        **api(stack.client("apigatewayv2")),
        "mappings": {
            function_of(each["FunctionArn"]): {
                "table": each["EventSourceArn"].split("/")[1],
                "from": each["StartingPosition"],
                "batch": each["BatchSize"],
                "window_sec": each["MaximumBatchingWindowInSeconds"],
                "age_sec": each["MaximumRecordAgeInSeconds"],
                "bisect": each["BisectBatchOnFunctionError"],
                "parallel": each["ParallelizationFactor"],
                "filters": [
                    json.loads(one["Pattern"]) for one in (each.get("FilterCriteria") or {}).get("Filters", [])
                ],
            }
            for each in lambdas.list_event_source_mappings()["EventSourceMappings"]
        },
        "schedules": {name: each for name in names for each in schedule(stack.client("scheduler"), name)},
        "snapshot": local_snapshot(stack),
    }


def table(dynamodb: Any, name: str) -> Json:
    described = dynamodb.describe_table(TableName=name)["Table"]
    stream = described.get("StreamSpecification") or {}
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return {
        "keys": [key["AttributeName"] for key in described["KeySchema"]],
        "types": {each["AttributeName"]: each["AttributeType"] for each in described["AttributeDefinitions"]},
        "stream": stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
        "ttl": ttl["AttributeName"],
        "billing": described["BillingModeSummary"]["BillingMode"],
    }


def function(lambdas: Any, found: Json) -> Json:
    name = found["FunctionName"]
    configs = lambdas.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    event = configs[0] if configs else {}
    return {
        "handler": found["Handler"],
        "runtime": found["Runtime"],
        "memory_mb": found["MemorySize"],
        "timeout_sec": found["Timeout"],
        "environment": settings(found["Environment"]["Variables"]),
        "retries": event.get("MaximumRetryAttempts"),
        "age_sec": event.get("MaximumEventAgeInSeconds"),
    }


def api(gateway: Any) -> Json:
    (api_id,) = [each["ApiId"] for each in gateway.get_apis()["Items"] if each["ProtocolType"] == "HTTP"]
    integrations = {
        f"integrations/{each['IntegrationId']}": each
        for each in gateway.get_integrations(ApiId=api_id, MaxResults="100")["Items"]
    }
    (stage,) = [each["StageName"] for each in gateway.get_stages(ApiId=api_id)["Items"]]
    return {
        "routes": {
            each["RouteKey"]: {
                "function": function_of(integrations[each["Target"]]["IntegrationUri"]),
                "payload": integrations[each["Target"]]["PayloadFormatVersion"],
                "signed": each["AuthorizationType"] == "AWS_IAM",
            }
            for each in gateway.get_routes(ApiId=api_id, MaxResults="100")["Items"]
        },
        "stage": re.sub(r"\A[0-9a-f]{32}\Z", "<32 digits>", stage),
    }


def schedule(scheduler: Any, name: str) -> Iterator[Json]:
    if name in [each["Name"] for each in scheduler.list_schedules()["Schedules"]]:
        found = scheduler.get_schedule(Name=name)
        policy = found["Target"]["RetryPolicy"]
        yield {
            "when": found["ScheduleExpression"],
            "window": found["FlexibleTimeWindow"]["Mode"],
            "function": function_of(found["Target"]["Arn"]),
            "retries": policy["MaximumRetryAttempts"],
            "age_sec": policy["MaximumEventAgeInSeconds"],
        }


def local_snapshot(stack: LocalStack) -> Json:
    stored = stack.client("s3").get_object(Bucket=stack.bucket, Key=stack.snapshot_key)
    return snapshot(
        {
            "content": stored["Body"].read(),
            "content_type": stored["ContentType"],
            "cache_control": stored["CacheControl"],
        }
    )


def test_the_plan_and_the_local_stack_agree(minimal: Plan, stack: LocalStack) -> None:
    wanted, found = planned(minimal), running(stack)
    for part, value in wanted.items():
        assert found[part] == value, part
    assert found.keys() == wanted.keys()
