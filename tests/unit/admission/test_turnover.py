"""The pace of a line: how fast the room empties, whatever fills it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.admission.turnover import Turnover
from waiting_room.domain.leases import MARGIN_SEC, bucket_end_ms
from waiting_room.domain.zone.zones import Zone

ZONE: dict[str, Any] = {"zone_id": "z", "mode": "queueing", "rules": [{"paths": ["/sale"]}], "max_active": 100}
LEASE_SEC = 60


def zone(**changes: Any) -> Zone:
    return Zone.from_document({**ZONE, **changes})


def steady(ended_a_sec: int, active: int, seconds: int = 600) -> Turnover:
    """What is known after some time at one pace."""
    turnover = Turnover(active=active, lapses_seen=True)
    for _ in range(seconds):
        turnover = measured(turnover, left=ended_a_sec)
    return turnover


def measured(turnover: Turnover, left: int, lapsed: int = 0) -> Turnover:
    """What is known a second later."""
    return turnover.measure(left, lapsed, 1.0, LEASE_SEC)


def pace(turnover: Turnover, room: float = 0, share: float = 1.0, **changes: Any) -> float:
    """The pace foreseen in a zone."""
    return turnover.foresee(zone(**changes), turnover.active, room, share).pace


def test_what_left_is_told_from_what_came_and_what_is_there() -> None:
    gate = GateItem("z", 1, 10, claimed=60, buckets={7: 12, 8: 30}, closed_to=6)
    assert Turnover(active=40).left(claims=10, active=gate.active) == 8
    assert gate.lapsing(closed_to=7) == 12
    assert gate.lapsing(closed_to=6) == 0


def test_phantom_leases_end_nobody() -> None:
    assert Turnover(active=3).left(claims=0, active=5) == 0


def test_the_pace_is_what_ends_by_the_share_that_comes() -> None:
    assert pace(steady(2, 100)) == pytest.approx(2, rel=0.02)
    assert pace(steady(2, 100), share=0.5) == pytest.approx(4, rel=0.02)


def test_a_room_that_fills_up_is_foreseen_full() -> None:
    half_full = steady(1, 50)
    assert pace(half_full, room=50) == pytest.approx(2, rel=0.02)


def test_more_room_is_a_faster_line_at_once() -> None:
    turnover = steady(2, 100)
    assert pace(turnover, room=100, max_active=200) == pytest.approx(4, rel=0.02)


def test_a_rate_is_known_without_measuring() -> None:
    rated: dict[str, Any] = {"mode": "waiting_room", "starts_at_ms": 1, "rate_per_min": 120, "max_active": None}
    assert pace(Turnover(), room=float("inf"), share=0.8, **rated) == pytest.approx(2.5)


def test_of_rate_and_room_the_slower_counts() -> None:
    turnover = steady(2, 100)
    assert pace(turnover, rate_per_min=60) == pytest.approx(1)
    assert pace(turnover, rate_per_min=600) == pytest.approx(2, rel=0.02)


def test_no_pace_is_told_before_silent_leavers_could_be_seen() -> None:
    """Until the first bucket closes only those are seen who say that they leave: the line would look too slow."""
    turnover = Turnover(active=100)
    for _ in range(60):
        turnover = measured(turnover, left=1)
    assert pace(turnover) == 0
    turnover = measured(turnover, left=1, lapsed=40)
    for _ in range(60):
        turnover = measured(turnover, left=1, lapsed=1)
    # Lapses are taken for those of a room that was filling up a while ago, as it most often was.
    assert pace(turnover) == pytest.approx(2, rel=0.11)


@pytest.mark.parametrize("before", [0, 3])
def test_a_crowd_into_an_idle_room_is_measured_from_its_own_beginning(before: int) -> None:
    """Idle minutes are no minutes of measurement, and whoever was there alone says nothing of a crowd's stay."""
    turnover = Turnover(active=before, lapses_seen=before > 0)
    for _ in range(900):
        turnover = measured(turnover, left=0)
    for second in range(59):
        # One of the few who were there lapses meanwhile: that shows nothing of the crowd.
        turnover = replace(turnover, active=100)
        turnover = measured(turnover, left=1, lapsed=int(second == 20 and before > 0))
        assert pace(turnover) == 0
    turnover = measured(turnover, left=0, lapsed=30)
    turnover = measured(turnover, left=0, lapsed=30)
    for _ in range(60):
        turnover = measured(turnover, left=1, lapsed=1)
    # Lapses are taken for those of a room that was filling up a while ago, as it most often was.
    assert pace(turnover) == pytest.approx(2, rel=0.11)


@pytest.mark.parametrize("fills_in_sec", [10, 60, 100])
def test_a_room_that_fills_up_is_told_the_pace_it_will_have(fills_in_sec: int) -> None:
    """Who lapses now left a while ago, when fewer were in: one in fifty leaves a second, half of them silently."""
    turnover, present = Turnover(), [0.0] * 50
    owed = {"left": 0.0, "lapsed": 0.0}
    for second in range(LEASE_SEC + 90):
        present.append(min(100.0, 100 * second / fills_in_sec))
        owed["left"] += present[-1] / 100
        owed["lapsed"] += present[-45] / 100 if second > LEASE_SEC else 0.0
        ended = {name: int(count) for name, count in owed.items()}
        owed = {name: count % 1 for name, count in owed.items()}
        turnover = measured(replace(turnover, active=round(present[-1])), **ended)
        told = pace(turnover)
        assert told == 0 or told == pytest.approx(2, rel=0.2), second
    assert told > 0


def test_where_nobody_leaves_silently_a_pace_is_told_after_all() -> None:
    turnover = replace(steady(2, 100, seconds=200), lapses_seen=False)
    assert pace(turnover) > 0


def test_buckets_that_close_within_the_time_to_come_are_room_soon() -> None:
    closes_at_ms = bucket_end_ms(100, 10) + MARGIN_SEC * 1000
    soon = Turnover().ending_soon({100: 7, 101: 5}, 10, closes_at_ms - 2_000)
    assert soon == 7
    assert Turnover().ending_soon({100: 7, 101: 5}, 10, closes_at_ms - 5_000) == 0
