"""Backends of the business metrics, by the names in schemas/metrics.json."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waiting_room import schemas
from waiting_room.adapters.dynamodb import reading
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import MetricPoint, Metrics

logger = logging.getLogger(__name__)

WHOLE_ZONE = "all"
MOST_RECORDS = 100
"""What Timestream takes in one WriteRecords."""


def measures() -> dict[str, Any]:
    """The measures by name: unit, statistic, of zone or lane."""
    known: dict[str, Any] = schemas.load("metrics")["measures"]
    return known


def print_line(line: str) -> None:
    """Where a function's log is: CloudWatch finds a line in embedded metric format in whatever is printed.

    It is written in one piece, for an exchanger's zones print side by side.
    """
    sys.stdout.write(f"{line}\n")


class CloudWatchMetrics:
    """One log line in embedded metric format for each point: CloudWatch reads it from the log, without a call.

    A minute's numbers are told again while they grow: the statistic Maximum has them once.
    """

    def __init__(self, namespace: str, write: Callable[[str], None]) -> None:
        self._namespace = namespace
        self._write = write
        self._measures = measures()

    def put(self, points: Sequence[MetricPoint]) -> None:
        """Write the lines."""
        # Only here: not every function of the layer has metrics of its own.
        from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

        for point in points:
            told = AmazonCloudWatchEMFProvider(namespace=self._namespace, metric_set={}, dimension_set={})
            told.add_dimension("zone_id", point.zone_id)
            told.add_dimension("lane", point.lane or WHOLE_ZONE)
            told.add_metadata("run", point.run)
            for name, value in point.values.items():
                unit = self._measures[name]["unit"]
                told.add_metric(name, unit, value)
            document = told.serialize_metric_set()
            # Not by set_timestamp, which asks the real clock whether CloudWatch would take it.
            document["_aws"]["Timestamp"] = point.minute_at_ms
            self._write(json.dumps(document))


class AlarmLines:
    """A log line for each measure that an alarm waits for (`at_once`), to the second and of all zones together.

    With the dimension `lane` alone: an alarm watches one metric, and zones come and go. High resolution (a point that
    stands for a second) is what lets an alarm look every ten seconds (CloudWatch guide, Publish custom metrics).
    """

    def __init__(self, namespace: str, write: Callable[[str], None]) -> None:
        self._namespace = namespace
        self._write = write
        self._units = {name: measure["unit"] for name, measure in measures().items() if measure.get("at_once")}

    def put(self, points: Sequence[MetricPoint]) -> None:
        """Write the lines; the version of a zone's point is the moment it was told."""
        for point in points:
            told = {name: value for name, value in point.values.items() if name in self._units}
            if told:
                metrics = [{"Name": name, "Unit": self._units[name], "StorageResolution": 1} for name in told]
                directive = {"Namespace": self._namespace, "Dimensions": [["lane"]], "Metrics": metrics}
                aws = {"Timestamp": point.version, "CloudWatchMetrics": [directive]}
                whose = {"lane": WHOLE_ZONE, "zone_id": point.zone_id, "run": point.run}
                self._write(json.dumps({"_aws": aws, **whose, **told}))


class SeveralMetrics:
    """Tells each of several backends, in order."""

    def __init__(self, *backends: Metrics) -> None:
        self._backends = backends

    def put(self, points: Sequence[MetricPoint]) -> None:
        """Tell the points; raises Overloaded when one is down, and those after it are not told."""
        for backend in self._backends:
            backend.put(points)


class TimestreamMetrics:
    """One record with many measures for each point. A later version of a minute replaces an earlier one."""

    def __init__(self, client: Any, database: str, table: str) -> None:
        self._client = client
        self._database = database
        self._table = table

    def put(self, points: Sequence[MetricPoint]) -> None:
        """Write the points, a hundred at a time; raises Overloaded when Timestream cannot be reached or refuses all.

        What it rejects for good is logged with its reason and left out: the archive has what it was made from.
        """
        for start in range(0, len(points), MOST_RECORDS):
            batch = points[start : start + MOST_RECORDS]
            try:
                self._write([record_of(point) for point in batch])
            except BotoCoreError as error:
                raise Overloaded("Timestream could not be reached.") from error

    def _write(self, records: list[dict[str, Any]]) -> None:
        try:
            reading(self._client.write_records, DatabaseName=self._database, TableName=self._table, Records=records)
        except ClientError as error:
            if error.response["Error"]["Code"] != "RejectedRecordsException":
                raise Overloaded(f"Timestream refused: {error.response['Error']['Code']}.") from error
            for reason, count in _rejected(error).items():
                logger.warning("points were rejected", extra={"reason": reason, "points": count})


def record_of(point: MetricPoint) -> dict[str, Any]:
    """A point as Timestream takes it."""
    dimensions = {"zone_id": point.zone_id, "lane": point.lane or WHOLE_ZONE, "run": str(point.run)}
    return {
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "MeasureName": "lane" if point.lane else "zone",
        "MeasureValueType": "MULTI",
        "MeasureValues": [
            {"Name": name, "Value": str(float(value)), "Type": "DOUBLE"} for name, value in point.values.items()
        ],
        "Time": str(point.minute_at_ms),
        "TimeUnit": "MILLISECONDS",
        "Version": point.version,
    }


def _rejected(error: ClientError) -> dict[str, int]:
    """How many were rejected for which reason; those that only came after a newer version are as they should be."""
    counts: dict[str, int] = {}
    for each in _details(error.response):
        if "ExistingVersion" not in each:
            reason = str(each.get("Reason", "unknown"))
            counts[reason] = counts.get(reason, 0) + 1
    return counts


def _details(response: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from response.get("RejectedRecords", ())
