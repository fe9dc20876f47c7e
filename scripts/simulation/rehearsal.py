"""The crowds of `wr rehearse` in numbers no single machine plays: the same arrivals and habits, simulated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from scripts.rehearsal.script import ARRIVALS
from scripts.rehearsal.script import Habits as Played
from scripts.simulation.habits import Habits
from scripts.simulation.simulation import Scenario
from scripts.visitors.arrivals import Curve

VISITORS = 5_000
CAP = 500
ZONE: dict[str, Any] = {
    "mode": "queueing",
    "max_active": CAP,
    "session": {"kind": "script", "heartbeat_sec": 15},
}


def simulated(played: Played) -> Habits:
    """The simulator's words for the same habits. Whoever gives up does not come when called either."""
    bought = 1 - played.silent_share - played.button_share
    return Habits(
        absent=played.absent_share + (1 - played.absent_share) * played.give_up_share,
        silent=played.silent_share,
        buys=bought / (1 - played.silent_share),
        stay_sec=sum(played.stay_sec) / 2,
        reloads=played.reload_share,
    )


def _curve(arrival: str) -> Curve:
    known = ARRIVALS[arrival]

    def times(rng: random.Random) -> Iterator[float]:
        yield from known.moments(VISITORS, known.over_sec, rng)

    return times


def _scenario(name: str, arrival: str) -> Scenario:
    known = ARRIVALS[arrival]
    return Scenario(
        name=name,
        about=f"{VISITORS:,} visitors as `wr rehearse` plays them, cap {CAP}: {known.about}",
        zone=ZONE,
        groups=((_curve(arrival), simulated(Played())),),
        seconds=1200,
        measures=frozenset({"occupancy", "eta"}),
        steady_from_sec=120,
    )


REHEARSALS = (
    _scenario("rehearsal", "flash"),
    *(_scenario(f"rehearsal, {arrival}", arrival) for arrival in ARRIVALS if arrival != "flash"),
)
