"""Listeners and calls on every engine: found by range, across partitions, in order."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.engines import Dynamo
from tests.contract.runs import LANE, NOW_MS, RUN, ZONE_ID
from waiting_room.adapters.calls import CallRecords
from waiting_room.adapters.user_connections import SOCKET, Listener, UserConnections
from waiting_room.domain.admission.calls import Calls


def listener(position: int, address: str = "c=") -> Listener:
    return Listener(ZONE_ID, RUN, LANE, position, "v" * 22, SOCKET, address, NOW_MS)


def calls(first: int, end: int) -> Calls:
    return Calls(ZONE_ID, RUN, LANE, first, end, tick=1)


def test_a_range_of_positions_is_found_and_nothing_beside_it(dynamo: Dynamo) -> None:
    connections = UserConnections(dynamo.clients, dynamo.table("user_connections"))
    for position in (998, 999, 1000, 1001, 2000):
        connections.add(listener(position))
    connections.add(listener(999, "another"))
    connections.add(listener(999, "another"))
    found = [(each.position, each.address) for each in connections.called(calls(999, 2000))]
    assert found == [(999, "another"), (999, "c="), (1000, "c="), (1001, "c=")]
    assert list(connections.called(calls(5, 5))) == []


def test_a_listener_is_forgotten_once_and_for_all(dynamo: Dynamo) -> None:
    connections = UserConnections(dynamo.clients, dynamo.table("user_connections"))
    connections.add(listener(7))
    connections.remove(listener(7))
    connections.remove(listener(7))
    assert list(connections.called(calls(0, 100))) == []


def test_calls_only_grow(dynamo: Dynamo) -> None:
    records = CallRecords(dynamo.clients, dynamo.table("counters"))
    told = [(7, 5, 9), (6, 0, 5), (7, 5, 9), (8, 9, 12)]
    assert [records.put(replace(calls(*pair), tick=tick)) for tick, *pair in told] == [True, False, False, True]
