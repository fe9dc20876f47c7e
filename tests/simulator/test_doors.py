"""A shut door costs nobody the place, calls nobody in vain, and is told from people who walk away; each safeguard is
taken away once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scripts.simulation.actions import refuse, refuse_looks
from scripts.simulation.doors import DOORS
from scripts.simulation.figures import Figures
from scripts.simulation.occupancy import SCRIPT, queueing
from scripts.simulation.run import run
from scripts.simulation.simulation import Scenario
from scripts.visitors.arrivals import flash
from scripts.visitors.habits import Habits
from waiting_room.domain.admission import controller, door
from waiting_room.domain.admission.door import Door

COMERS = Habits(absent_share=0.2, silent_share=0.3, button_share=0.35, stay_sec=(30, 30))
CLAIM = {"window_sec": 20, "grace_sec": 10}
RATE = {"mode": "waiting_room", "rate_per_min": 120, "starts_in_sec": 10, "session": dict(SCRIPT), "claim": CLAIM}
SHUT = Scenario(
    name="shut",
    about="two a second, and nobody gets through from 60 s to 150 s",
    zone=RATE,
    groups=((flash(400, 20), COMERS),),
    actions=((60, refuse(1.0)), (150, refuse(0))),
    seconds=210,
    measures=frozenset({"door"}),
    drains=False,
)
HALF_SHUT = replace(SHUT, name="half shut", actions=((60, refuse(0.9)), (240, refuse(0))), seconds=300)
FULL = replace(SHUT, name="full room", zone=queueing(60, claim=CLAIM))
STARTS = {"mode": "combined", "max_active": 300, "starts_in_sec": 60, "session": dict(SCRIPT), "claim": CLAIM}
SHUT_AT_START = replace(SHUT, name="shut at the start", zone=STARTS, actions=((40, refuse(1.0)), (130, refuse(0))))
BLIND = replace(
    SHUT,
    name="looks fail",
    zone={**RATE, "rate_per_min": 3_000},
    groups=((flash(2500, 20), COMERS),),
    actions=((25, refuse_looks),),
    seconds=150,
    drains=True,
)
NEVER_SEEN = replace(BLIND, name="looks never got through", actions=((0, refuse_looks),))


def shut_costs_nothing(told: Figures) -> bool:
    values = told.values
    return not told.broken and (values["lost"], values["duplicates"], values["lapsed_present"]) == (0, 0, 0)


@pytest.mark.parametrize(
    "scenario", [SHUT, HALF_SHUT, SHUT_AT_START, FULL, BLIND, NEVER_SEEN], ids=lambda scenario: scenario.name
)
def test_nobody_present_lapses_whatever_the_door_does(scenario: Scenario) -> None:
    told, _ = run(scenario, 1)
    assert shut_costs_nothing(told)
    assert told.values["overshoot_max"] == 0


def test_while_it_is_shut_hardly_anybody_is_called_and_then_the_pace_is_back() -> None:
    values = run(SHUT, 1)[0].values
    assert values["called_while_shut"] <= 30, "of 180 at the pace before"
    assert values["recovery_sec"] <= 10
    assert values["rush"] <= 2


def test_sessions_outlive_a_shut_door() -> None:
    assert run(FULL, 1)[0].values["sessions_lost"] == 0


def test_the_simulated_minutes_have_the_names_they_are_asked_for() -> None:
    names = {scenario.name for scenario in DOORS}
    lengths = ("45 s", "2 min", "10 min")
    assert names >= {f"door shut {length}, {limit}" for length in lengths for limit in ("rate", "cap")}
    assert names >= {"batch walks away", "door half shut, rate", "door half shut, cap"}


def nothing_stands(self: Door) -> bool:
    return False


def keeps_none(*_: Any) -> bool:
    return False


def everybody(self: Door, share: float) -> int:
    return 10**9


MUTATIONS: dict[str, tuple[Any, str, Any, Scenario, Callable[[Figures], bool]]] = {
    "time stands": (Door, "stands", property(nothing_stands), SHUT, shut_costs_nothing),
    "nobody more is called": (
        Door,
        "may_ask",
        everybody,
        SHUT_AT_START,
        lambda told: told.values["called_while_shut"] <= 30,
    ),
    "leases are kept": (controller, "_keeps_leases", keeps_none, FULL, lambda told: not told.values["sessions_lost"]),
    "looks are doubted": (Door, "_is_belied", nothing_stands, BLIND, shut_costs_nothing),
    "two looks": (door, "ENOUGH_LOOKS", 10**6, SHUT, shut_costs_nothing),
}
"""What is replaced, and by what; a sale that shows it, and what holds of it while nothing is missing."""


@pytest.mark.parametrize("safeguard", MUTATIONS)
def test_a_missing_safeguard_is_noticed(safeguard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, name, without, scenario, holds = MUTATIONS[safeguard]
    assert holds(run(scenario, 1)[0])
    monkeypatch.setattr(target, name, without)
    assert not holds(run(scenario, 1)[0])
