"""The controller: how many are called, when absentees lapse, what stands still when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from waiting_room.domain.admission.controller import BURST_SEC, LATE_STARTERS_MS, Tick, decide, idle
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.zone.zones import Zone

NOW = 1_780_315_200_000
QUEUEING: dict[str, Any] = {
    "zone_id": "z",
    "mode": "queueing",
    "rules": [{"paths": ["/sale"]}],
    "max_active": 5,
    "claim": {"window_sec": 20, "grace_sec": 10},
}


class Room:
    """Ticks a run by hand, a second at a time."""

    def __init__(self, **changes: Any) -> None:
        self.zone = Zone.from_document({**QUEUEING, **changes})
        self.gate = GateItem("z", 1, self.zone.bucket_width_sec, lanes={"general": Watermarks()})
        self.now_ms = NOW
        self.sold = 0
        self.tail = 0
        self.last: Tick | None = None

    def tick(self, seconds: int = 1) -> Watermarks:
        for _ in range(seconds):
            self.now_ms += 1_000
            self.last = decide(self.zone, self.gate, self.sold, {"general": self.tail}, self.now_ms)
            self.gate = self.last.gate
        return self.gate.lane("general")

    def claim(self, count: int, lease_sec: int = 300) -> None:
        bucket = (self.now_ms // 1000 + lease_sec) // self.gate.width_sec
        buckets = {**self.gate.buckets, bucket: self.gate.buckets.get(bucket, 0) + count}
        self.gate = replace(self.gate, claimed=self.gate.claimed + count, buckets=buckets)
        assert self.gate.claimed <= self.gate.limit, "the test claims more than was granted"

    def leave(self, count: int) -> None:
        bucket = max(self.gate.buckets)
        self.gate = replace(self.gate, buckets={**self.gate.buckets, bucket: self.gate.buckets[bucket] - count})


def test_a_newcomer_walks_into_an_empty_room() -> None:
    room = Room()
    marks = room.tick()
    assert (marks.serving, marks.ahead) == (0, 5)
    assert room.gate.can_claim("general", 0, 10**9)
    assert not room.gate.can_claim("general", 5, 10**9)


def test_those_who_could_walk_in_stay_called() -> None:
    room = Room()
    room.tick()
    room.tail = 8
    room.claim(5)
    marks = room.tick()
    assert marks.serving == 5
    assert marks.ahead == 5


def test_as_many_are_called_as_there_is_room() -> None:
    room = Room()
    room.tail = 60
    assert room.tick().serving == 5
    assert room.tick().serving == 5
    room.claim(5)
    assert room.tick().serving == 5
    room.leave(2)
    assert room.tick().serving == 7


def test_absentees_lapse_after_window_and_grace_and_the_line_moves() -> None:
    room = Room()
    room.tail = 60
    room.tick()
    marks = room.tick(20)
    assert marks.serving > 5, "after the window the next are called"
    assert marks.floor == 0, "within the grace nobody has lapsed"
    marks = room.tick(13)
    assert marks.floor >= 5


def test_the_show_up_share_is_learnt() -> None:
    room = Room(max_active=100)
    room.tail, coming = 100_000, 0.0
    for _ in range(300):
        before = room.gate.lane("general").serving
        coming += (room.tick().serving - before) / 2
        entering = min(int(coming), room.gate.limit - room.gate.claimed)
        coming -= entering
        if entering:
            room.claim(entering, lease_sec=10)
    assert room.last is not None
    assert room.last.share == pytest.approx(0.5, abs=0.12)


def test_nobody_is_given_up_right_after_a_start() -> None:
    room = Room(max_active=100, mode="combined", starts_at_ms=NOW + 1_000)
    room.tail = 10_000
    room.tick(LATE_STARTERS_MS // 1000)
    assert room.last is not None
    assert (room.last.share, room.gate.lane("general").serving) == (1.0, 100), "pages have not heard of it"
    room.tick(30)
    assert room.last.share < 0.5


@pytest.mark.parametrize("control", ["pause", "lock", "end", "pass"])
def test_nobody_is_let_in_and_nobody_lapses_while_stopped(control: str) -> None:
    room = Room()
    room.tail = 60
    room.tick(2)
    room.zone = room.zone.with_changes(control=control)
    marks = room.tick(120)
    assert room.gate.limit == room.gate.claimed
    assert marks.serving == 5
    assert marks.floor == 0


def test_a_full_room_costs_nobody_the_turn() -> None:
    room = Room()
    room.tail = 60
    room.tick()
    room.claim(5)
    assert room.tick(200).floor == 0


def test_buckets_close_one_tick_before_their_room_is_given_away() -> None:
    room = Room(max_active=1)
    room.tail = 5
    room.tick()
    room.claim(1, lease_sec=30)
    closed = None
    for _ in range(80):
        before = room.gate
        room.tick()
        if room.gate.closed_to > 0 and before.buckets and not room.gate.buckets:
            closed = room.gate
            break
    assert closed is not None
    assert closed.limit == closed.claimed
    room.tick()
    assert room.gate.limit == room.gate.claimed + 1


def test_a_lock_keeps_leases_counted_and_gives_time_to_renew() -> None:
    room = Room()
    room.tick()
    room.claim(3, lease_sec=30)
    room.zone = room.zone.with_changes(control="lock")
    room.tick(300)
    assert room.gate.active == 3
    room.zone = room.zone.with_changes(control="auto")
    room.tick(30)
    assert room.gate.active == 3
    room.tick(60)
    assert room.gate.active == 0


def test_a_rate_is_dripped() -> None:
    room = Room(mode="combined", starts_at_ms=NOW, rate_per_min=60, max_active=1000)
    room.tail = 10_000
    admitted = []
    for _ in range(120):
        room.tick()
        free = room.gate.limit - room.gate.claimed
        admitted.append(free)
        room.claim(free)
    assert max(admitted) <= BURST_SEC
    assert sum(admitted) == pytest.approx(120, abs=BURST_SEC + 1)


def test_nothing_before_the_start() -> None:
    room = Room(mode="combined", starts_at_ms=NOW + 60_000, max_active=10)
    room.tail = 50
    marks = room.tick(59)
    assert (marks.serving, marks.ahead, room.gate.limit) == (0, 0, 0)
    assert room.tick(2).serving == 10


def test_stock_limits_sessions_and_sold_out_is_said() -> None:
    room = Room(inventory=7)
    room.sold, room.tail = 5, 20
    assert room.tick().serving == 2
    assert room.gate.limit == 2
    room.sold = 7
    room.tick()
    assert room.last is not None
    assert room.last.phase == "sold_out"
    assert room.gate.limit == room.gate.claimed


def test_a_lowered_cap_admits_nobody_until_there_is_room() -> None:
    room = Room()
    room.tail = 60
    room.tick()
    room.claim(5)
    room.zone = room.zone.with_changes(max_active=2)
    room.tick()
    assert room.gate.limit == room.gate.claimed
    room.leave(3)
    room.tick()
    assert room.gate.limit == room.gate.claimed
    room.leave(1)
    room.tick()
    assert room.gate.limit == room.gate.claimed + 1


def test_watermarks_never_fall_even_when_the_clock_does() -> None:
    room = Room()
    room.tail = 30
    before = room.tick(40)
    room.now_ms -= 600_000
    after = room.tick()
    assert after.serving >= before.serving
    assert after.floor >= before.floor
    assert room.gate.state.clock.ms >= 0


def test_a_new_run_grants_nothing_at_first() -> None:
    room = Room(granted_from_ms=NOW + 15_000)
    room.tail = 10
    room.tick(14)
    assert room.gate.limit == 0
    room.tick(2)
    assert room.gate.limit == 5


def test_newcomers_go_to_the_static_page_while_there_is_a_line() -> None:
    room = Room()
    room.tail = 20
    room.tick()
    assert room.gate.state.entry == "enter"
    room.tail = 40
    room.tick()
    assert room.gate.state.entry == "page"
    room.tail = room.gate.lane("general").serving + 1
    room.claim(5)
    room.tick()
    assert room.gate.state.entry == "page"
    room.leave(5)
    room.tick()
    assert room.gate.state.entry == "enter"


@pytest.mark.parametrize("opens", [False, True], ids=["start", "opening of the line"])
def test_newcomers_go_to_the_static_page_around_a_start_though_nobody_waits(opens: bool) -> None:
    """The crowd's first request must not be one of a function that may refuse it."""
    moment = NOW + 150_000
    moments = {"opens_at_ms": moment, "starts_at_ms": moment + 7_200_000} if opens else {"starts_at_ms": moment}
    room = Room(mode="combined", **moments, max_active=10)
    for at_ms, entry in ((-1, "enter"), (0, "page"), (150_000, "page"), (209_999, "page"), (210_000, "enter")):
        room.now_ms = NOW + at_ms - 1_000
        room.tick()
        assert room.gate.state.entry == entry, at_ms
        assert idle(room.zone, room.gate, {"general": 0}, 0, room.now_ms) is (entry == "enter"), at_ms


def test_newcomers_always_go_to_the_static_page_of_a_zone_sized_for_a_crowd() -> None:
    room = Room(expected_joins_per_sec=501)
    room.tick(2)
    assert room.gate.state.entry == "page"
    assert room.last is not None
    assert room.last.idle


def test_an_empty_zone_is_idle_and_a_line_is_not() -> None:
    room = Room()
    room.tick(2)
    assert room.last is not None
    assert room.last.idle
    assert idle(room.zone, room.gate, {"general": 0}, 0, room.now_ms + 3_600_000)
    assert not idle(room.zone, room.gate, {"general": 6}, 0, room.now_ms)
    room.tail = 1
    room.claim(1)
    room.tick()
    assert not room.last.idle


def test_a_zone_wakes_before_its_start() -> None:
    room = Room(mode="combined", starts_at_ms=NOW + 3_600_000, max_active=10)
    room.tick()
    assert idle(room.zone, room.gate, {}, 0, NOW + 10_000)
    assert not idle(room.zone, room.gate, {}, 0, NOW + 3_600_000 - 149_000)
