"""Planned values and IAM documents against what botocore knows of AWS."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest

from tests.terraform.aws_models import CALLS, COMPUTED, NO_CALL, checked, faults
from tests.terraform.rights import listed
from tests.terraform.workspace import Json, Plan

LEAST_CHECKED = 1000
"""Values that models speak of in the complete example: fewer would mean that the names no longer match."""

SERVICES = {"sms-voice": "pinpoint-sms-voice-v2", "timestream": "timestream-write"}
"""Services that IAM calls otherwise."""

NO_OPERATION = {
    "execute-api:Invoke",
    "execute-api:ManageConnections",
    "kms:*",
    "lambda:InvokeFunction",
    "s3:*",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
}
"""Actions that are no name of a call."""

EVERYTHING = {
    ("OwnTraces", "*"): "AWS knows no resource for traces",
    ("MetricsEndpoints", "*"): "AWS knows no resource for timestream:DescribeEndpoints",
    ("Streams", "*"): "AWS knows no resource for dynamodb:ListStreams",
    ("AccountDecidesByItsPolicies", "*"): "a key's policy speaks of that key alone",
}
"""The only statements on all resources, and why."""

ARN = re.compile(r"arn:aws:[a-z0-9-]+:(?:[a-z0-9-]+|\*)?:(?:\d{12})?:\S+")


def documents(plan: Plan) -> Iterator[tuple[str, Json]]:
    """Every IAM document of a plan, with the address and argument it is in."""
    for address, resource in plan.resources.items():
        for name, value in resource["values"].items():
            if name in ("policy", "assume_role_policy") and value and not COMPUTED.search(value):
                yield f"{address}.{name}", json.loads(value)


def policy_faults(document: Json) -> Iterator[str]:
    """What IAM would refuse, or what nobody should be allowed."""
    if document.get("Version") != "2012-10-17":
        yield f"version {document.get('Version')}"
    statements = listed(document["Statement"])
    sids = [each.get("Sid", "") for each in statements]
    if len(set(sids)) != len(sids) or not all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids):
        yield f"statement ids {sids}"
    for each in statements:
        yield from statement_faults(each)


def statement_faults(statement: Json) -> Iterator[str]:
    sid, resources = statement["Sid"], listed(statement.get("Resource", []))
    if unknown := statement.keys() - {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}:
        yield f"{sid}: {unknown}"
    if not resources and "Principal" not in statement:
        yield f"{sid} is on nothing"
    for action in listed(statement["Action"]):
        if not exists(action):
            yield f"{sid}: AWS has no {action}"
        if "*" in action and statement["Effect"] == "Allow" and sid != "AccountDecidesByItsPolicies":
            yield f"{sid} allows {action}"
    for resource in resources:
        if (sid, resource) not in EVERYTHING and not ARN.fullmatch(resource):
            yield f"{sid} is on {resource}"
    for test in statement.get("Condition", {}):
        if test not in ("StringEquals", "Bool"):
            yield f"{sid}: condition {test}"


def exists(action: str) -> bool:
    """Whether botocore has the call that an action is named after."""
    service, _, operation = action.partition(":")
    streams = ["dynamodbstreams"] if service == "dynamodb" else []
    names = [SERVICES.get(service, service), *streams]
    return action in NO_OPERATION or any(operation in operations(name) for name in names)


@cache
def operations(service: str) -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_service_model(service).operation_names)


def test_every_kind_of_resource_has_a_model(deployment: Plan) -> None:
    assert {each["type"] for each in deployment.resources.values()} <= CALLS.keys() | NO_CALL


def test_aws_takes_every_planned_value(deployment: Plan) -> None:
    found = {
        address: list(faults(each["type"], each["values"]))
        for address, each in deployment.resources.items()
        if each["type"] in CALLS
    }
    assert {address: refused for address, refused in found.items() if refused} == {}


def test_the_models_speak_of_most_values(complete: Plan) -> None:
    known = (each for each in complete.resources.values() if each["type"] in CALLS)
    assert sum(checked(each["type"], each["values"]) for each in known) >= LEAST_CHECKED


def test_iam_takes_every_document(deployment: Plan) -> None:
    found = {address: list(policy_faults(document)) for address, document in documents(deployment)}
    assert found
    assert {address: refused for address, refused in found.items() if refused} == {}


@pytest.mark.parametrize(
    ("kind", "argument", "value"),
    [
        ("aws_lambda_function", "runtime", "python2.8"),
        ("aws_lambda_function", "memory_size", 64),
        ("aws_lambda_function", "function_name", "foyer bouncer"),
        ("aws_dynamodb_table", "billing_mode", "FREE"),
        ("aws_cloudfront_distribution", "http_version", "http4"),
        ("aws_cloudfront_function", "runtime", "cloudfront-js-3.0"),
        ("aws_cloudwatch_metric_alarm", "comparison_operator", "Greater"),
        ("aws_apigatewayv2_api", "protocol_type", "REST"),
        ("aws_scheduler_schedule", "name", "every minute"),
        ("aws_lambda_event_source_mapping", "batch_size", 0),
    ],
)
def test_a_value_that_aws_refuses_is_found(kind: str, argument: str, value: Any, minimal: Plan) -> None:
    values = copy.deepcopy(minimal.of_type(kind)[0])
    assert argument in values
    assert list(faults(kind, values | {argument: value})) != []


@pytest.mark.parametrize(
    "change",
    [
        {"Action": "dynamodb:FetchItem"},
        {"Action": "dynamodb:*"},
        {"Resource": "*"},
        {"Resource": "table/foyer-queue"},
        {"Sid": "not alphanumeric"},
        {"Effects": "Allow"},
        {"Condition": {"StringSame": {}}},
    ],
)
def test_a_document_that_iam_refuses_is_found(change: Json) -> None:
    statement = {
        "Sid": "Queue",
        "Effect": "Allow",
        "Action": "dynamodb:GetItem",
        "Resource": "arn:aws:dynamodb:eu-west-1:123456789012:table/foyer-queue",
    }
    assert list(policy_faults({"Version": "2012-10-17", "Statement": [statement]})) == []
    assert list(policy_faults({"Version": "2012-10-17", "Statement": [statement | change]})) != []
