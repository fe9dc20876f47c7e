"""The controller's memory in the gate item: it comes back as it was, or begins anew."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.memory_dynamo import MemoryDynamo
from tests.support.fakes import FakeClock
from tests.support.largest_gate import LANES, largest_state
from tests.support.sale import Sale
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.gate_state import VERSION, UnreadableState, pack, unpack
from waiting_room.adapters.gates import Gates
from waiting_room.domain.admission.claim_clock import ClaimClock, Sample
from waiting_room.domain.admission.door import Door
from waiting_room.domain.admission.gate_item import ControllerState, GateItem, Watermarks
from waiting_room.domain.admission.last_tickets import LastTickets
from waiting_room.domain.admission.shared_calls import SharedCalls
from waiting_room.domain.admission.show_up import ShowUp
from waiting_room.domain.admission.turnover import Turnover
from waiting_room.domain.line.places import Session

whole = st.integers(0, 2**53)
thousandths = st.integers(-(10**9), 10**9).map(lambda value: value / 1000)
halves = st.integers(0, 10**9).map(lambda value: value / 2)
tenths = st.integers(0, 10**9).map(lambda value: value / 10)
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
        silent=halves,
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
    door=st.builds(
        Door,
        shut=st.booleans(),
        proven=st.booleans(),
        passes=st.integers(0, 1),
        misses=whole,
        came=whole,
        asked=whole,
        belied=st.integers(0, 3),
        doubted_in=whole,
        unproven=st.integers(0, 10**9).map(lambda value: value / 10),
    ),
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


@given(st.binary(max_size=200))
def test_any_bytes_are_a_state_or_unreadable(packed: bytes) -> None:
    with contextlib.suppress(UnreadableState):
        assert isinstance(unpack(packed, LANES), ControllerState)


@pytest.mark.parametrize("known", range(0, 60, 7))
def test_half_a_state_is_none(known: int) -> None:
    packed = pack(largest_state(), LANES)
    with pytest.raises(UnreadableState, match="no sense"):
        unpack(packed[:known], LANES)


def forget(sale: Sale) -> None:
    """Leave the memory of another version in the gate item, as a release that is rolled back would."""
    packed = bytes([(VERSION + 1) * 2]) + pack(sale.gate().state, list(sale.zone.lanes))[1:]
    sale.store.update_item(
        TableName="counters",
        Key={"counter": {"S": "gate#z#1"}, "slot": {"N": "0"}},
        UpdateExpression="SET #state = :state",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":state": {"B": packed}},
    )


def test_the_memory_of_another_version_is_said_and_begins_anew_with_what_the_item_knows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sale = Sale(max_active=3)
    for number in range(3):
        sale.tick()
        sale.enter(f"v{number}")
    before = sale.gate()
    forget(sale)

    after = sale.gate()

    assert replace(after, state=before.state) == before
    assert after.state == ControllerState(
        claimed=3, turnover=Turnover(active=3), show_up=ShowUp(noticed_front=before.lanes["general"].serving)
    )
    (record,) = caplog.records
    assert (vars(record)["zone_id"], vars(record)["run"]) == ("z", 1)
    assert "version 2" in vars(record)["why"]


def test_a_controller_that_forgets_lets_in_no_more_than_there_is_room_for() -> None:
    """Every few ticks everything is forgotten; twice as many want to get in as there is room for."""
    sale = Sale(max_active=5, claim={"window_sec": 20, "grace_sec": 30})
    inside = []
    for number in range(40):
        sale.join(f"v{number}")
    for second in range(40):
        if second % 5 == 2:
            forget(sale)
        gate = sale.tick()
        assert gate.limit - gate.claimed + gate.active <= 5
        inside += [f"v{number}" for number in range(40) if isinstance(sale.claim(f"v{number}"), Session)]
    assert len(set(inside)) == 5


def test_a_rate_goes_on_after_everything_was_forgotten() -> None:
    """What was claimed before is not taken for spent at once, or nobody would be let in for an hour."""
    sale = Sale(mode="waiting_room", max_active=None, rate_per_min=60, starts_at_ms=1)
    for number in range(90):
        sale.join(f"v{number}")
    came = [
        sum(isinstance(sale.claim(f"v{number}"), Session) for number in range(90)) for _ in range(60) if sale.tick()
    ]
    forget(sale)
    gate = sale.tick(2)
    assert 0 <= gate.limit - gate.claimed <= 2
    assert sum(came) >= 50
    assert sale.tick(20).limit > gate.limit
    assert sale.gate().state.show_up.recent_came < 90, "nobody is taken for having come in one tick"


def test_what_was_drawn_stays_drawn_after_everything_was_forgotten() -> None:
    sale = Sale(order="lottery", mode="combined", max_active=3, starts_at_ms=FakeClock().ms + 30_000)
    names = [f"v{number}" for number in range(20)]
    for name in names:
        sale.join(name)
    sale.tick(32)
    drawn = {name: sale.locate(name).position for name in names}
    assert sorted(drawn.values()) == list(range(20))
    forget(sale)
    sale.clock.advance(1)
    sale.join("late")
    assert sale.locate("late").position is None, "no place is told that the draw might have given to somebody"
    sale.tick(2)
    assert {name: sale.locate(name).position for name in names} == drawn
    assert sale.locate("late").position == 20


def test_a_run_whose_counters_lie_elsewhere_is_not_read(caplog: pytest.LogCaptureFixture) -> None:
    """An earlier release counted its joins in another table: here its numbers would begin again at 1."""
    store = MemoryDynamo([schemas.table("counters")])
    gates = Gates(Clients(store, store), "counters")
    assert gates.create(GateItem("z", 1, 10, lanes={"general": Watermarks()}))
    store.update_item(
        TableName="counters",
        Key={"counter": {"S": "gate#z#1"}, "slot": {"N": "0"}},
        UpdateExpression="REMOVE #joins",
        ExpressionAttributeNames={"#joins": "joins"},
    )
    assert gates.read("z", 1) is None
    assert "reset the zone" in caplog.text
