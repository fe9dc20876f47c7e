"""What each backend of the business metrics is sent, and what it may answer."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import ANY, Stubber

from tests.support.offline import offline
from waiting_room import schemas
from waiting_room.adapters.metrics import AlarmLines, CloudWatchMetrics, SeveralMetrics, TimestreamMetrics, record_of
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import MetricPoint

MINUTE_MS = 1_780_315_200_000
LANE = MetricPoint("gala", 3, "vip", MINUTE_MS, 17, {"admitted": 12, "wait_median_sec": 61.5})
ZONE = MetricPoint("gala", 3, None, MINUTE_MS, MINUTE_MS + 5, {"queue_length": 40, "show_up_share": 0.8})


@pytest.fixture
def client() -> Iterator[Any]:
    with offline("timestream-write") as made:
        yield made


def test_a_point_is_a_line_that_cloudwatch_reads() -> None:
    lines: list[str] = []
    CloudWatchMetrics("tickets", lines.append).put([LANE, ZONE])
    lane, zone = (json.loads(line) for line in lines)
    (directive,) = lane["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "tickets"
    assert [sorted(each) for each in directive["Dimensions"]] == [["lane", "zone_id"]]
    assert {each["Name"]: each["Unit"] for each in directive["Metrics"]} == {
        "admitted": "Count",
        "wait_median_sec": "Seconds",
    }
    assert lane["_aws"]["Timestamp"] == MINUTE_MS
    assert (lane["zone_id"], lane["lane"], lane["run"], lane["admitted"]) == ("gala", "vip", 3, [12.0])
    assert (zone["lane"], zone["queue_length"], zone["show_up_share"]) == ("all", [40.0], [0.8])


def test_every_measure_can_be_told() -> None:
    measures = dict.fromkeys(schemas.load("metrics")["measures"], 1)
    lines: list[str] = []
    CloudWatchMetrics("tickets", lines.append).put([MetricPoint("gala", 1, "vip", MINUTE_MS, 1, measures)])
    assert measures.keys() <= json.loads(lines[0]).keys()


def test_what_an_alarm_waits_for_is_told_to_the_second_and_of_all_zones_together() -> None:
    lines: list[str] = []
    point = MetricPoint("gala", 3, None, MINUTE_MS, MINUTE_MS + 42_000, {"queue_length": 40, "door_shut": 1})
    AlarmLines("tickets", lines.append).put([LANE, point])
    (line,) = (json.loads(line) for line in lines)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "tickets",
        "Dimensions": [["lane"]],
        "Metrics": [{"Name": "door_shut", "Unit": "Count", "StorageResolution": 1}],
    }
    assert (line["_aws"]["Timestamp"], line["lane"], line["zone_id"]) == (MINUTE_MS + 42_000, "all", "gala")
    assert line["door_shut"] == 1


def test_several_backends_are_all_told() -> None:
    first: list[str] = []
    second: list[str] = []
    backends = (CloudWatchMetrics("a", first.append), CloudWatchMetrics("b", second.append))
    SeveralMetrics(*backends).put([LANE])
    assert len(first) == len(second) == 1


def test_a_point_is_a_versioned_record_with_the_documented_dimensions() -> None:
    record = record_of(LANE)
    assert {each["Name"] for each in record["Dimensions"]} == schemas.load("metrics")["dimensions"].keys()
    assert (record["Time"], record["TimeUnit"], record["Version"]) == (str(MINUTE_MS), "MILLISECONDS", 17)
    assert record["MeasureValues"][0] == {"Name": "admitted", "Value": "12.0", "Type": "DOUBLE"}
    assert record_of(ZONE)["Dimensions"][1] == {"Name": "lane", "Value": "all"}


def test_timestream_takes_a_hundred_at_a_time(client: Any) -> None:
    with Stubber(client) as stub:
        for size in (100, 100, 50):
            expected = {"DatabaseName": "foyer", "TableName": "visits", "Records": ANY}
            stub.add_response("write_records", {"RecordsIngested": {"Total": size}}, expected)
        TimestreamMetrics(client, "foyer", "visits").put([LANE] * 250)
        stub.assert_no_pending_responses()


def test_rejected_records_are_told_by_their_reason_and_the_rest_is_sent(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rejected = [
        {"RecordIndex": 0, "Reason": "The time lies outside the memory store."},
        {"RecordIndex": 4, "Reason": "The time lies outside the memory store."},
        {"RecordIndex": 7, "Reason": "A newer version is there.", "ExistingVersion": 18},
    ]
    with Stubber(client) as stub, caplog.at_level(logging.WARNING):
        stub.add_client_error("write_records", "RejectedRecordsException", modeled_fields={"RejectedRecords": rejected})
        stub.add_response("write_records", {"RecordsIngested": {"Total": 1}})
        TimestreamMetrics(client, "foyer", "visits").put([LANE] * 101)
        stub.assert_no_pending_responses()
    assert [(line.reason, line.points) for line in caplog.records] == [  # type: ignore[attr-defined]
        ("The time lies outside the memory store.", 2)
    ]


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "InternalServerException", "ResourceNotFoundException", "AccessDeniedException"]
)
def test_a_backend_that_refuses_is_overloaded_and_nothing_else(client: Any, code: str) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("write_records", code, http_status_code=500 if "Internal" in code else 400)
        with pytest.raises(Overloaded):
            TimestreamMetrics(client, "foyer", "visits").put([LANE])


def test_a_backend_that_cannot_be_reached_is_overloaded() -> None:
    class Unreachable:
        def write_records(self, **_: Any) -> None:
            raise ConnectTimeoutError(endpoint_url="https://ingest.timestream.eu-west-1.amazonaws.com")

    with pytest.raises(Overloaded):
        TimestreamMetrics(Unreachable(), "foyer", "visits").put([LANE])


def test_motos_server_takes_what_is_written() -> None:
    from moto.server import ThreadedMotoServer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", io.StringIO())
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            writer = boto3.client(
                "timestream-write",
                region_name="eu-west-1",
                endpoint_url=f"http://{host}:{port}",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(endpoint_discovery_enabled=False),
            )
            writer.create_database(DatabaseName="foyer")
            writer.create_table(DatabaseName="foyer", TableName=schemas.load("metrics")["table"])
            TimestreamMetrics(writer, "foyer", "visits").put([LANE, ZONE])
            writer.close()
        finally:
            server.stop()
