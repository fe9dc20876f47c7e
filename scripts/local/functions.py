"""Lambda functions, their layer and what starts them, made from schemas/functions.json."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


def ensure_layer(functions: Any, name: str, content: bytes, runtime: str) -> tuple[str, list[str]]:
    """Publish a version of the layer unless the newest one has this content. Return its ARN and what was done."""
    versions = functions.list_layer_versions(LayerName=name)["LayerVersions"]
    if versions:
        newest = max(versions, key=lambda version: version["Version"])["LayerVersionArn"]
        known = functions.get_layer_version_by_arn(Arn=newest)["Content"]["CodeSha256"]
        if known == sha256(content):
            return newest, []
    published = functions.publish_layer_version(
        LayerName=name, Content={"ZipFile": content}, CompatibleRuntimes=[runtime]
    )
    return published["LayerVersionArn"], [f"layer {name} version {published['Version']} published"]


def ensure_function(
    functions: Any,
    name: str,
    spec: Mapping[str, Any],
    environment: Mapping[str, str],
    code: bytes,
    layer_arn: str,
    role_arn: str,
) -> list[str]:
    """Create a function or bring its code and configuration up to date. Return what was done."""
    wanted = {
        "Role": role_arn,
        "Handler": spec["handler"],
        "Runtime": spec["runtime"],
        "Timeout": spec["timeout_sec"],
        "MemorySize": spec["memory_mb"],
        "Layers": [layer_arn],
        "Environment": {"Variables": dict(environment)},
    }
    current = find_configuration(functions, name)
    if current is None:
        functions.create_function(FunctionName=name, Code={"ZipFile": code}, Publish=False, **wanted)
        _ensure_invocation_rules(functions, name, spec)
        return [f"function {name} created"]
    done = []
    if current["CodeSha256"] != sha256(code):
        functions.update_function_code(FunctionName=name, ZipFile=code)
        done.append(f"function {name} code updated")
    if _configuration(current) != wanted:
        functions.update_function_configuration(FunctionName=name, **wanted)
        done.append(f"function {name} configuration updated")
    return done


def find_configuration(functions: Any, name: str) -> Mapping[str, Any] | None:
    """Return a function's configuration, or None when there is no such function."""
    try:
        configuration: Mapping[str, Any] = functions.get_function_configuration(FunctionName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    return configuration


def ensure_stream(functions: Any, name: str, source_arn: str, trigger: Mapping[str, Any]) -> list[str]:
    """Let a table's stream start a function, as its `stream` trigger says, unless it does so already."""
    mappings = functions.list_event_source_mappings(FunctionName=name, EventSourceArn=source_arn)
    if mappings["EventSourceMappings"]:
        return []
    pattern = trigger["filter"]
    filters = {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)}]}} if pattern else {}
    functions.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=source_arn,
        StartingPosition=trigger["starting_position"],
        BatchSize=trigger["batch_size"],
        MaximumBatchingWindowInSeconds=trigger["batching_window_sec"],
        MaximumRecordAgeInSeconds=trigger["maximum_record_age_sec"],
        BisectBatchOnFunctionError=trigger["bisect"],
        ParallelizationFactor=trigger["parallelization"],
        FunctionResponseTypes=["ReportBatchItemFailures"] if trigger["partial_failures"] else [],
        **filters,
    )
    return [f"stream of {name} connected"]


def ensure_schedule(scheduler: Any, name: str, function_arn: str, role_arn: str, expression: str) -> list[str]:
    """Let the scheduler start a function, in a role of its own. Return what was done."""
    target = {
        "Arn": function_arn,
        "RoleArn": role_arn,
        "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
    }
    wanted = {"ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    try:
        current = scheduler.get_schedule(Name=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        scheduler.create_schedule(Name=name, **wanted)
        return [f"schedule {name} created"]
    connected = (current["ScheduleExpression"], current["Target"]["Arn"], current["Target"]["RoleArn"])
    if connected == (expression, function_arn, role_arn):
        return []
    scheduler.update_schedule(Name=name, **wanted)
    return [f"schedule {name} updated"]


def sha256(content: bytes) -> str:
    """Return the digest of a zip the way Lambda writes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _configuration(current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a function's configuration that the schema decides."""
    plain = {name: current[name] for name in ("Role", "Handler", "Runtime", "Timeout", "MemorySize")}
    layers = [layer["Arn"] for layer in current.get("Layers", [])]
    return {**plain, "Layers": layers, "Environment": {"Variables": current["Environment"]["Variables"]}}


def _ensure_invocation_rules(functions: Any, name: str, spec: Mapping[str, Any]) -> None:
    if spec["reserved_concurrency"] is not None:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=spec["reserved_concurrency"])
    if spec["asynchronous"]:
        functions.put_function_event_invoke_config(
            FunctionName=name,
            MaximumRetryAttempts=spec["retries"],
            MaximumEventAgeInSeconds=spec["maximum_event_age_sec"],
        )
