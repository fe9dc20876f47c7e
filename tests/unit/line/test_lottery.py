"""A sale with a draw: nobody has a place before the start, records decide who is early, and everybody has one after."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fakes import FakeClock
from tests.support.sale import Sale
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.line.draws import commitment_to
from waiting_room.domain.line.places import Session
from waiting_room.use_cases.claim import Waiting
from waiting_room.use_cases.draw import BEACON_PATIENCE_MS

START_SEC = 30
SHARDED = {"expected_joins_per_sec": 1_500}


def lottery(**changes: Any) -> Sale:
    starts_at_ms = FakeClock().ms + START_SEC * 1000
    return Sale(order="lottery", mode="combined", starts_at_ms=starts_at_ms, **{"max_active": 100, **changes})


def at_start(sale: Sale) -> None:
    sale.clock.ms = sale.zone.starts_at_ms or 0
    sale.tick()


def record(sale: Sale) -> Any:
    return sale.zones.record("z", "draw#1")


@pytest.mark.parametrize("changes", [{}, SHARDED])
def test_everybody_early_is_drawn_and_everybody_late_stands_behind(changes: dict[str, int]) -> None:
    sale = lottery(**changes)
    sale.tick()
    early, late = [f"early{number}" for number in range(40)], [f"late{number}" for number in range(10)]
    for name in early:
        assert sale.join(name).position is None
    sale.tick(2)
    sale.clock.advance(1)
    told = {name: sale.locate(name) for name in early}
    assert {place.position for place in told.values()} == {None}
    assert sorted(place.arrival for place in told.values()) == list(range(40))
    assert isinstance(sale.claim(early[0]), Waiting)
    at_start(sale)
    for name in late:
        sale.join(name)
    sale.tick(2)
    sale.clock.advance(1)
    places = {name: sale.locate(name).position for name in (*early, *late)}
    assert sorted(places[name] for name in early) == list(range(40))
    assert sorted(places[name] for name in late) == list(range(40, 50))
    assert [places[name] for name in early] != sorted(places[name] for name in early), "drawn, not as they came"
    draw = sale.ticker._draws.get("z", 1)
    assert draw is not None
    assert {name: draw.place("general", told[name].arrival) for name in early} == {n: places[n] for n in early}


@pytest.mark.parametrize("changes", [{}, SHARDED])
def test_two_exchangers_hold_one_draw(changes: dict[str, int]) -> None:
    sale = lottery(**changes)
    other = sale.exchanger()
    for number in range(20):
        sale.join(f"v{number}")
    sale.tick()
    raced: list[int] = []

    def race(method: str, request: dict[str, Any], phase: str) -> None:
        written = "epoch#" in str(request) or "opened_at_ms" in str(request)
        if method == "put_item" and phase == "before" and written and len(raced) < 2:
            raced.append(1)
            sale.join(f"between{len(raced)}")
            other("z")

    sale.store.on_call = race
    sale.clock.ms = sale.zone.starts_at_ms or 0
    sale.clock.advance(1)
    sale.ticker("z")
    assert raced
    sale.store.on_call = None
    sale.tick(3)
    sale.clock.advance(1)
    names = [*(f"v{number}" for number in range(20)), *(f"between{number + 1}" for number in range(len(raced)))]
    assert sorted(sale.locate(name).position for name in names) == list(range(len(names)))
    assert record(sale)["early"] == dict(sale.gate().state.early)


def test_a_counter_that_cannot_be_read_puts_the_draw_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waiting_room.adapters.dynamodb.time.sleep", lambda _: None)
    sale = lottery()
    for number in range(5):
        sale.join(f"v{number}")
    sale.tick()
    sale.store.batch_limit = 0
    sale.clock.ms = sale.zone.starts_at_ms or 0
    sale.clock.advance(1)
    with pytest.raises(Overloaded):
        sale.ticker("z")
    assert "early" not in record(sale)
    sale.store.batch_limit = None
    sale.tick()
    assert record(sale)["early"] == {"general": 5}


def test_nothing_is_told_before_the_start_and_all_of_it_after() -> None:
    sale = lottery()
    sale.join("a")
    sale.tick()
    before = record(sale)
    assert set(before) & {"early", "opened_at_ms"} == set()
    assert before["commitment"] == commitment_to(before["secret"])
    assert sale.status()["draw"] == {"commitment": before["commitment"], "early": None}
    assert before["secret"] not in str(sale.objects.objects)
    at_start(sale)
    after = record(sale)
    assert after["secret"] == before["secret"]
    assert after["early"] == {"general": 1}
    assert sale.status()["draw"] == {"commitment": before["commitment"], "early": {"general": 1}}


def test_the_draw_of_every_lane_is_held_at_once_and_a_lane_added_later_is_by_arrival() -> None:
    sale = lottery(lanes={"general": {"weight": 1}, "vip": {"weight": 1}})
    for number in range(6):
        sale.verbs.join(sale.zone, f"g{number}")
        sale.verbs.join(sale.zone, f"v{number}", None, "vip")
    sale.tick()
    at_start(sale)
    assert record(sale)["early"] == {"general": 6, "vip": 6}
    sale.change(lanes={**sale.zone.lanes, "gold": {"weight": 1}})
    sale.verbs.join(sale.zone, "late", None, "gold")
    sale.tick(2)
    sale.clock.advance(1)
    assert sale.locate("late").position == 0
    assert sorted(sale.locate(f"v{number}").position for number in range(6)) == list(range(6))


def test_everybody_drawn_gets_in() -> None:
    sale = lottery(max_active=3, **SHARDED)
    names = [f"v{number}" for number in range(12)]
    for name in names:
        sale.join(name)
    at_start(sale)
    inside: list[str] = []
    for _ in range(60):
        sale.tick(2)
        for name in set(names) - set(inside):
            if isinstance(sale.claim(name), Session):
                inside.append(name)
                sale.leave(name)
    assert sorted(inside) == sorted(names)


def test_a_run_whose_record_is_gone_moves_by_arrival() -> None:
    sale = lottery()
    sale.store.delete_item(TableName="protected_zones", Key={"zone_id": {"S": "z"}, "item": {"S": "draw#1"}})
    for number in range(3):
        sale.join(f"v{number}")
    at_start(sale)
    sale.tick(2)
    sale.clock.advance(1)
    assert sale.gate().lane("general").serving == 3


class FakeBeacon:
    """Rounds as they come."""

    def __init__(self) -> None:
        self.known: str | None = None
        self.asked: list[int] = []

    def round_at(self, at_ms: int) -> int:
        return at_ms // 3_000

    def value(self, number: int) -> str | None:
        self.asked.append(number)
        return self.known


@pytest.fixture
def beacon() -> FakeBeacon:
    return FakeBeacon()


def with_beacon(sale: Sale, beacon: FakeBeacon) -> None:
    sale.ticker = sale.exchanger(beacon=beacon)


def test_a_beacon_is_waited_for_and_nobody_is_called_meanwhile(beacon: FakeBeacon) -> None:
    sale = lottery(beacon="drand")
    with_beacon(sale, beacon)
    for number in range(3):
        sale.join(f"v{number}")
    at_start(sale)
    sale.join("late")
    sale.tick(5)
    assert "early" not in record(sale)
    assert sale.gate().lane("general").serving == 0
    beacon.known = "ab" * 32
    sale.tick(2)
    number = (sale.zone.starts_at_ms or 0) // 3_000
    assert set(beacon.asked) == {number}, "the round was fixed by the start"
    assert {name: record(sale)[name] for name in ("early", "beacon_round", "beacon_value")} == {
        "early": {"general": 3},
        "beacon_round": number,
        "beacon_value": "ab" * 32,
    }
    assert sale.gate().lane("general").serving == 4


def test_a_beacon_that_never_answers_holds_nobody_up_for_ever(beacon: FakeBeacon) -> None:
    sale = lottery(beacon="drand")
    with_beacon(sale, beacon)
    sale.join("a")
    at_start(sale)
    sale.tick(BEACON_PATIENCE_MS // 1000 + 2)
    assert record(sale)["early"] == {"general": 1}
    assert "beacon_value" not in record(sale)
    assert record(sale)["beacon_round"] == beacon.asked[0]
    assert sale.gate().lane("general").serving == 1


def test_without_a_beacon_nobody_is_asked(beacon: FakeBeacon) -> None:
    sale = lottery()
    with_beacon(sale, beacon)
    at_start(sale)
    assert not beacon.asked
    assert "beacon_round" not in record(sale)
