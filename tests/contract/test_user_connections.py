"""Listeners and calls on every engine: found by range, across partitions, in order."""

from __future__ import annotations

from tests.contract.engines import Dynamo
from tests.contract.runs import LANE, NOW_MS, RUN, ZONE_ID
from waiting_room.adapters.calls import CallRecords
from waiting_room.adapters.user_connections import SOCKET, Listener, UserConnections
from waiting_room.domain.admission.calls import Calls


def listener(position: int, address: str = "c=") -> Listener:
    return Listener(ZONE_ID, RUN, LANE, position, "v" * 22, SOCKET, address)


def calls(first: int, end: int, tick: int = 1) -> Calls:
    return Calls(ZONE_ID, RUN, LANE, first, end, tick)


def test_a_range_of_positions_is_found_and_nothing_beside_it(dynamo: Dynamo) -> None:
    connections = UserConnections(dynamo.clients, dynamo.table("user_connections"))
    for position in (998, 999, 1000, 1001, 2000):
        connections.add(listener(position), NOW_MS)
    connections.add(listener(999, "another"), NOW_MS)
    connections.add(listener(999, "another"), NOW_MS)
    found = [(each.position, each.address) for each in connections.called(calls(999, 2000))]
    assert found == [(999, "another"), (999, "c="), (1000, "c="), (1001, "c=")]
    assert list(connections.called(calls(5, 5))) == []


def test_a_listener_is_forgotten_once_and_for_all(dynamo: Dynamo) -> None:
    connections = UserConnections(dynamo.clients, dynamo.table("user_connections"))
    connections.add(listener(7), NOW_MS)
    connections.remove(listener(7))
    connections.remove(listener(7))
    assert list(connections.called(calls(0, 100))) == []


def test_of_two_ticks_the_later_ones_calls_are_kept(dynamo: Dynamo) -> None:
    records = CallRecords(dynamo.clients, dynamo.table("counters"))
    told = ((5, 9, 3), (0, 5, 2), (5, 9, 3), (9, 12, 4), (2, 6, 9))
    assert [records.put(calls(*each)) for each in told] == [True, False, False, True, True], (
        "the last after a restoration"
    )
