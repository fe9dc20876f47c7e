"""Errors, throttles and exempt passes of a deployment in the last minutes, as CloudWatch has them in its Region and in
those of the edge, with the operator's own rights."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.config
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from waiting_room import schemas
from waiting_room.edge.gatekeeper import EXEMPT_PASSES

Json = dict[str, Any]

EVERY_SEC = 60.0
"""CloudWatch has a new number a minute, and each look costs."""
WINDOW = timedelta(minutes=5)
EDGE_REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "sa-east-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
)
"""Regions of CloudFront's regional edge caches: Lambda@Edge runs there, and its logs and metrics are there."""


class FunctionHealth:
    """Sums over the last five minutes, by what they count; says why where CloudWatch cannot be asked."""

    def __init__(
        self, cloudwatch: Any, name: str, now: Callable[[], float] = time.time, edges: Sequence[Any] = ()
    ) -> None:
        """`edges` are the clients of the edge's Regions; without them nothing is said of the edge."""
        self._cloudwatch = cloudwatch
        self._edges = edges
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
        sums = self._sums(self._cloudwatch, queries(self._name))
        return {label: sums.get(label, 0) for label in LABELS} | self._read_edges()

    def _read_edges(self) -> Json:
        """The edge's sums over all Regions that answer; how many do not is told beside them."""
        if not self._edges:
            return {}
        with ThreadPoolExecutor(len(self._edges)) as threads:
            answers = list(threads.map(self._edge, self._edges))
        told = [sums for sums in answers if sums is not None]
        silent = {"edge Regions that do not answer": len(answers) - len(told)} if len(told) < len(answers) else {}
        return {label: sum(sums.get(label, 0) for sums in told) for label in EDGE_LABELS} | silent

    def _edge(self, cloudwatch: Any) -> dict[str, float] | None:
        try:
            return self._sums(cloudwatch, edge_queries(self._name))
        except (BotoCoreError, ClientError):
            return None

    def _sums(self, cloudwatch: Any, asked: list[Json]) -> dict[str, float]:
        ends = datetime.fromtimestamp(self._now(), UTC)
        answer = cloudwatch.get_metric_data(MetricDataQueries=asked, StartTime=ends - WINDOW, EndTime=ends)
        return {result["Label"]: sum(result.get("Values", ())) for result in answer["MetricDataResults"]}


TABLES = ("protected_zones", "counters", "joins", "queue", "user_connections")
PHANTOMS = "phantom leases (places held for nobody until their leases run out)"
LABELS = ("errors", "throttles", "table throttles", PHANTOMS)
EDGE_LABELS = ("edge errors", "exempt passes")


def queries(name: str) -> list[Json]:
    """Metric math over the functions and tables of a deployment; a metric nobody has reported counts as nothing."""
    functions = [f"{name}-{component}" for component, spec in schemas.functions().items() if not spec["edge"]]
    tables = [f"{name}-{table.replace('_', '-')}" for table in TABLES]
    found: list[Json] = []
    for label, metric in (("errors", "Errors"), ("throttles", "Throttles")):
        found += _sum(label, "AWS/Lambda", metric, "FunctionName", functions)
    found += _sum("table throttles", "AWS/DynamoDB", "WriteThrottleEvents", "TableName", tables)
    search = f'{{"{name}","zone_id"}} MetricName="phantoms"'
    return [*found, {"Id": "phantoms", "Label": PHANTOMS, "Expression": f"SUM(SEARCH('{search}', 'Sum', 60))"}]


def edge_queries(name: str) -> list[Json]:
    """The gatekeeper's errors and the passes it counted, of all zones, in one of the edge's Regions.

    Its function's name ends in what nobody here knows, so it is found by the words of its name; a deployment whose name
    has one word more is found with it.
    """
    words = " ".join(f"FunctionName={word}" for word in [*name.split("-"), "gatekeeper"])
    asked = {
        "edge errors": f'{{AWS/Lambda,FunctionName}} MetricName="Errors" {words}',
        "exempt passes": f'{{"{name}","zone_id"}} MetricName="{EXEMPT_PASSES}"',
    }
    return [
        {"Id": label.replace(" ", "_"), "Label": label, "Expression": f"SUM(SEARCH('{search}', 'Sum', 60))"}
        for label, search in asked.items()
    ]


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
