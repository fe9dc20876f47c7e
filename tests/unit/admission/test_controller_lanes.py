"""The controller with several lanes: shares of the calls, borrowed ones, and what each lane's marks do alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from waiting_room.domain.admission.controller import decide
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.zone.zones import Zone

NOW = 1_780_315_200_000
LANES = {"general": {"weight": 3}, "vip": {"weight": 1}}


class Room:
    """Ticks a run by hand; of those called, the part `coming` says comes at once."""

    def __init__(self, **changes: Any) -> None:
        document = {"zone_id": "z", "mode": "queueing", "rules": [{"paths": ["/sale"]}], "max_active": 100_000}
        claim = {"window_sec": 20, "grace_sec": 10}
        self.zone = Zone.from_document({**document, "claim": claim, "lanes": LANES, "rate_per_min": 240, **changes})
        lanes = {name: Watermarks() for name in self.zone.lanes}
        self.gate = GateItem("z", 1, self.zone.bucket_width_sec, lanes=lanes)
        self.now_ms = NOW
        self.tails = dict.fromkeys(self.zone.lanes, 0)
        self.coming: dict[str, float] = {}

    def tick(self, seconds: int = 1) -> dict[str, int]:
        for _ in range(seconds):
            before = self.serving()
            self.now_ms += 1_000
            self.gate = decide(self.zone, self.gate, 0, self.tails, self.now_ms).gate
            called = {lane: serving - before[lane] for lane, serving in self.serving().items()}
            came = round(sum(count * self.coming.get(lane, 1) for lane, count in called.items()))
            came = min(came, self.gate.limit - self.gate.claimed)
            self.gate = replace(self.gate, claimed=self.gate.claimed + came)
        return self.serving()

    def told(self, lane: str) -> float:
        return self.gate.state.speed_per_sec(self.zone.lanes, lane)

    @property
    def pace(self) -> float:
        return self.gate.state.turnover.pace

    def serving(self) -> dict[str, int]:
        return {lane: self.gate.lane(lane).serving for lane in self.zone.lanes}


def test_busy_lanes_share_the_rate_by_weight() -> None:
    room = Room()
    room.tails = {"general": 10_000, "vip": 10_000}
    first = room.tick(60)
    after = room.tick(600)
    # Some are called a few seconds before there is room for them.
    assert after["general"] - first["general"] == pytest.approx(1_800, abs=10)
    assert after["vip"] - first["vip"] == pytest.approx(600, abs=5)
    speeds = {lane: room.told(lane) for lane in after}
    assert speeds == pytest.approx({"general": 3, "vip": 1}, rel=0.1)


def test_what_a_lane_does_not_use_goes_to_the_others() -> None:
    room = Room()
    room.tails = {"general": 10_000, "vip": 30}
    first = room.tick(60)
    assert first["vip"] == 30
    assert room.tick(100)["general"] - first["general"] == pytest.approx(400, abs=5)
    assert room.told("general") == pytest.approx(room.pace, rel=0.01), "a lane that went quiet takes no part"
    assert room.told("vip") == pytest.approx(room.pace / 4), "whoever joins it now gets its share"


def test_a_lane_that_was_quiet_is_told_its_share_at_once() -> None:
    room = Room()
    room.tails = {"general": 10_000, "vip": 20}
    room.tick(900)
    room.tails["vip"] = 5_000
    room.tick()
    assert room.told("vip") == pytest.approx(room.pace / 4)
    assert room.told("general") == pytest.approx(room.pace * 3 / 4)


def test_what_trickles_through_a_lane_without_a_line_slows_the_others() -> None:
    room = Room()
    room.tails = {"general": 10_000, "vip": 0}
    for _ in range(600):
        room.tails["vip"] += room.now_ms % 2_000 == 0
        room.tick()
    assert room.told("general") == pytest.approx(room.pace - 0.5, rel=0.03)


def test_a_lane_without_a_line_takes_no_part_of_the_told_pace() -> None:
    room = Room()
    room.tails = {"general": 10_000, "vip": 120}
    room.tick(60)
    room.tick(300)
    assert room.told("general") == pytest.approx(4, rel=0.02)
    # Whoever comes into the other one is called by its share, as every fourth.
    assert room.told("vip") == pytest.approx(1, rel=0.02)


def test_after_a_pause_without_any_line_nothing_is_left_of_the_old_parts() -> None:
    room = Room()
    room.tails = {"general": 0, "vip": 400}
    room.tick(200)
    room.tails = {"general": 10_000, "vip": 400}
    room.tick(2)
    assert room.told("general") == pytest.approx(4, rel=0.1)


def test_a_lane_of_the_smallest_weight_moves_too() -> None:
    room = Room(lanes={"general": {"weight": 100}, "last": {"weight": 1}}, rate_per_min=60)
    room.tails = {"general": 10_000, "last": 10}
    assert room.tick(320)["last"] >= 3


def test_weights_change_live() -> None:
    room = Room()
    room.tails = {"general": 10_000, "vip": 10_000}
    first = room.tick(100)
    room.zone = room.zone.with_changes(lanes={"general": {"weight": 1}, "vip": {"weight": 3}})
    after = room.tick(100)
    assert after["vip"] - first["vip"] == pytest.approx(300, abs=5)


def admitted(room: Room) -> int:
    room.tails = dict.fromkeys(room.tails, 10_000)
    room.tick(60)
    before = room.gate.claimed
    room.tick(200)
    return room.gate.claimed - before


def test_a_lane_of_absentees_costs_no_more_than_as_many_absentees_in_one_lane() -> None:
    mixed = Room(lanes={"general": {"weight": 1}})
    mixed.coming = {"general": 0.5}
    apart = Room(lanes={"general": {"weight": 1}, "vip": {"weight": 1}})
    apart.coming = {"vip": 0}
    assert admitted(apart) >= 0.9 * admitted(mixed) > 0


def test_newcomers_walk_into_what_nobody_waits_for_by_share() -> None:
    room = Room(rate_per_min=None, max_active=8)
    room.tick()
    ahead = {lane: room.gate.lane(lane).ahead for lane in room.zone.lanes}
    assert ahead == {"general": 6, "vip": 2}
    room.tails = {"general": 50, "vip": 0}
    room.tick()
    assert room.gate.lane("vip").ahead == room.gate.lane("vip").serving, "not while somebody waits elsewhere"


def test_each_lane_lapses_by_itself() -> None:
    room = Room(rate_per_min=None, max_active=10)
    room.tails = {"general": 6, "vip": 0}
    room.coming = {"general": 0, "vip": 0}
    room.tick(20)
    room.tails = {"general": 6, "vip": 2}
    room.tick(20)
    assert room.gate.lane("general").floor == 6
    assert room.gate.lane("vip").floor == 0
    room.tick(20)
    assert room.gate.lane("vip").floor == 2


def test_a_lane_that_was_added_joins_in() -> None:
    room = Room()
    room.tails = {"general": 10_000, "vip": 10_000}
    room.tick(10)
    room.zone = room.zone.with_changes(lanes={**LANES, "gold": {"weight": 4}})
    room.tails["gold"] = 10_000
    assert room.tick(100)["gold"] == pytest.approx(200, abs=5)


def test_a_counter_read_too_low_takes_no_call_back() -> None:
    room = Room()
    room.tails = {"general": 100, "vip": 50}
    before = room.tick(5)
    room.tails = {"general": 0, "vip": 50}
    after = room.tick(2)
    assert after["general"] == before["general"]
