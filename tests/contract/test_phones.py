"""Numbers and their counts on every engine: a limit is kept, and a number has one visitor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.engines import Dynamo
from tests.contract.runs import NOW_MS, RUN, ZONE_ID
from waiting_room.adapters.phones import Limit, Phones, codes_counter


def phones_of(dynamo: Dynamo) -> Phones:
    return Phones(dynamo.clients, dynamo.table("counters"), "a key")


def test_a_number_is_its_first_visitors_until_it_is_free(dynamo: Dynamo) -> None:
    phones, number = phones_of(dynamo), (ZONE_ID, RUN, "tag")
    assert phones.owner(*number) is None
    assert [phones.bind(*number, visitor, NOW_MS) for visitor in "aab"] == [True, True, False]
    assert not phones.bind(*number, "c", NOW_MS, instead_of="b")
    assert phones.bind(*number, "c", NOW_MS, instead_of="a")
    assert phones.owner(*number) == "c"
    phones.release(*number, "a")
    assert phones.owner(*number) == "c"
    phones.release(*number, "c")
    assert phones.owner(*number) is None
    assert phones.bind(*number, "b", NOW_MS)


def test_as_many_are_counted_as_there_may_be(dynamo: Dynamo) -> None:
    phones = phones_of(dynamo)
    run, hour = Limit(codes_counter(ZONE_ID, RUN), 3), Limit(codes_counter(ZONE_ID, RUN), 1, slot=494_532)
    assert [phones.take(run, NOW_MS) for _ in range(4)] == [True, True, True, False]
    assert [phones.take(hour, NOW_MS) for _ in range(2)] == [True, False]
    for _ in range(3):
        phones.give_back(hour)
    assert [phones.take(hour, NOW_MS) for _ in range(2)] == [True, False], "never below none"
    assert phones.codes_sent(ZONE_ID, RUN) == 3
    assert phones.codes_sent(ZONE_ID, RUN + 1) == 0


def test_of_many_at_once_as_many_get_through_and_one_has_the_number(exact_dynamo: Dynamo) -> None:
    phones, limit = phones_of(exact_dynamo), Limit(codes_counter(ZONE_ID, RUN), 5)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: phones.take(limit, NOW_MS), range(32)))
        bound = list(pool.map(lambda n: phones.bind(ZONE_ID, RUN, "tag", f"v{n}", NOW_MS), range(32)))
    assert (taken.count(True), bound.count(True)) == (5, 1)


def test_without_a_key_there_is_no_hash(dynamo: Dynamo) -> None:
    with pytest.raises(ValueError, match="need a key"):
        Phones(dynamo.clients, dynamo.table("counters"), "").tag(ZONE_ID, RUN, "+447700900123")
