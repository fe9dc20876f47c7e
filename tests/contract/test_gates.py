"""Gates on every engine: each write won, lost and repeated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.engines import Dynamo
from tests.contract.runs import LANE, NOW_MS, RUN, ZONE_ID, gate, gates
from waiting_room.adapters.gates import Gates
from waiting_room.domain.admission.claim_clock import ClaimClock, Sample
from waiting_room.domain.admission.gate_item import ControllerState, GateItem, Watermarks
from waiting_room.domain.admission.shared_calls import SharedCalls
from waiting_room.domain.answers import Answer


@pytest.fixture
def store(dynamo: Dynamo) -> Gates:
    adapter = gates(dynamo)
    assert adapter.create(gate())
    return adapter


def _now(store: Gates) -> GateItem:
    item = store.read(ZONE_ID, RUN)
    assert item is not None
    return item


def _claim(store: Gates, position: int = 5, bucket: int = 10, lane: str | None = LANE) -> Answer:
    return store.claim(ZONE_ID, RUN, bucket, lane, position)


def test_a_gate_item_reads_as_it_was_written(store: Gates) -> None:
    assert _now(store) == gate()
    assert store.read(ZONE_ID, RUN, consistent=False) == gate()
    assert store.read(ZONE_ID, RUN + 1) is None


def test_a_run_is_created_once(store: Gates) -> None:
    assert not store.create(gate(claimed=0, tick=0))
    assert _now(store) == gate()


def test_a_claim_takes_a_grant_and_counts_a_lease(store: Gates) -> None:
    assert _claim(store) is Answer.YES
    assert _claim(store, bucket=11) is Answer.YES
    assert _now(store) == gate(claimed=10, buckets={10: 1, 11: 1})


def test_no_claim_without_a_grant(store: Gates) -> None:
    assert [_claim(store) for _ in range(4)] == [Answer.YES, Answer.YES, Answer.NO, Answer.NO]
    assert _now(store).claimed == 10


@pytest.mark.parametrize(
    ("position", "answer"), [(4, Answer.NO), (5, Answer.YES), (19, Answer.YES), (24, Answer.YES), (25, Answer.NO)]
)
def test_only_called_positions_claim(store: Gates, position: int, answer: Answer) -> None:
    assert _claim(store, position) is answer


def test_ahead_lets_in_where_serving_does_not_and_the_other_way_round(dynamo: Dynamo) -> None:
    store = gates(dynamo)
    store.create(gate(lanes={LANE: Watermarks(serving=3, floor=0, ahead=0)}))
    assert _claim(store, 2) is Answer.YES
    assert _claim(store, 3) is Answer.NO


def test_no_claim_into_a_closed_bucket(store: Gates) -> None:
    assert _claim(store, bucket=9) is Answer.NO
    assert _now(store) == gate()


def test_a_session_that_comes_back_needs_a_grant_but_no_position(store: Gates) -> None:
    assert _claim(store, position=0, lane=None) is Answer.YES
    assert _claim(store, position=999, lane=None) is Answer.YES
    assert _claim(store, position=5, lane=None) is Answer.NO


def test_no_claim_in_a_lane_or_run_that_does_not_exist(store: Gates) -> None:
    assert _claim(store, lane="vip") is Answer.NO
    assert store.claim(ZONE_ID, RUN + 1, 10, LANE, 5) is Answer.NO
    assert store.read(ZONE_ID, RUN + 1) is None


def test_a_lease_is_held_only_while_its_bucket_is_open(store: Gates) -> None:
    assert store.hold(ZONE_ID, RUN, 12, while_open=10, verb="renew") is Answer.YES
    assert store.hold(ZONE_ID, RUN, 12, while_open=9, verb="renew") is Answer.NO
    assert _now(store) == gate(buckets={12: 1})


def test_watermarks_fall_only_where_no_decision_was_faster(store: Gates) -> None:
    read = _now(store)
    back = read.recalled({LANE: Watermarks(serving=7, floor=1, ahead=7)}, share=0.5, absent=3)
    store.fence(ZONE_ID, RUN)
    assert store.advance(read, back) is Answer.NO
    assert _now(store).lane(LANE) == read.lane(LANE)
    assert _claim(store) is Answer.NO, "the fence withdrew the grants"
    read = _now(store)
    assert store.advance(read, read.recalled(back.lanes, share=0.5, absent=3)) is Answer.YES
    after = _now(store)
    assert (after.lane(LANE), after.limit, after.tick) == (back.lane(LANE), after.claimed, read.tick + 1)
    assert (after.buckets, after.state.clock.samples) == (read.buckets, ())


def test_a_release_never_goes_below_zero(store: Gates) -> None:
    _claim(store)
    for _ in range(3):
        store.release(ZONE_ID, RUN, 10)
    store.release(ZONE_ID, RUN, 11)
    assert _now(store) == gate(claimed=9, buckets={10: 0})


def test_exits_are_released_once_by_the_tick_that_says_so(store: Gates) -> None:
    _claim(store)
    _claim(store)
    assert store.hold(ZONE_ID, RUN, 11, while_open=10, verb="renew") is Answer.YES
    read = _now(store)
    leaving = replace(read, buckets={10: 1, 11: 0}, leaving={10: 1, 11: 1}, released_to=7)
    decided = replace(leaving, tick=read.tick + 1)
    assert store.advance(leaving, decided) is Answer.YES
    after = _now(store)
    assert (after.buckets, after.released_to, after.leaving) == ({10: 1, 11: 0}, 7, {})
    assert store.advance(leaving, decided) is Answer.NO


def test_more_than_is_counted_is_never_released(store: Gates) -> None:
    _claim(store)
    read = _now(store)
    assert store.advance(read, replace(read, leaving={10: 2}, released_to=1, tick=read.tick + 1)) is Answer.NO
    assert _now(store) == read


def test_a_bucket_that_is_closed_with_its_exits_is_gone(store: Gates) -> None:
    _claim(store)
    read = _now(store)
    decided = replace(read, leaving={10: 1}, released_to=1, closed_to=10, tick=read.tick + 1)
    assert store.advance(read, decided) is Answer.YES
    assert (_now(store).buckets, _now(store).released_to) == ({}, 1)


def _decided(read: GateItem) -> GateItem:
    state = ControllerState(
        ticked_at_ms=NOW_MS,
        claimed=8,
        rate_tokens=0.25,
        clock=ClaimClock(samples=(Sample(1000, 8, {LANE: 20}), Sample(2000, 9, {LANE: 22}))),
        shared=SharedCalls(quiet={LANE: 1.5}),
        locked=True,
        phase="open",
        entry="page",
    )
    marks = {LANE: Watermarks(30, 10, 31), "vip": Watermarks(1, 0, 2)}
    open_buckets = {bucket: n for bucket, n in read.buckets.items() if bucket > 10}
    return GateItem(
        ZONE_ID, RUN, 10, read.claimed, 15, closed_to=10, tick=5, lanes=marks, buckets=open_buckets, state=state
    )


def test_a_tick_writes_everything_it_decided_and_drops_ended_buckets(store: Gates) -> None:
    _claim(store)
    _claim(store, bucket=11)
    read = _now(store)
    assert store.advance(read, _decided(read)) is Answer.YES
    assert _now(store) == _decided(read)


def test_of_two_ticks_one_is_refused(store: Gates) -> None:
    read = _now(store)
    assert store.advance(read, _decided(read)) is Answer.YES
    assert store.advance(read, _decided(read)) is Answer.NO


def test_a_tick_keeps_the_claims_that_came_between(store: Gates) -> None:
    read = _now(store)
    _claim(store, bucket=11)
    assert store.advance(read, _decided(read)) is Answer.YES
    assert (_now(store).claimed, _now(store).buckets) == (9, {11: 1})


def test_a_fence_withdraws_grants_and_stops_a_tick_under_way(store: Gates) -> None:
    read = _now(store)
    store.fence(ZONE_ID, RUN)
    assert _claim(store) is Answer.NO
    assert store.advance(read, _decided(read)) is Answer.NO
    store.fence(ZONE_ID, RUN)
    assert _now(store) == gate(limit=8, tick=6)


def test_a_fence_makes_no_run(store: Gates) -> None:
    store.fence(ZONE_ID, RUN + 1)
    assert store.read(ZONE_ID, RUN + 1) is None


def test_what_is_fixed_for_a_run_reads_as_it_was_written(dynamo: Dynamo) -> None:
    store = gates(dynamo)
    fixed = gate(shards=7, order="lottery", lanes={"vip": Watermarks(), LANE: Watermarks(3, 1, 4)})
    assert store.create(fixed)
    assert _now(store) == fixed
    assert _claim(gates(dynamo), 2) is Answer.YES, "another process finds the lane by its number"
    assert _claim(gates(dynamo), 0, lane="vip") is Answer.NO
