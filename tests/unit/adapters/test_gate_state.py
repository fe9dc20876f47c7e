"""The controller's memory in the gate item: it comes back as it was, and the whole item costs one write unit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.memory_dynamo import MemoryDynamo
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.gate_state import pack, unpack
from waiting_room.adapters.gates import Gates, bucket_name
from waiting_room.domain.admission.claim_clock import SAMPLES, ClaimClock, Sample
from waiting_room.domain.admission.last_tickets import LastTickets
from waiting_room.domain.admission.shared_calls import SharedCalls
from waiting_room.domain.admission.show_up import ShowUp
from waiting_room.domain.admission.turnover import Turnover
from waiting_room.domain.answers import Answer
from waiting_room.domain.gate_item import ControllerState, GateItem, Watermarks
from waiting_room.domain.leases import bucket_width_sec

LANES = [f"lane{number:08d}" for number in range(6)]
NOW_MS = 1_780_315_200_000
whole = st.integers(0, 2**53)
thousandths = st.integers(-(10**9), 10**9).map(lambda value: value / 1000)
millionths = st.integers(-(10**9), 10**9).map(lambda value: value / 10**6)


def by_lane(values: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, float]]:
    return st.dictionaries(st.sampled_from(LANES), values)


samples = st.builds(Sample, whole, whole, by_lane(whole))
states = st.builds(
    ControllerState,
    clock=st.builds(ClaimClock, ms=whole, samples=st.lists(samples, max_size=4).map(tuple)),
    show_up=st.builds(
        ShowUp,
        on_the_way=st.lists(thousandths, max_size=6).map(tuple),
        resolved_called=thousandths,
        resolved_came=thousandths,
        recent_called=thousandths,
        recent_came=thousandths,
        shut_claims=whole,
        shut_ms=whole,
        noticed_front=thousandths,
    ),
    turnover=st.builds(
        Turnover,
        active=whole,
        leave_rate=thousandths,
        end_rate=thousandths,
        end_weight=thousandths,
        mean_active=thousandths,
        mean_active_at_leaving=thousandths,
        lapses_seen=st.booleans(),
        pace=thousandths,
    ),
    shared=st.builds(SharedCalls, deficits=by_lane(millionths), quiet=by_lane(millionths)),
    last_tickets=st.builds(LastTickets, whole),
    ticked_at_ms=whole,
    claimed=whole,
    rate_tokens=thousandths,
    locked=st.booleans(),
    hold_until_ms=whole,
    phase=st.sampled_from(["before", "open", "paused", "locked", "passing", "sold_out", "ended"]),
    entry=st.sampled_from(["enter", "page"]),
    resting=st.booleans(),
    epochs=by_lane(whole),
    early=by_lane(whole),
)


@settings(max_examples=300, deadline=None)
@given(states)
def test_a_state_comes_back_as_it_was(state: ControllerState) -> None:
    assert unpack(pack(state, LANES), LANES) == state


def test_a_lane_added_later_changes_nothing_for_the_others() -> None:
    shared = SharedCalls(quiet={LANES[0]: 1.5, LANES[1]: 2})
    state = ControllerState(shared=shared, clock=ClaimClock(samples=(Sample(5, 1, {LANES[1]: 7}),)))
    assert unpack(pack(state, LANES[:2]), LANES) == state


def test_what_a_later_version_adds_is_not_looked_at() -> None:
    state = ControllerState(claimed=3, epochs={LANES[0]: 4})
    assert unpack(pack(state, LANES) + b"\x01\x02", LANES) == state


def full_gate(zone_id: str) -> GateItem:
    """A gate item at its largest: six lanes with the longest names, every bucket open, hours into a great sale.

    One gate item takes about 500 claims a second; with a third of those called coming, 3,000 calls a lane and sample.
    """
    width_sec = bucket_width_sec(300)
    bucket = NOW_MS // 1000 // width_sec
    serving = {lane: 1_234_567 + index * 111_111 for index, lane in enumerate(LANES)}
    taken = tuple(
        Sample(
            7_200_000 + 12_345 * number,
            3_000_000 + 6_000 * number,
            {lane: mark - 3_000 * (SAMPLES + 1 - number) for lane, mark in serving.items()},
        )
        for number in range(SAMPLES + 1)
    )
    state = ControllerState(
        clock=ClaimClock(7_345_678, taken),
        show_up=ShowUp(
            on_the_way=(234.567, 1_234.567, 1_234.567, 1_234.567, 12_345.678, 12_345.678),
            resolved_called=6_789_012.345,
            resolved_came=3_456_789.012,
            recent_called=1_234.567,
            recent_came=987.654,
            shut_claims=3_123_456,
            shut_ms=7_200_000,
            noticed_front=3_123_456.789,
        ),
        turnover=Turnover(
            active=123_456,
            leave_rate=432.109,
            end_rate=432.109,
            end_weight=123.456,
            mean_active=123_456.789,
            mean_active_at_leaving=123_456.789,
            lapses_seen=True,
            pace=1_234.567,
        ),
        shared=SharedCalls(deficits=dict.fromkeys(LANES, -0.987654), quiet=dict.fromkeys(LANES, 123.456789)),
        last_tickets=LastTickets(20_000_000),
        ticked_at_ms=NOW_MS,
        claimed=3_123_456,
        rate_tokens=12_345.678,
        locked=True,
        hold_until_ms=NOW_MS + 60_000,
        phase="sold_out",
        entry="page",
        epochs=dict.fromkeys(LANES, 123_456),
        early=dict.fromkeys(LANES, 987_654),
    )
    return GateItem(
        zone_id,
        12,
        width_sec,
        claimed=3_123_456,
        limit=3_133_456,
        closed_to=bucket - 2,
        tick=98_765,
        lanes={lane: Watermarks(mark, mark - 54_321, mark + 1_234) for lane, mark in serving.items()},
        buckets={bucket + number: 4_700 for number in range(32)},
        state=state,
        shards=400,
        order="lottery",
    )


@pytest.mark.parametrize("zone_id", ["z", "a" * 40])
def test_the_gate_item_stays_under_one_write_unit_with_six_lanes(zone_id: str) -> None:
    store = MemoryDynamo([schemas.table("counters")])
    gates, full = Gates(Clients(store, store), "counters"), full_gate(zone_id)
    assert gates.create(replace(full, buckets={}, tick=full.tick - 1, state=ControllerState()))
    read = gates.read(zone_id, 12)
    assert read is not None
    assert gates.advance(read, full, "a" * 22) is Answer.YES
    for bucket, count in full.buckets.items():
        store.update_item(
            TableName="counters",
            Key={"counter": {"S": f"gate#{zone_id}#12"}, "slot": {"N": "0"}},
            UpdateExpression="ADD #b :n",
            ExpressionAttributeNames={"#b": bucket_name(bucket)},
            ExpressionAttributeValues={":n": {"N": str(count)}},
        )
    assert gates.read(zone_id, 12) == full
    (record,) = store.tables["counters"].records.values()
    assert record.size < 1024
