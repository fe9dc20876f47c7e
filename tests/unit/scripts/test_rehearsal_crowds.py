"""The simulator's rehearsals are those that `wr rehearse` plays: the same arrivals, the same habits."""

from __future__ import annotations

import random

import pytest

from scripts.rehearsal.plans import draw_plan
from scripts.rehearsal.script import ARRIVALS, Habits, Script
from scripts.simulation.rehearsal import REHEARSALS, VISITORS, simulated

MANY = 20_000


def test_the_same_shares_come_out_of_both_words_for_habits() -> None:
    played = Habits(absent_share=0.2, give_up_share=0.1, silent_share=0.25, button_share=0.3, stay_sec=(20.0, 60.0))
    dice = random.Random(1)
    plans = [draw_plan(played, dice) for _ in range(MANY)]
    told = simulated(played)

    def share(*holds: bool) -> float:
        return sum(holds) / MANY

    assert told.absent == pytest.approx(share(*(not p.comes or p.patience_sec is not None for p in plans)), abs=0.01)
    assert told.silent == pytest.approx(share(*(p.ending == "silent" for p in plans)), abs=0.01)
    bought = (1 - told.silent) * told.buys
    assert bought == pytest.approx(share(*(p.ending == "checkout" for p in plans)), abs=0.01)
    assert told.stay_sec == pytest.approx(sum(p.stay_sec for p in plans) / MANY, rel=0.01)


def test_there_is_a_simulated_rehearsal_for_each_way_to_arrive() -> None:
    assert [scenario.name for scenario in REHEARSALS] == [
        "rehearsal",
        *(f"rehearsal, {name}" for name in ARRIVALS if name != "flash"),
    ]
    for scenario, name in zip(REHEARSALS, ARRIVALS, strict=True):
        ((curve, habits),) = scenario.groups
        script = Script(("https://a.example",), "z", "/", VISITORS, arrival=name, over_sec=ARRIVALS[name].over_sec)
        assert list(curve(random.Random(script.seed))) == script.moments()
        assert habits == simulated(Habits())
