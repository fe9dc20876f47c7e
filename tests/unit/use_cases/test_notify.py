"""From a tick to "your turn": who was called is written, found and told; nobody twice, nobody lost for good."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
import referencing
import referencing.jsonschema
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber
from jsonschema import Draft202012Validator

from tests.memory_dynamo import MemoryDynamo
from tests.support.fakes import FakeClock
from tests.support.sale import Sale
from waiting_room import schemas
from waiting_room.adapters.calls import CallRecords
from waiting_room.adapters.connections import ApiGatewayConnections
from waiting_room.adapters.dynamodb import Clients, encode
from waiting_room.adapters.user_connections import Listener, UserConnections
from waiting_room.domain.admission.calls import Calls, bridged, calls_of, is_near, partitions
from waiting_room.domain.admission.gate_item import Watermarks
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import Delivery
from waiting_room.streams import CallStream, calls_in
from waiting_room.use_cases.notify import HANDSHAKE_MS, TRIES, Notify, your_turn

NOW_MS = 1_780_315_200_000


@dataclass
class FakeConnections:
    """Connections by what becomes of their next messages; anything not named is there."""

    answers: dict[str, list[Delivery]] = field(default_factory=dict)
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def push(self, connection_id: str, message: bytes) -> Delivery:
        queued = self.answers.get(connection_id)
        delivery = queued.pop(0) if queued else Delivery.SENT
        if delivery is Delivery.SENT:
            self.sent.append((connection_id, json.loads(message)))
        return delivery


class Line:
    """Listeners of one lane and who tells them."""

    def __init__(self) -> None:
        self.store = MemoryDynamo([schemas.table("user_connections")])
        self.listeners = UserConnections(Clients(self.store, self.store), "user_connections")
        self.connections = FakeConnections()
        self.pauses: list[float] = []
        self.clock = FakeClock()
        self.clock.ms = NOW_MS + HANDSHAKE_MS
        self.notify = Notify(self.listeners, self.connections, self.clock, self.pauses.append)

    def listen(self, *positions: int, **changes: Any) -> None:
        for position in positions:
            parts = {"run": 1, "lane": "general", "address": f"c{position}", "connected_at_ms": NOW_MS} | changes
            listener = Listener("z", position=position, visitor_id="v" * 22, channel="ws", **parts)
            self.listeners.take(listener)

    def told(self) -> list[int]:
        return sorted(int(message["position"]) for _, message in self.connections.sent)


@pytest.fixture
def line() -> Line:
    return Line()


def calls(first: int, end: int, **changes: Any) -> Calls:
    return Calls(**{"zone_id": "z", "run": 1, "lane": "general", "first": first, "end": end, "tick": 7} | changes)


def test_exactly_the_called_are_told_across_partitions(line: Line) -> None:
    line.listen(0, 997, 998, 999, 1000, 1999, 2000, 2001, 12_345)
    assert line.notify(calls(998, 2001)) == {Delivery.SENT: 5}
    assert line.told() == [998, 999, 1000, 1999, 2000]


def test_another_run_lane_or_zone_hears_nothing(line: Line) -> None:
    line.listen(5, run=2)
    line.listen(5, lane="vip", address="other")
    assert line.notify(calls(0, 10))[Delivery.SENT] == 0


def test_the_message_is_the_documented_one(line: Line) -> None:
    schema = schemas.load("websocket")["messages"]["your_turn"]["schema"]
    zone = referencing.jsonschema.DRAFT202012.create_resource(schemas.load("zone"))
    known = referencing.Registry().with_resource("zone.json", zone)
    Draft202012Validator(schema, registry=known).validate(json.loads(your_turn(calls(3, 9), 4)))


def test_two_tabs_of_a_place_are_both_told(line: Line) -> None:
    line.listen(4)
    line.listen(4, address="second", slot="1")
    assert line.notify(calls(4, 5))[Delivery.SENT] == 2


def test_connections_that_are_gone_are_forgotten(line: Line) -> None:
    line.listen(1, 2)
    line.connections.answers = {"c1": [Delivery.GONE]}
    assert line.notify(calls(0, 5)) == {Delivery.GONE: 1, Delivery.SENT: 1}
    assert [each.address for each in line.listeners.called(calls(0, 5))] == ["c2"]


def test_a_push_during_the_handshake_comes_again_until_the_connection_is_open(line: Line) -> None:
    line.listen(1, 2, connected_at_ms=NOW_MS + 1)
    line.connections.answers = {"c1": [Delivery.GONE, Delivery.GONE]}
    assert line.notify(calls(0, 5)) == {Delivery.SENT: 2}
    assert line.told() == [1, 2]


def test_a_connection_that_is_new_stays_noted_though_it_seems_gone(line: Line) -> None:
    line.listen(1, connected_at_ms=NOW_MS + 1)
    line.connections.answers = {"c1": [Delivery.GONE] * TRIES}
    assert line.notify(calls(0, 5)) == {Delivery.GONE: 1}
    assert [each.address for each in line.listeners.called(calls(0, 5))] == ["c1"]


def test_only_those_the_service_was_too_busy_for_are_tried_again(line: Line) -> None:
    line.listen(1, 2, 3)
    line.connections.answers = {"c2": [Delivery.FAILED], "c3": [Delivery.FAILED] * TRIES}
    assert line.notify(calls(0, 5)) == {Delivery.SENT: 2, Delivery.FAILED: 1}
    assert line.told() == [1, 2]
    assert line.pauses == [0.5, 1.0]


def test_when_nobody_can_be_reached_the_whole_record_comes_again(line: Line) -> None:
    line.listen(1)
    line.connections.answers = {"c1": [Delivery.FAILED] * TRIES}
    with pytest.raises(Overloaded):
        line.notify(calls(0, 5))
    assert line.notify(calls(0, 5))[Delivery.SENT] == 1


def test_nobody_listening_costs_no_pause(line: Line) -> None:
    assert line.notify(calls(0, 5))[Delivery.SENT] == 0
    assert line.pauses == []


def record(number: int, new: dict[str, Any] | None, old: dict[str, Any] | None = None) -> dict[str, Any]:
    images = {"NewImage": new, "OldImage": old}
    stored = {
        name: encode({"counter": "calls#z#1#general", "slot": 0, **item}) for name, item in images.items() if item
    }
    return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": str(number), **stored}}


def test_calls_whose_record_was_lost_are_told_with_the_next(line: Line) -> None:
    after_a_loss = record(1, {"from": 10, "to": 15, "tick": 3}, {"from": 0, "to": 6, "tick": 1})
    assert calls_in(after_a_loss) == calls(6, 15, tick=3)
    assert calls_in(record(1, {"from": 10, "to": 15, "tick": 3})) == calls(10, 15, tick=3)
    assert calls_in(record(1, None, {"from": 0, "to": 6, "tick": 1})) is None
    assert bridged(calls(3, 9), 20).first == 3


def test_a_zone_stops_where_it_failed_and_what_was_told_is_not_told_again(line: Line) -> None:
    line.listen(1, 2, 3)
    told: list[Calls] = []

    def notify(wanted: Calls) -> Counter[Delivery]:
        if wanted.first == 2 and not told[1:]:
            told.append(wanted)
            raise Overloaded
        told.append(wanted)
        return line.notify(wanted)

    records = [record(100 + n, {"from": n, "to": n + 1, "tick": n}) for n in (1, 2, 3)]
    stream = CallStream(notify)
    first = stream({"Records": records})
    assert first == {"batchItemFailures": [{"itemIdentifier": "102"}], "sent": 1, "gone": 0, "failed": 0}
    assert stream({"Records": records[1:]})["batchItemFailures"] == []
    assert line.told() == [1, 2, 3]


def test_a_zone_that_cannot_be_told_holds_no_other_up_which_is_told_once() -> None:
    down, told = True, list[str]()

    def notify(wanted: Calls) -> Counter[Delivery]:
        if wanted.zone_id == "down" and down:
            raise Overloaded
        told.append(f"{wanted.zone_id} {wanted.first}")
        return Counter({Delivery.SENT: 1})

    def of(zone_id: str, number: int) -> dict[str, Any]:
        made = record(number, {"from": number, "to": number + 1, "tick": number})
        made["dynamodb"]["NewImage"]["counter"] = {"S": f"calls#{zone_id}#1#general"}
        return made

    stream = CallStream(notify)
    batch = [of("down", 1), of("z", 2), of("down", 3), of("z", 4)]
    for _ in range(2):
        assert stream({"Records": batch})["batchItemFailures"] == [{"itemIdentifier": "1"}]
        assert told == ["z 2", "z 4"]
    down = False
    assert stream({"Records": batch})["batchItemFailures"] == []
    assert told == ["z 2", "z 4", "down 1", "down 3"]
    assert stream({"Records": [of("z", 2)]})["sent"] == 1, "of a batch that is done nothing is remembered"


def test_a_key_of_another_kind_is_not_taken_for_calls() -> None:
    with pytest.raises(ValueError, match="gate#z"):
        calls_of("gate#z#1#general", {"from": 0, "to": 1, "tick": 1})


def test_a_tick_leaves_word_of_whom_it_called() -> None:
    sale = Sale(max_active=2)
    for name in "abcde":
        sale.join(name)
    sale.tick(20)
    sale.tick()
    stored = sale.store.get_item(TableName="counters", Key=encode({"counter": "calls#z#1#general", "slot": 0}))
    serving = sale.gate().lane("general").serving
    assert serving > 0
    assert stored["Item"]["to"] == {"N": str(serving)}


def test_older_calls_do_not_replace_newer_ones() -> None:
    store = MemoryDynamo([schemas.table("counters")])
    records = CallRecords(Clients(store, store), "counters")
    assert records.put(calls(5, 9))
    assert not records.put(replace(calls(0, 5), tick=6))
    assert not records.put(calls(5, 9)), "the same again changes nothing"
    assert records.put(replace(calls(9, 12), tick=8))
    assert records.put(replace(calls(3, 5), tick=9)), "places that were given back are called anew"


def test_a_tick_is_won_even_if_its_calls_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> bool:
        raise Overloaded

    monkeypatch.setattr(CallRecords, "put", busy)
    sale = Sale(max_active=2)
    sale.join("a")
    sale.tick(20)
    assert sale.gate().lane("general").serving == 1


def test_near_is_waiting_with_few_enough_ahead() -> None:
    lane = Watermarks(serving=10, floor=4, ahead=12)
    assert [is_near(position, lane, 5) for position in (9, 10, 15, 16)] == [False, True, True, False]
    assert (list(partitions(0, 0)), list(partitions(999, 1001)), list(partitions(0, 1000))) == ([], [0, 1], [0])


class Refusing:
    """A management API that fails in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def post_to_connection(self, **_: Any) -> None:
        raise self.error

    delete_connection = post_to_connection


def refusal(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PostToConnection")


@pytest.mark.parametrize(
    ("error", "delivery"),
    [
        (refusal("GoneException", 410), Delivery.GONE),
        (refusal("LimitExceededException", 429), Delivery.FAILED),
        (refusal("InternalServerError", 500), Delivery.FAILED),
        (ReadTimeoutError(endpoint_url="https://x"), Delivery.FAILED),
    ],
)
def test_each_answer_of_the_service_has_its_name(error: Exception, delivery: Delivery) -> None:
    assert ApiGatewayConnections(Refusing(error)).push("c", b"{}") is delivery


def test_a_missing_right_is_a_fault_and_not_a_busy_service() -> None:
    with pytest.raises(ClientError):
        ApiGatewayConnections(Refusing(refusal("ForbiddenException", 403))).push("c", b"{}")
    with pytest.raises(ClientError):
        ApiGatewayConnections(Refusing(refusal("ForbiddenException", 403))).close("c")


def test_a_connection_that_is_gone_is_closed_and_one_that_may_be_there_is_not() -> None:
    ApiGatewayConnections(Refusing(refusal("GoneException", 410))).close("c")
    for error in (refusal("LimitExceededException", 429), ReadTimeoutError(endpoint_url="https://x")):
        with pytest.raises(Overloaded):
            ApiGatewayConnections(Refusing(error)).close("c")


def test_the_request_is_the_one_the_service_takes() -> None:
    client = boto3.client(
        "apigatewaymanagementapi",
        region_name="eu-west-1",
        endpoint_url="https://abc.execute-api.eu-west-1.amazonaws.com/live",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as stubber:
        stubber.add_response("post_to_connection", {}, {"ConnectionId": "c=", "Data": b"{}"})
        stubber.add_response("delete_connection", {}, {"ConnectionId": "c="})
        assert ApiGatewayConnections(client).push("c=", b"{}") is Delivery.SENT
        ApiGatewayConnections(client).close("c=")
