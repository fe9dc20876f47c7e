"""What is known of the door after looks and claims, and what a tick makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waiting_room.domain.admission.controller import Tick, decide
from waiting_room.domain.admission.door import BELIED, CHANCE, ENOUGH_CLAIMS, MANY_MISSES, Door
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.admission.show_up import ShowUp
from waiting_room.domain.zone.zones import Zone

NOW_MS = 1_780_315_200_000
PROVEN = Door(proven=True)
SHUT = Door(shut=True, proven=True, misses=2, doubted_in=ENOUGH_CLAIMS)


def on_the_way(count: int) -> ShowUp:
    """So many called who all come."""
    return ShowUp(on_the_way=(float(count), 0, 0, 0, 0, 0))


def looked(door: Door, *seen: bool | None, claims: int = 0, expected: int = 0) -> Door:
    for each in seen:
        door = door.look(each, claims, on_the_way(expected))
    return door


def test_it_is_shut_after_two_looks_in_a_row_that_fail_and_time_stands_from_the_first() -> None:
    once = looked(PROVEN, False)
    assert (once.shut, once.stands) == (False, True)
    assert looked(once, None, None).stands
    assert looked(once, False).shut
    assert looked(once, True) == PROVEN
    assert not looked(PROVEN, False, True, False).shut


def test_it_is_open_after_two_looks_in_a_row_that_get_through() -> None:
    assert looked(SHUT, True).shut
    assert looked(SHUT, True, False, True).shut
    assert looked(SHUT, True, None, True) == PROVEN


def test_a_look_that_never_got_through_tells_nothing_when_it_fails() -> None:
    assert looked(Door(), False, False, False) == Door()
    assert looked(Door(), True, False, False).shut


def test_looks_are_not_believed_while_those_who_were_called_come_in() -> None:
    once = looked(PROVEN, False, expected=40)
    assert once.look(None, 19, on_the_way(40)).stands
    belied = once.look(None, 20, on_the_way(40))
    assert belied == once.look(None, 12, on_the_way(40)).look(None, 8, on_the_way(28)) == Door(proven=True, belied=1)
    assert looked(belied, False, False).shut, "one look that failed by chance does not blind"
    for _ in range(BELIED - 1):
        belied = looked(belied, False, expected=40).look(None, 20, on_the_way(40))
    assert belied == Door()
    assert looked(belied, False, False) == Door()
    # A door that lets one in ten pass: a few between two looks.
    assert looked(once, False, False, False, claims=9, expected=40).shut


def test_nor_are_they_where_they_all_fail_for_minutes_and_people_come_in_one_by_one() -> None:
    door = looked(PROVEN, *[False] * MANY_MISSES, claims=1, expected=20)
    assert door.shut
    assert looked(door, None, claims=1, expected=20) == Door()
    assert looked(PROVEN, *[False] * (2 * MANY_MISSES), expected=20).shut, "nobody came at all"


def test_a_few_who_come_in_say_nothing() -> None:
    assert looked(PROVEN, False, False, claims=ENOUGH_CLAIMS - 1, expected=1).shut


@pytest.mark.parametrize(("share", "called"), [(0.8, 9), (0.5, 20), (0.2, 62), (1.0, 1)])
def test_as_many_are_called_as_tell_that_the_door_is_shut(share: float, called: int) -> None:
    assert SHUT.may_ask(share) == called
    assert share == 1 or (1 - share) ** called <= CHANCE < (1 - share) ** (called - 1)
    assert SHUT.ask(called).may_ask(share) == 0
    assert SHUT.ask(called).look(None, 4, on_the_way(0)).may_ask(share) == min(called, 4)
    assert PROVEN.ask(called) == PROVEN


ZONE = Zone.from_document(
    {
        "zone_id": "z",
        "mode": "waiting_room",
        "rate_per_min": 600,
        "rules": [{"paths": ["/"]}],
        "claim": {"window_sec": 60, "grace_sec": 30},
    }
)


class Sale:
    """Ticks of one zone in which a crowd waits; `comes` of those called claim within two seconds."""

    def __init__(self, zone: Zone = ZONE) -> None:
        self.zone, self.now_ms, self.tail = zone, NOW_MS, 5_000
        self.gate = GateItem("z", 1, zone.bucket_width_sec, lanes={"general": Watermarks()})
        self.tick: Tick | None = None
        self.called_at: list[int] = []

    def run(self, seconds: int, *, seen: bool | None, comes: float) -> None:
        for _ in range(seconds):
            self.now_ms += 1_000
            before, second = self.gate.lane("general").serving, self.now_ms // 1_000
            due = self.called_at.count(second - 2)
            claims = min(round(due * comes), self.gate.limit - self.gate.claimed)
            bucket = self.now_ms // 1000 // self.gate.width_sec + 30
            buckets = {**self.gate.buckets, bucket: self.gate.buckets.get(bucket, 0) + claims}
            gate = replace(self.gate, claimed=self.gate.claimed + claims, buckets=buckets)
            look = seen if second % 2 else None
            self.tick = decide(self.zone, gate, 0, {"general": self.tail}, self.now_ms, look)
            self.gate = self.tick.gate
            self.called_at += [second] * (self.gate.lane("general").serving - before)

    @property
    def called(self) -> int:
        return self.gate.lane("general").serving

    @property
    def floor(self) -> int:
        return self.gate.lane("general").floor


def test_while_it_is_shut_nobody_more_is_called_and_nobody_lapses() -> None:
    sale = Sale()
    sale.run(60, seen=True, comes=0.8)
    share, called = sale.gate.state.show_up.share, sale.called
    sale.run(600, seen=False, comes=0.0)
    assert sale.gate.state.door.shut
    assert sale.called - called < 60, "four seconds of calls until it was known"
    assert sale.floor == 0
    assert sale.gate.state.show_up.share == pytest.approx(share, abs=0.05)
    assert sale.gate.state.clock.ms < 70_000


def test_once_it_is_open_everybody_called_has_a_whole_window() -> None:
    sale = Sale()
    sale.run(80, seen=True, comes=0.8)
    sale.run(100, seen=False, comes=0.0)
    called = sale.called
    sale.run(4, seen=True, comes=0.0)
    assert not sale.gate.state.door.shut
    sale.run(88, seen=True, comes=0.0)
    assert sale.floor == 0
    sale.run(12, seen=True, comes=0.0)
    assert sale.floor >= called


def test_the_pace_is_as_before_from_the_first_second() -> None:
    sale = Sale()
    sale.run(60, seen=True, comes=0.8)
    sale.run(120, seen=False, comes=0.0)
    before = sale.called
    sale.called_at = [sale.now_ms // 1000 + 3] * 60
    sale.run(20, seen=True, comes=0.8)
    assert 200 <= sale.called - before <= 330, "10 a second and five seconds saved up, of whom four in five come"


def test_a_batch_that_walked_away_lapses_and_others_are_called() -> None:
    sale = Sale()
    sale.run(60, seen=True, comes=0.8)
    called = sale.called
    sale.run(100, seen=True, comes=0.0)
    assert not sale.gate.state.door.stands
    assert sale.floor >= called - 20
    assert sale.called > called + 500


def test_looks_that_fail_do_not_stall_the_line() -> None:
    sale = Sale()
    sale.run(60, seen=True, comes=0.8)
    called = sale.called
    sale.run(60, seen=False, comes=0.8)
    assert sale.called - called > 500


def test_sessions_that_ran_out_at_a_shut_door_may_be_renewed_for_a_while() -> None:
    sale = Sale(replace(ZONE, session=replace(ZONE.session, idle_sec=60)))
    sale.run(30, seen=True, comes=0.8)
    sale.run(400, seen=False, comes=0.0)
    held = sale.gate.active
    assert held > 100
    sale.run(20, seen=True, comes=0.0)
    assert sale.gate.active == held
    sale.run(60, seen=True, comes=0.0)
    assert sale.gate.active == 0
