"""Join numbers, minute rows and the exchanger's lock on every engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.contract.engines import Dynamo
from tests.contract.runs import LANE, NOW_MS, RUN, ZONE_ID
from waiting_room.adapters.counters import LOCK_SEC, WAKING_SEC, Departures, Joins, Locks, Minutes


def _joins(dynamo: Dynamo) -> Joins:
    return Joins(dynamo.clients, dynamo.table("joins"))


def _locks(dynamo: Dynamo) -> Locks:
    return Locks(dynamo.clients, dynamo.table("counters"))


def test_join_numbers_start_at_one_and_have_no_gaps(dynamo: Dynamo) -> None:
    joins = _joins(dynamo)
    assert joins.tail(ZONE_ID, RUN, LANE, 0) == 0
    assert [joins.next(ZONE_ID, RUN, LANE, 0) for _ in range(3)] == [1, 2, 3]
    assert joins.tail(ZONE_ID, RUN, LANE, 0) == 3


def test_join_numbers_are_apart_by_zone_run_lane_and_shard(dynamo: Dynamo) -> None:
    joins = _joins(dynamo)
    joins.next(ZONE_ID, RUN, LANE, 0)
    others = [("other", RUN, LANE, 0), (ZONE_ID, RUN + 1, LANE, 0), (ZONE_ID, RUN, "vip", 0), (ZONE_ID, RUN, LANE, 1)]
    assert [joins.next(*key) for key in others] == [1, 1, 1, 1]


def test_no_join_number_is_given_twice(exact_dynamo: Dynamo) -> None:
    joins = _joins(exact_dynamo)
    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(lambda _: joins.next(ZONE_ID, RUN, LANE, 0), range(100)))
    assert sorted(numbers) == list(range(1, 101))


def test_a_minute_row_is_replaced_within_its_minute(dynamo: Dynamo) -> None:
    minutes = Minutes(dynamo.clients, dynamo.table("counters"))
    first = NOW_MS // 60_000
    minutes.put(ZONE_ID, RUN, NOW_MS, {"joined": 5, "speed": 0.5})
    minutes.put(ZONE_ID, RUN, NOW_MS + 59_999, {"joined": 7, "speed": 1.0})
    minutes.put(ZONE_ID, RUN, NOW_MS + 60_000, {"joined": 9, "speed": 1.25})
    minutes.put(ZONE_ID, RUN, NOW_MS + 120_000, {"joined": 11, "speed": 2.0})
    assert minutes.latest(ZONE_ID, RUN, 2) == [
        {"minute": first + 1, "joined": 9, "speed": 1.25},
        {"minute": first + 2, "joined": 11, "speed": 2},
    ]
    assert [row["joined"] for row in minutes.latest(ZONE_ID, RUN, 10)] == [7, 9, 11]
    assert minutes.latest(ZONE_ID, RUN + 1, 10) == []


def test_a_lock_is_held_by_one_until_it_runs_out(dynamo: Dynamo) -> None:
    locks = _locks(dynamo)
    end_ms = NOW_MS + LOCK_SEC * 1000
    assert locks.hold(ZONE_ID, "a", NOW_MS)
    assert not locks.hold(ZONE_ID, "b", NOW_MS)
    assert not locks.hold(ZONE_ID, "b", end_ms)
    assert locks.hold(ZONE_ID, "b", end_ms + 1)
    assert not locks.hold(ZONE_ID, "a", end_ms + 2)


def test_a_lock_is_kept_by_its_owner(dynamo: Dynamo) -> None:
    locks = _locks(dynamo)
    assert locks.hold(ZONE_ID, "a", NOW_MS)
    assert locks.hold(ZONE_ID, "a", NOW_MS + 2_000)
    assert not locks.hold(ZONE_ID, "b", NOW_MS + LOCK_SEC * 1000 + 1)


def test_only_the_owner_gives_a_lock_up(dynamo: Dynamo) -> None:
    locks = _locks(dynamo)
    assert locks.hold(ZONE_ID, "a", NOW_MS)
    locks.release(ZONE_ID, "b")
    assert not locks.hold(ZONE_ID, "b", NOW_MS)
    locks.release(ZONE_ID, "a")
    assert locks.hold(ZONE_ID, "b", NOW_MS)
    locks.release(ZONE_ID, "a")
    assert not locks.hold(ZONE_ID, "a", NOW_MS)


def test_a_lock_that_never_was_can_be_given_up(dynamo: Dynamo) -> None:
    locks = _locks(dynamo)
    locks.release(ZONE_ID, "a")
    assert locks.hold(ZONE_ID, "b", NOW_MS)


def test_one_caller_wakes_an_exchanger_and_the_next_when_that_came_to_nothing(dynamo: Dynamo) -> None:
    locks = _locks(dynamo)
    later_ms = NOW_MS + WAKING_SEC * 1000 + 1
    assert [locks.may_wake(ZONE_ID, NOW_MS) for _ in range(3)] == [True, False, False]
    assert locks.may_wake(ZONE_ID, later_ms)
    assert not locks.may_wake(ZONE_ID, later_ms)


def test_nobody_wakes_an_exchanger_that_is_awake(dynamo: Dynamo) -> None:
    locks = _locks(dynamo)
    assert locks.hold(ZONE_ID, "a", NOW_MS)
    assert not locks.may_wake(ZONE_ID, NOW_MS)
    assert locks.may_wake(ZONE_ID, NOW_MS + LOCK_SEC * 1000 + 1)


def test_an_exchanger_that_gave_up_may_be_woken_at_once(dynamo: Dynamo) -> None:
    locks = _locks(dynamo)
    assert locks.may_wake(ZONE_ID, NOW_MS)
    assert locks.hold(ZONE_ID, "a", NOW_MS)
    locks.release(ZONE_ID, "a")
    assert locks.may_wake(ZONE_ID, NOW_MS + 1)


def test_one_of_many_wakes(exact_dynamo: Dynamo) -> None:
    locks = _locks(exact_dynamo)
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: locks.may_wake(ZONE_ID, NOW_MS), range(50))) == 1


def test_departures_add_up_over_all_slots(dynamo: Dynamo) -> None:
    departures = Departures(dynamo.clients, dynamo.table("counters"))
    for number in range(20):
        departures.count(ZONE_ID, RUN, LANE, f"visitor {number}", NOW_MS, away=1, back=0, wait_sec=30)
    departures.count(ZONE_ID, RUN, LANE, "visitor 3", NOW_MS, away=0, back=1, wait_sec=-30)
    departures.count(ZONE_ID, RUN, "vip", "visitor 3", NOW_MS, away=1, back=0, wait_sec=5)
    assert departures.totals(ZONE_ID, RUN, LANE) == {"away": 20, "back": 1, "wait_sec": 570}
    assert departures.totals(ZONE_ID, RUN + 1, LANE) == {"away": 0, "back": 0, "wait_sec": 0}
