"""The pace of a line: how fast the room empties, whatever fills it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from waiting_room.domain.admission import turnover
from waiting_room.domain.admission.turnover import Ends
from waiting_room.domain.gate_item import ControllerState, GateItem
from waiting_room.domain.leases import MARGIN_SEC, bucket_end_ms
from waiting_room.domain.zone.zones import Zone

ZONE: dict[str, Any] = {"zone_id": "z", "mode": "queueing", "rules": [{"paths": ["/sale"]}], "max_active": 100}
LEASE_SEC = 60


def zone(**changes: Any) -> Zone:
    return Zone.from_document({**ZONE, **changes})


def steady(ended_a_sec: int, active: int, seconds: int = 600) -> ControllerState:
    """What is known after some time at one pace."""
    state = ControllerState(active=active, lapses_seen=True)
    for _ in range(seconds):
        state = turnover.measure(state, Ends(left=ended_a_sec, lapsed=0), 1.0, LEASE_SEC)
    return state


def test_what_left_is_told_from_what_came_and_what_is_there() -> None:
    state = ControllerState(claimed=50, active=40)
    gate = GateItem("z", 1, 10, claimed=60, buckets={7: 12, 8: 30}, closed_to=6, state=state)
    assert turnover.ends(gate, closed_to=7) == Ends(left=8, lapsed=12)


def test_phantom_leases_end_nobody() -> None:
    gate = GateItem("z", 1, 10, claimed=1, buckets={8: 5}, state=ControllerState(claimed=1, active=3))
    assert turnover.ends(gate, closed_to=0) == Ends(left=0, lapsed=0)


def test_the_pace_is_what_ends_by_the_share_that_comes() -> None:
    assert turnover.pace(zone(), steady(2, 100), room=0, share=1.0) == pytest.approx(2, rel=0.02)
    assert turnover.pace(zone(), steady(2, 100), room=0, share=0.5) == pytest.approx(4, rel=0.02)


def test_a_room_that_fills_up_is_foreseen_full() -> None:
    half_full = steady(1, 50)
    assert turnover.pace(zone(), half_full, room=50, share=1.0) == pytest.approx(2, rel=0.02)


def test_more_room_is_a_faster_line_at_once() -> None:
    state = steady(2, 100)
    assert turnover.pace(zone(max_active=200), state, room=100, share=1.0) == pytest.approx(4, rel=0.02)


def test_a_rate_is_known_without_measuring() -> None:
    rated = zone(mode="waiting_room", starts_at_ms=1, rate_per_min=120, max_active=None)
    assert turnover.pace(rated, ControllerState(), room=float("inf"), share=0.8) == pytest.approx(2.5)


def test_of_rate_and_room_the_slower_counts() -> None:
    state = steady(2, 100)
    assert turnover.pace(zone(rate_per_min=60), state, room=0, share=1.0) == pytest.approx(1)
    assert turnover.pace(zone(rate_per_min=600), state, room=0, share=1.0) == pytest.approx(2, rel=0.02)


def test_no_pace_is_told_before_silent_leavers_could_be_seen() -> None:
    """Until the first bucket closes only those are seen who say that they leave: the line would look too slow."""
    state = ControllerState(active=100)
    for _ in range(60):
        state = turnover.measure(state, Ends(left=1, lapsed=0), 1.0, LEASE_SEC)
    assert turnover.pace(zone(), state, room=0, share=1.0) == 0
    state = turnover.measure(state, Ends(left=1, lapsed=40), 1.0, LEASE_SEC)
    for _ in range(60):
        state = turnover.measure(state, Ends(left=1, lapsed=1), 1.0, LEASE_SEC)
    # Lapses are taken for those of a room that was filling up a while ago, as it most often was.
    assert turnover.pace(zone(), state, room=0, share=1.0) == pytest.approx(2, rel=0.11)


@pytest.mark.parametrize("before", [0, 3])
def test_a_crowd_into_an_idle_room_is_measured_from_its_own_beginning(before: int) -> None:
    """Idle minutes are no minutes of measurement, and whoever was there alone says nothing of a crowd's stay."""
    state = ControllerState(active=before, lapses_seen=before > 0)
    for _ in range(900):
        state = turnover.measure(state, Ends(left=0, lapsed=0), 1.0, LEASE_SEC)
    for second in range(59):
        # One of the few who were there lapses meanwhile: that shows nothing of the crowd.
        state = replace(state, active=100)
        state = turnover.measure(state, Ends(left=1, lapsed=int(second == 20 and before > 0)), 1.0, LEASE_SEC)
        assert turnover.pace(zone(), state, room=0, share=1.0) == 0
    state = turnover.measure(state, Ends(left=0, lapsed=30), 1.0, LEASE_SEC)
    state = turnover.measure(state, Ends(left=0, lapsed=30), 1.0, LEASE_SEC)
    for _ in range(60):
        state = turnover.measure(state, Ends(left=1, lapsed=1), 1.0, LEASE_SEC)
    # Lapses are taken for those of a room that was filling up a while ago, as it most often was.
    assert turnover.pace(zone(), state, room=0, share=1.0) == pytest.approx(2, rel=0.11)


@pytest.mark.parametrize("fills_in_sec", [10, 60, 100])
def test_a_room_that_fills_up_is_told_the_pace_it_will_have(fills_in_sec: int) -> None:
    """Who lapses now left a while ago, when fewer were in: one in fifty leaves a second, half of them silently."""
    state, present = ControllerState(), [0.0] * 50
    owed = {"left": 0.0, "lapsed": 0.0}
    for second in range(LEASE_SEC + 90):
        present.append(min(100.0, 100 * second / fills_in_sec))
        owed["left"] += present[-1] / 100
        owed["lapsed"] += present[-45] / 100 if second > LEASE_SEC else 0.0
        ended = Ends(left=int(owed["left"]), lapsed=int(owed["lapsed"]))
        owed = {"left": owed["left"] % 1, "lapsed": owed["lapsed"] % 1}
        state = turnover.measure(replace(state, active=round(present[-1])), ended, 1.0, LEASE_SEC)
        told = turnover.pace(zone(), state, room=0, share=1.0)
        assert told == 0 or told == pytest.approx(2, rel=0.2), second
    assert told > 0


def test_where_nobody_leaves_silently_a_pace_is_told_after_all() -> None:
    state = replace(steady(2, 100, seconds=200), lapses_seen=False)
    assert turnover.pace(zone(), state, room=0, share=1.0) > 0


def test_buckets_that_close_within_the_time_to_come_are_room_soon() -> None:
    closes_at_ms = bucket_end_ms(100, 10) + MARGIN_SEC * 1000
    soon = turnover.ending_soon(ControllerState(), {100: 7, 101: 5}, 10, closes_at_ms - 2_000)
    assert soon == 7
    assert turnover.ending_soon(ControllerState(), {100: 7, 101: 5}, 10, closes_at_ms - 5_000) == 0
