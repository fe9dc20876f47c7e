"""Storms: a crowd that looks for its places all at once, as scenarios."""

from __future__ import annotations

from typing import Any

from scripts.simulation.occupancy import SCRIPT
from scripts.simulation.simulation import Scenario
from scripts.simulation.storm import everybody_locates


def _storm(name: str, about: str, count: int, instances: int, **zone: Any) -> Scenario:
    """Who joined in ten seconds before the start asks for the place after it, on instances that know no epoch yet."""
    return Scenario(
        name=name,
        about=about,
        zone={
            "mode": "combined",
            "max_active": 2000,
            "starts_in_sec": 80,
            "expected_joins_per_sec": count // 10,
            "session": dict(SCRIPT),
            **zone,
        },
        groups=(),
        actions=((62, everybody_locates(count, over_sec=10, asks_sec=82)),),
        seconds=150,
        warm=instances,
        drains=False,
    )


# The million run for ten minutes each: they are played by name only.
GREAT_STORMS = (
    _storm(
        "1,000,000 look for their drawn places",
        "after a draw, within eight seconds, on 2,000 instances; 1,000 counters",
        1_000_000,
        2000,
        order="lottery",
    ),
    _storm(
        "1,000,000 look for their places",
        "by order of joining, within eight seconds, on 2,000 instances; 1,000 counters",
        1_000_000,
        2000,
    ),
)
STORMS = (
    _storm(
        "4,000 look for their drawn places",
        "after a draw, within eight seconds, on the instances that are warm before its start; 20 counters",
        4_000,
        20,
        order="lottery",
        expected_joins_per_sec=2_000,
    ),
    _storm(
        "16,000 look for their places",
        "by order of joining, within eight seconds, on as many cold instances as a million needs; 400 counters",
        16_000,
        2000,
        expected_joins_per_sec=40_000,
    ),
)
