"""Exit records on every engine that is exact: noted once, in generations that are final once closed or full."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.engines import Dynamo
from tests.contract.runs import NOW_MS, RUN, ZONE_ID, gate, gates
from tests.memory_dynamo import MemoryDynamo
from tests.memory_dynamo.values import item_size
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.exits import BLOCK, GENERATION_SIZE, Exits
from waiting_room.adapters.gates import Gates
from waiting_room.domain.admission.exits import Exit, Generation
from waiting_room.domain.gate.exit_list import exit_id

WRITE_UNIT = 1024


@pytest.fixture
def exits(exact_dynamo: Dynamo) -> Exits:
    store = gates(exact_dynamo)
    assert store.create(gate())
    return Exits(exact_dynamo.clients, exact_dynamo.table("counters"), store)


def leave(exits: Exits, *numbers: int, now_ms: int = NOW_MS) -> None:
    for number in numbers:
        exits.add(ZONE_ID, RUN, f"session-{number}", 10 + number, now_ms, "leave")


def those(*numbers: int) -> frozenset[Exit]:
    return frozenset(Exit(exit_id(f"session-{number}"), 10 + number) for number in numbers)


def test_exits_are_read_as_they_were_noted(exits: Exits) -> None:
    assert exits.after(ZONE_ID, RUN, 0) == exits.since(ZONE_ID, RUN, 0) == []
    leave(exits, 1)
    leave(exits, 2, now_ms=NOW_MS + 5)
    assert exits.after(ZONE_ID, RUN, 0) == [Generation(1, those(1, 2), NOW_MS)]
    assert exits.after(ZONE_ID, RUN, 1) == exits.after(ZONE_ID, RUN + 1, 0) == []


def test_what_comes_after_the_end_of_a_generation_lies_in_the_next(exits: Exits) -> None:
    leave(exits, 1)
    closed = exits.close(ZONE_ID, RUN, 1)
    assert closed == Generation(1, those(1), NOW_MS, final=True)
    leave(exits, 2)
    assert exits.close(ZONE_ID, RUN, 1) == closed
    assert exits.after(ZONE_ID, RUN, 0) == [closed, Generation(2, those(2), NOW_MS)]


def test_a_generation_that_is_full_is_final(exits: Exits) -> None:
    leave(exits, *range(GENERATION_SIZE + 1))
    first, second = exits.after(ZONE_ID, RUN, 0)
    assert (first.final, len(first.exits), second.final, len(second.exits)) == (True, GENERATION_SIZE, False, 1)


def test_many_who_leave_at_once_are_noted_once_each(exits: Exits) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: leave(exits, number), range(3 * GENERATION_SIZE)))
    generations = exits.after(ZONE_ID, RUN, 0)
    noted = [each for generation in generations for each in generation.exits]
    assert len(noted) == len(set(noted))
    assert set(noted) <= those(*range(3 * GENERATION_SIZE))
    assert len(noted) > 2 * GENERATION_SIZE, "whoever finds no room in four tries is not noted"
    assert all(generation.final for generation in generations[:-1])


def test_a_new_exchanger_reads_as_far_back_as_tokens_live(exits: Exits) -> None:
    for number in range(1, BLOCK + 20):
        leave(exits, number, now_ms=NOW_MS + number)
        exits.close(ZONE_ID, RUN, number)
    recent = exits.since(ZONE_ID, RUN, NOW_MS + BLOCK + 10)
    assert recent[-1].number == BLOCK + 19
    assert recent[0].began_at_ms < NOW_MS + BLOCK + 10, "what came before lies before it"
    everything = exits.since(ZONE_ID, RUN, 0)
    assert [each.number for each in everything] == list(range(1, BLOCK + 20))


def memory() -> tuple[MemoryDynamo, Gates, Exits]:
    store = MemoryDynamo([schemas.table("counters")])
    clients = Clients(store, store)
    gates = Gates(clients, "counters")
    return store, gates, Exits(clients, "counters", gates)


def test_where_old_generations_have_expired_numbers_go_on() -> None:
    """The gate item knows which were released: another one of the same number would be taken for it."""
    _, gates, exits = memory()
    assert gates.create(gate())
    read = gates.read(ZONE_ID, RUN)
    assert read is not None
    gates.advance(read, gate(tick=5, released_to=17))
    leave(exits, 1)
    assert [each.number for each in exits.after(ZONE_ID, RUN, 0)] == [18]


def test_a_full_generation_is_one_write_unit() -> None:
    store, _, exits = memory()
    zone_id = "a" * 40
    for number in range(GENERATION_SIZE):
        exits.add(zone_id, 9_999, f"session-{number}", 2**32 - 1, NOW_MS - 1, "leave")
    exits.close(zone_id, 9_999, 1)
    (record,) = store.tables["counters"].records.values()
    # A set's members cost a byte each beside their own, if they cost what a list's do.
    assert item_size(record.item) + GENERATION_SIZE < WRITE_UNIT
