"""The crowds of `wr rehearse` in numbers no single machine plays: the same arrivals and habits, simulated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from scripts.rehearsal.script import ARRIVALS, USUAL
from scripts.simulation.simulation import Scenario
from scripts.visitors.arrivals import Curve

VISITORS = 5_000
CAP = 500
ZONE: dict[str, Any] = {
    "mode": "queueing",
    "max_active": CAP,
    "session": {"kind": "script", "heartbeat_sec": 15},
}


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
        groups=((_curve(arrival), USUAL),),
        seconds=1200,
        measures=frozenset({"occupancy", "eta"}),
        steady_from_sec=120,
    )


REHEARSALS = (
    _scenario("rehearsal", "flash"),
    *(_scenario(f"rehearsal, {arrival}", arrival) for arrival in ARRIVALS if arrival != "flash"),
)
