"""Listeners and calls on every engine: found by range, across partitions, in order."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.engines import Dynamo
from tests.contract.runs import LANE, NOW_MS, RUN, ZONE_ID
from waiting_room.adapters.calls import CallRecords
from waiting_room.adapters.user_connections import SOCKET, Listener, UserConnections
from waiting_room.domain.admission.calls import Calls
from waiting_room.domain.answers import Answer


def listener(position: int, address: str = "c=", slot: str = "0") -> Listener:
    return Listener(ZONE_ID, RUN, LANE, position, "v" * 22, SOCKET, address, NOW_MS, slot)


def calls(first: int, end: int) -> Calls:
    return Calls(ZONE_ID, RUN, LANE, first, end, tick=1)


def test_a_range_of_positions_is_found_and_nothing_beside_it(dynamo: Dynamo) -> None:
    connections = UserConnections(dynamo.clients, dynamo.table("user_connections"))
    for position in (998, 999, 1000, 1001, 2000):
        assert connections.take(listener(position)) is Answer.YES
    assert connections.take(listener(999, "another", "1")) is Answer.YES
    assert connections.take(listener(999, "a third", "1")) is Answer.NO
    found = [(each.position, each.address) for each in connections.called(calls(999, 2000))]
    assert found == [(999, "c="), (999, "another"), (1000, "c="), (1001, "c=")]
    assert list(connections.called(calls(5, 5))) == []
    assert [each.address for each in connections.of_place(ZONE_ID, RUN, LANE, 999)] == ["c=", "another"]


def test_a_listener_is_forgotten_once_and_for_all(dynamo: Dynamo) -> None:
    connections = UserConnections(dynamo.clients, dynamo.table("user_connections"))
    connections.take(listener(7))
    newer = replace(listener(7, "newer"), connected_at_ms=NOW_MS + 1)
    assert connections.take(newer, listener(7)) is Answer.YES
    assert connections.take(newer, listener(7)) is Answer.NO
    connections.remove(listener(7))
    assert list(connections.called(calls(0, 100))) == [newer], "another one has the slot by now"
    connections.remove(newer)
    connections.remove(newer)
    assert list(connections.called(calls(0, 100))) == []


def test_calls_only_grow(dynamo: Dynamo) -> None:
    records = CallRecords(dynamo.clients, dynamo.table("counters"))
    told = [(7, 5, 9), (6, 0, 5), (7, 5, 9), (8, 9, 12)]
    assert [records.put(replace(calls(*pair), tick=tick)) for tick, *pair in told] == [True, False, False, True]
