"""Errors and throttles of a deployment in the last minutes, as CloudWatch has them, with the operator's own rights."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.config
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from waiting_room import schemas

Json = dict[str, Any]

EVERY_SEC = 60.0
"""CloudWatch has a new number a minute, and each look costs."""
WINDOW = timedelta(minutes=5)


class Health:
    """Sums over the last five minutes, by what they count; says why where CloudWatch cannot be asked."""

    def __init__(self, cloudwatch: Any, name: str, now: Callable[[], float] = time.time) -> None:
        self._cloudwatch = cloudwatch
        self._name = name
        self._now = now
        self._read_at = float("-inf")
        self._known: Json = {}

    def __call__(self) -> Json:
        """The sums; a failure is told in their place and tried again a minute later."""
        if self._now() - self._read_at >= EVERY_SEC:
            self._read_at = self._now()
            try:
                self._known = self._read()
            except (BotoCoreError, ClientError) as error:
                self._known = {"CloudWatch": f"cannot be asked ({type(error).__name__})"}
        return self._known

    def _read(self) -> Json:
        ends = datetime.fromtimestamp(self._now(), UTC)
        answer = self._cloudwatch.get_metric_data(
            MetricDataQueries=list(queries(self._name)), StartTime=ends - WINDOW, EndTime=ends
        )
        sums = {result["Label"]: sum(result.get("Values", ())) for result in answer["MetricDataResults"]}
        return {label: sums.get(label, 0) for label in LABELS}


TABLES = ("protected_zones", "counters", "queue", "user_connections")
LABELS = ("errors", "throttles", "table throttles")


def queries(name: str) -> list[Json]:
    """Metric math over the functions and tables of a deployment; a metric nobody has reported counts as nothing."""
    functions = [f"{name}-{component}" for component, spec in schemas.functions().items() if not spec["edge"]]
    tables = [f"{name}-{table.replace('_', '-')}" for table in TABLES]
    found: list[Json] = []
    for label, metric in (("errors", "Errors"), ("throttles", "Throttles")):
        found += _sum(label, "AWS/Lambda", metric, "FunctionName", functions)
    found += _sum("table throttles", "AWS/DynamoDB", "WriteThrottleEvents", "TableName", tables)
    return found


def _sum(label: str, namespace: str, metric: str, dimension: str, values: list[str]) -> list[Json]:
    prefix = label.replace(" ", "_")
    parts = [
        {
            "Id": f"{prefix}_{index}",
            "ReturnData": False,
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for index, value in enumerate(values)
    ]
    summed = "+".join(f"FILL({part['Id']},0)" for part in parts)
    return [*parts, {"Id": prefix, "Label": label, "Expression": summed}]


def cloudwatch_client(region: str, profile: str | None) -> Any:
    """A client with the operator's own credentials; quick to give up, since somebody looks at the page."""
    config = botocore.config.Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    return botocore.session.Session(profile=profile).create_client("cloudwatch", region_name=region, config=config)
