"""Bouncers are awake before a start that is known: as many as it needs, in waves, and no dispatch pays for it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from scripts.deployment import sizing
from scripts.simulation import functions
from tests.support.fakes import FakeClock, FakeFunctions
from tests.support.sale import Sale
from tests.unit.use_cases.test_exchange import dispatch
from waiting_room.adapters import idle
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.zone.zones import Zone
from waiting_room.edge import snapshots
from waiting_room.jobs import HOLD, LONGEST_HOLD_SEC, Warmable
from waiting_room.use_cases import warm
from waiting_room.use_cases.warm import HELD_AT_ONCE, HOLD_MS, Warm, WarmUp, wanted

NOW_MS = 1_780_315_200_000
MOST = 100_000


def zone(ahead_sec: float, joins_per_sec: int = 1_000, **changes: Any) -> Zone:
    start = {"mode": "combined", "rules": (), "starts_at_ms": NOW_MS + round(ahead_sec * 1000)}
    return Zone(zone_id="z", expected_joins_per_sec=joins_per_sec, **{**start, **changes})


def test_what_a_zone_needs_is_awake_from_two_minutes_and_a_half_before_its_start() -> None:
    at = {ahead_sec: wanted([zone(ahead_sec)], MOST, NOW_MS) for ahead_sec in (151, 150, 60, 10, 9.9, 0, -1)}
    assert at == {151: 0, 150: 300, 60: 300, 10: 300, 9.9: 0, 0: 0, -1: 0}


def test_a_line_that_opens_before_its_start_has_them_twice() -> None:
    """The crowd comes when places can be taken, and asks again when the doors open."""
    opens = {
        ahead_sec: zone(ahead_sec + 3_600, opens_at_ms=NOW_MS + ahead_sec * 1000) for ahead_sec in (151, 60, 5, -3_540)
    }
    assert [wanted([each], MOST, NOW_MS) for each in opens.values()] == [0, 300, 0, 300]


def test_a_start_the_zone_does_not_have_or_will_not_hold_needs_none() -> None:
    assert wanted([zone(60, mode="queueing", starts_at_ms=None)], MOST, NOW_MS) == 0
    assert wanted([zone(60, control="pass"), zone(60, control="end")], MOST, NOW_MS) == 0


def test_more_than_lambda_gives_at_once_are_begun_a_minute_sooner_for_every_thousand() -> None:
    """10,000 joins a second: 3,000 instances, and no wave wants a thousand more than the one before."""
    waves = [wanted([zone(ahead_sec, 10_000)], MOST, NOW_MS) for ahead_sec in (271, 270, 210, 150, 90, 30)]
    assert waves == [0, 1_000, 2_000, 3_000, 3_000, 3_000]


def test_zones_that_start_together_share_what_there_is() -> None:
    zones = [zone(60), zone(100, 500), zone(3_600)]
    assert wanted(zones, MOST, NOW_MS) == 450
    assert wanted(zones, 400, NOW_MS) == 400
    assert wanted(zones, 0, NOW_MS) == 0


def test_a_wave_is_shared_out_and_ends_for_all_at_the_same_moment() -> None:
    functions, clock = FakeFunctions(), FakeClock()
    clock.ms = NOW_MS
    assert WarmUp(functions, "dispatcher", 120, clock)([zone(60)]) == 120
    until = {"until_ms": NOW_MS + HOLD_MS}
    assert functions.started == [
        ("dispatcher", {"warm": HELD_AT_ONCE, **until}),
        ("dispatcher", {"warm": HELD_AT_ONCE, **until}),
        ("dispatcher", {"warm": 20, **until}),
    ]


def test_one_run_tells_how_many_it_could_hold() -> None:
    held = list[int]()

    def hold(until_ms: int) -> bool:
        held.append(until_ms)
        return len(held) % 2 == 0

    assert Warm(hold, map)(5, NOW_MS) == 2
    assert held == [NOW_MS] * 5


@pytest.mark.parametrize("fault", [Overloaded("busy"), RuntimeError("no right to do this")])
def test_a_warm_up_that_fails_fails_no_dispatch(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sale = Sale(mode="combined", starts_at_ms=FakeClock().ms + 60_000)
    healthy, start = dispatch(sale), sale.functions.start
    healthy._warm_up = WarmUp(sale.functions, "dispatcher", 5, sale.clock)

    def failing(name: str, payload: Any) -> None:
        if name == "dispatcher":
            raise fault
        start(name, payload)

    monkeypatch.setattr(sale.functions, "start", failing)
    with caplog.at_level(logging.ERROR):
        done = healthy()
    assert (done.started_for, done.warming) == (["z"], 0)
    assert "could not be warmed" in caplog.text


def test_an_instance_is_held_until_the_moment_and_no_longer_than_it_may() -> None:
    clock, slept = FakeClock(), list[float]()
    clock.ms = NOW_MS
    app = Warmable(lambda event, context: {"statusCode": 200}, clock, slept.append)
    for until_ms in (NOW_MS + 1_500, NOW_MS - 1, NOW_MS + 3_600_000):
        assert app({HOLD: until_ms}, None) == {}
    assert slept == [1.5, 0.0, LONGEST_HOLD_SEC]
    assert app({"requestContext": {}}, None) == {"statusCode": 200}
    assert len(slept) == 3


def test_sizing_simulator_and_clients_go_by_the_same_limits() -> None:
    """They stand in three rooms that may not import one another."""
    assert warm.NEW_INSTANCES == sizing.NEW_INSTANCES == functions.NEW_INSTANCES
    assert pytest.approx(sizing.REQUESTS_PER_JOIN * sizing.SECONDS_PER_REQUEST) == warm.INSTANCES_PER_JOIN
    assert idle.IDLE_SEC == snapshots.IDLE_SEC
