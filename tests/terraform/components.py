"""Entries of schemas/functions.json for components that may come later: with them a plan makes all that they need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def _function(**more: Any) -> dict[str, Any]:
    return {
        "description": "Stands for a component in tests.",
        "handler": "handler.handler",
        "runtime": "python3.13",
        "architecture": "arm64",
        "memory_mb": 256,
        "timeout_sec": 30,
        "reserved_concurrency": None,
        "edge": False,
        **more,
    }


def _stream(table: str, pattern: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "table": table,
        "starting_position": "LATEST",
        "batch_size": 100,
        "batching_window_sec": 0,
        "filter": pattern,
        "maximum_record_age_sec": 300,
        "bisect": True,
        "parallelization": 1,
        "partial_failures": False,
    }


_READS_STREAM = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]

COMING = {
    "connections": _function(
        asynchronous=False,
        environment=["USER_CONNECTIONS_TABLE"],
        permissions=[{"actions": ["dynamodb:PutItem"], "resource": "table:user_connections"}],
        triggers={"websocket": True},
    ),
    "notifier": _function(
        asynchronous=True,
        retries=1,
        maximum_event_age_sec=300,
        environment=[
            "USER_CONNECTIONS_TABLE",
            "WEBSOCKET_ENDPOINT",
            "ALERTS_IDENTITY",
            "ALERTS_KEY",
            "ALERTS_CONFIGURATION_SET",
        ],
        permissions=[
            {"actions": ["dynamodb:Query"], "resource": "table:user_connections"},
            {"actions": _READS_STREAM, "resource": "stream:counters"},
            {"actions": ["dynamodb:ListStreams"], "resource": "streams"},
            {"actions": ["execute-api:ManageConnections"], "resource": "websocket:connections"},
            {"actions": ["sms-voice:SendTextMessage"], "resource": "alerts:identity"},
            {"actions": ["kms:Decrypt"], "resource": "alerts:key"},
        ],
        triggers={"stream": _stream("counters", {"dynamodb": {"Keys": {"counter": {"S": [{"prefix": "calls#"}]}}}})},
    ),
    "recorder": _function(
        asynchronous=True,
        retries=1,
        maximum_event_age_sec=300,
        environment=["METRICS_BACKEND", "METRICS_NAMESPACE", "METRICS_DATABASE", "METRICS_TABLE", "ARCHIVE_STREAM"],
        permissions=[
            {"actions": _READS_STREAM, "resource": "stream:queue"},
            {"actions": ["dynamodb:ListStreams"], "resource": "streams"},
            {"actions": ["firehose:PutRecordBatch"], "resource": "archive:stream"},
            {"actions": ["timestream:WriteRecords"], "resource": "metrics:table"},
            {"actions": ["timestream:DescribeEndpoints"], "resource": "metrics:endpoints"},
        ],
        triggers={"stream": _stream("queue", None)},
    ),
}


def add_all(schemas: Path) -> None:
    """Put an entry for every component into a copy of schemas/, where it has none of its own yet."""
    path = schemas / "functions.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["functions"] = {**COMING, **document["functions"]}
    path.write_text(json.dumps(document), encoding="utf-8")
