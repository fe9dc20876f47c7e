"""Scenarios with a line from the first minute to the end: how well the room is used, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scripts.simulation.actions import everybody_comes
from scripts.simulation.simulation import Scenario
from scripts.visitors.arrivals import flash, steady
from scripts.visitors.habits import Habits

SCRIPT: Mapping[str, Any] = {"kind": "script", "heartbeat_sec": 15}
LEAVERS = Habits(absent_share=0.35, silent_share=0.5, button_share=0.25, stay_sec=(180, 180))


def queueing(max_active: int, **more: Any) -> dict[str, Any]:
    """A zone that lets a number in at once."""
    return {"mode": "queueing", "max_active": max_active, "session": dict(SCRIPT), **more}


def _leavers(name: str, max_active: int, about: str) -> Scenario:
    """A line from the first minute to the end: a crowd, then as many more as get in."""
    crowd, minutes = 4 * max_active, 25
    return Scenario(
        name=name,
        about=about,
        zone=queueing(max_active),
        groups=(
            (flash(crowd, 60), LEAVERS),
            (steady(0.0085 * max_active, minutes * 60, from_sec=60), LEAVERS),
        ),
        seconds=40 * 60,
        measures=frozenset({"occupancy", "eta"}),
        drains=False,
    )


OCCUPANCY = _leavers("occupancy", 1000, "35 % absent when called, 50 % leave silently, cap 1,000, mean stay 180 s")
BASELINES = (
    replace(
        OCCUPANCY,
        name="baseline: exit message only",
        about="the same visitors; a session ends when its visitor says so",
        zone=queueing(1000, session={"kind": "navigation", "idle_sec": 3600, "max_sec": 86_400}),
    ),
    replace(
        OCCUPANCY,
        name="baseline: fixed 300 s sessions",
        about="the same visitors; a session lasts 300 s, or until its visitor says so",
        zone=queueing(1000, session={"kind": "navigation", "idle_sec": 300, "max_sec": 300}),
        returns=False,
    ),
    replace(
        OCCUPANCY,
        name="baseline: no show-up prediction",
        about="the same visitors; whoever is called counts as coming until the window is over",
        policy=everybody_comes,
    ),
)
SMALL = (
    replace(
        _leavers("occupancy, cap 100", 100, "the same with room for 100"),
        groups=((flash(300, 30), LEAVERS), (steady(0.8, 480, from_sec=30), LEAVERS)),
        seconds=600,
        steady_from_sec=120,
    ),
)
THREE_LANES: Mapping[str, Any] = {
    "general": {"weight": 3},
    "members": {"weight": 1},
    "partners": {"weight": 0, "reserved_share": 0.2},
}


def _in_lanes(name: str, max_active: int, minutes: int, about: str) -> Scenario:
    """The same in three lanes, one of which runs empty and is filled once more; a third of the rest are members."""
    members, partners = replace(LEAVERS, lane="members"), replace(LEAVERS, lane="partners")
    few = max_active // 2
    return replace(
        _leavers(name, max_active, about),
        zone=queueing(max_active, lanes=THREE_LANES),
        groups=(
            (flash(3 * max_active, 60), LEAVERS),
            (flash(max_active, 60), members),
            (flash(few, 60), partners),
            (steady(0.0055 * max_active, minutes * 60, from_sec=60), LEAVERS),
            (steady(0.0025 * max_active, minutes * 60, from_sec=60), members),
            (flash(few, 60, from_sec=minutes * 60), partners),
        ),
        seconds=2 * minutes * 60,
        steady_from_sec=300 if minutes > 10 else 120,
        measures=frozenset({"occupancy", "shares", "eta"}),
    )


LANES = (
    _in_lanes("occupancy, lanes", 1000, 15, "the same visitors in three lanes: 60, 20 and 20 %, the last one reserved"),
    # Too few for its estimates to be more than luck.
    replace(
        _in_lanes("occupancy, lanes, cap 100", 100, 6, "the same three lanes with room for 100"),
        measures=frozenset({"occupancy", "shares"}),
    ),
)
