"""The simulator's rehearsals are those that `wr rehearse` plays: the same arrivals, the same habits."""

from __future__ import annotations

import random

import pytest

from scripts.rehearsal.script import ARRIVALS, USUAL, Script
from scripts.simulation.rehearsal import REHEARSALS, VISITORS
from scripts.visitors.habits import Habits, draw_plan

MANY = 20_000


def test_shares_that_the_simulator_draws_from_are_those_of_drawn_plans() -> None:
    played = Habits(absent_share=0.2, give_up_share=0.1, silent_share=0.25, button_share=0.3, stay_sec=(20.0, 60.0))
    dice = random.Random(1)
    plans = [draw_plan(played, dice) for _ in range(MANY)]

    def share(*holds: bool) -> float:
        return sum(holds) / MANY

    assert played.away_share == pytest.approx(
        share(*(not p.comes or p.patience_sec is not None for p in plans)), abs=0.01
    )
    assert played.checkout_share == pytest.approx(share(*(p.ending == "checkout" for p in plans)), abs=0.01)
    assert played.mean_stay_sec == pytest.approx(sum(p.stay_sec for p in plans) / MANY, rel=0.01)


def test_there_is_a_simulated_rehearsal_for_each_way_to_arrive() -> None:
    assert [scenario.name for scenario in REHEARSALS] == [
        "rehearsal",
        *(f"rehearsal, {name}" for name in ARRIVALS if name != "flash"),
    ]
    for scenario, name in zip(REHEARSALS, ARRIVALS, strict=True):
        ((curve, habits),) = scenario.groups
        script = Script(("https://a.example",), "z", "/", VISITORS, arrival=name, over_sec=ARRIVALS[name].over_sec)
        assert list(curve(random.Random(script.seed))) == script.moments()
        assert habits == USUAL
