"""A fault of the surroundings that is got over is in the log: nobody wonders for long why fewer were let in."""

from __future__ import annotations

import ast
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import waiting_room
from tests.memory_dynamo import MemoryDynamo
from waiting_room import schemas
from waiting_room.adapters import dynamodb, throttles
from waiting_room.adapters.dynamodb import Clients, Table
from waiting_room.adapters.end_user_messaging import EndUserMessaging
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.health import Alarms, HttpsProbe
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.ports import Delivery

PACKAGE = Path(waiting_room.__file__).parent
FAULTS = {
    "BotoCoreError",
    "ClientError",
    "Exception",
    "FetchFailed",
    "HTTPClientError",
    "HTTPException",
    "NoConnection",
    "OSError",
    "Overloaded",
    "Unsure",
}
"""What goes wrong outside, unlike bad input and races that somebody else won."""
TOLD_ELSEWHERE = {
    "adapters.archive._refused": "rows that are never taken are logged by `put`",
    "adapters.beacon.value": "logged by the draw, which asks for it",
    "adapters.connections.push": "counted in the answer of the notifier",
    "adapters.exits.add": "logged as a phantom lease below, as every answer but YES",
    "adapters.dynamodb._batch": "logged by `batch`, once asking again was of no use",
    "adapters.dynamodb.writing": "an answer of its own, UNSURE",
    "adapters.functions.call": "counted in the answer of the dispatcher",
    "http.link_forms.pressed": "the problem is the answer, which is logged",
    "http.visitor_api._visitor_or_answer": "the problem is the answer, which is logged",
    "streams._set_apart": "the record is in the log already; it comes again",
    "use_cases.record._count": "the changes come again, and that is in the answer",
    "use_cases.send_alerts._tell": "counted in the answer of the notifier",
}
NUMBER = "+447700900123"
BUSY = ClientError({"Error": {"Code": "ThrottlingException"}}, "Any")
LOST = ReadTimeoutError(endpoint_url="https://dynamodb.test")


def silent() -> Iterator[str]:
    """Where such a fault ends without being raised again or logged, as module and function."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.ExceptHandler) and _names(node.type) & FAULTS and not _speaks(node):
                        yield f"{module}.{function.name}"
                    if isinstance(node, ast.Call) and _names(node.func) & {"suppress"} and _names(*node.args) & FAULTS:
                        yield f"{module}.{function.name}"


def _names(*nodes: ast.expr | None) -> set[str]:
    found = (each for node in nodes if node is not None for each in ast.walk(node))
    return {each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in found}


def _speaks(handler: ast.ExceptHandler) -> bool:
    calls = {"debug", "info", "warning", "error", "exception", "_failed", "phantom"}
    inside = [each for statement in handler.body for each in ast.walk(statement)]
    return any(
        isinstance(each, ast.Raise) or (isinstance(each, ast.Call) and _names(each.func) & calls) for each in inside
    )


def test_no_fault_ends_in_silence() -> None:
    assert set(silent()) == set(TOLD_ELSEWHERE)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """The warnings so far, with their fields, but the line that names a limit: a process says that once in a while."""
    caplog.set_level(logging.WARNING)

    def so_far() -> list[dict[str, Any]]:
        told = [record for record in caplog.records if record.name != throttles.__name__]
        return [vars(record) | {"text": record.getMessage()} for record in told]

    return so_far


class Failing:
    """A client whose every call fails the same way."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            raise self._fault

        return call


@pytest.mark.parametrize("fault", [BUSY, LOST])
def test_a_lease_that_stays_counted_is_logged_with_its_bucket(
    fault: Exception, warnings: Callable[[], list[dict[str, Any]]]
) -> None:
    store = MemoryDynamo([schemas.table("counters")])
    Gates(Clients(store, store), "counters").create(GateItem("midnight-sun", 3, 10, lanes={"general": Watermarks()}))

    Gates(Clients(store, Failing(fault)), "counters").release("midnight-sun", 3, 12)

    (line,) = [line for line in warnings() if line["text"] != "throttled"]
    told = ("midnight-sun", 3, [12], "release", 1)
    assert line["text"] == "phantom lease"
    assert tuple(line[name] for name in ("zone_id", "run", "buckets", "verb", "phantoms")) == told


def test_a_bucket_that_has_ended_meanwhile_is_no_fault(warnings: Callable[[], list[dict[str, Any]]]) -> None:
    store = MemoryDynamo([schemas.table("counters")])
    gates = Gates(Clients(store, store), "counters")
    gates.create(GateItem("midnight-sun", 3, 10, lanes={"general": Watermarks()}))
    gates.release("midnight-sun", 3, 12)
    assert warnings() == []


def test_items_that_were_never_served_are_logged(
    monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[dict[str, Any]]]
) -> None:
    monkeypatch.setattr(dynamodb, "time", type("Still", (), {"sleep": staticmethod(lambda _: None)}))
    client = Failing(BUSY)
    assert Table(Clients(client, client), "counters", "counters").batch([("a", 0), ("b", 0)]) == ({}, False)
    assert [(line["table"], line["items"]) for line in warnings()] == [("counters", 2)]


def test_alarms_that_could_not_be_read_are_logged(warnings: Callable[[], list[dict[str, Any]]]) -> None:
    assert Alarms(Failing(BUSY)).well(["cpu", "errors"]) == {}
    assert [line["alarms"] for line in warnings()] == [2]


def test_a_probe_says_why_a_site_counts_as_ill(warnings: Callable[[], list[dict[str, Any]]]) -> None:
    class Refused:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def request(self, *_: Any, **__: Any) -> None:
            raise ConnectionRefusedError("nobody listens")

        def close(self) -> None: ...

    assert HttpsProbe(Refused).well("tickets.example.com", "/up", 1000) is False
    assert [(line["host"], line["why"]) for line in warnings()] == [
        ("tickets.example.com", "ConnectionRefusedError: nobody listens")
    ]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (BUSY, "ThrottlingException"),
        (ClientError({"Error": {"Code": "AccessDeniedException", "Message": NUMBER}}, "Any"), "AccessDeniedException"),
        (LOST, "ReadTimeoutError"),
    ],
)
def test_a_message_that_was_not_sent_is_logged_without_its_number(
    fault: Exception, why: str, warnings: Callable[[], list[dict[str, Any]]]
) -> None:
    carrier = EndUserMessaging(Failing(fault), "identity", "foyer", lambda _: None)
    assert carrier.send("sms", NUMBER, "Nearly.", "en", life_sec=60, max_price_usd=0.1) is Delivery.FAILED
    (line,) = warnings()
    assert line["why"] == why
    assert NUMBER not in str(line)
