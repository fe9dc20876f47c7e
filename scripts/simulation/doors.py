"""Scenarios in which the way in is shut, to everybody or to most, and what is measured of them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import Any

from scripts.simulation.actions import refuse, refuse_looks
from scripts.simulation.occupancy import SCRIPT, queueing
from scripts.simulation.simulation import Scenario, Simulation
from scripts.visitors.arrivals import flash
from scripts.visitors.habits import Habits

SHUT_AT_SEC = 150
PACE_SEC = 60
"""Before the door is shut: so long is looked at for the pace there was."""
RECOVERED_SEC = 10
"""The pace is back when in so many seconds nine tenths of what came before come in."""
RECOVERED_PART = 0.9

COMERS = Habits(absent_share=0.2, silent_share=0.3, button_share=0.35, stay_sec=(60, 60))
WALKED_AWAY = Habits(absent_share=1.0)
RATE: dict[str, Any] = {"mode": "waiting_room", "rate_per_min": 600, "starts_in_sec": 30, "session": dict(SCRIPT)}


def _door(name: str, about: str, zone: dict[str, Any], shut_sec: int, share: float = 1.0) -> Scenario:
    return Scenario(
        name=name,
        about=about,
        zone=zone,
        groups=((flash(6000, 60), COMERS),),
        actions=((SHUT_AT_SEC, refuse(share)), (SHUT_AT_SEC + shut_sec, refuse(0))),
        seconds=SHUT_AT_SEC + shut_sec + 150,
        measures=frozenset({"door"}),
        drains=False,
    )


def _both(name: str, about: str, shut_sec: int, share: float = 1.0) -> tuple[Scenario, ...]:
    return (
        _door(f"{name}, rate", f"{about}; 600 a minute", RATE, shut_sec, share),
        _door(f"{name}, cap", f"{about}; cap 400", queueing(400), shut_sec, share),
    )


DOORS = (
    *_both("door shut 45 s", "nobody reaches the token service for 45 s", 45),
    *_both("door shut 2 min", "nobody reaches the token service for two minutes", 120),
    *_both("door shut 10 min", "nobody reaches the token service for ten minutes", 600),
    *_both("door half shut", "of ten requests nine are refused, for ten minutes", 600, 0.9),
    Scenario(
        name="batch walks away",
        about="the first 300 called are gone, 300 wait behind, the door is open; 600 a minute",
        zone=RATE,
        groups=((flash(300, 10), WALKED_AWAY), (flash(300, 10, from_sec=11), replace(COMERS, absent_share=0.0))),
        seconds=400,
        measures=frozenset({"first", "door"}),
    ),
    Scenario(
        name="looks fail, the door is open",
        about="the exchanger's looks fail from 150 s on, and nothing else; 600 a minute",
        zone=RATE,
        groups=((flash(3000, 60), COMERS),),
        actions=((SHUT_AT_SEC, refuse_looks),),
        seconds=420,
        measures=frozenset({"door"}),
    ),
)


def door_figures(simulation: Simulation) -> dict[str, float]:
    """What a shut door cost.

    `called_while_shut`: positions called from a while after it was shut (a look every two seconds, and its time-out)
    until it was opened; `recovery_sec`: from then until the pace there was before is back; `rush`: the most that came
    in within ten seconds, by what comes in at that pace; `overtaken_in`: of those who were there, by how many
    positions further back anybody was preceded into the room.
    """
    watch = simulation.watch
    values: dict[str, float] = {"overtaken_in": overtaken_in([position for _, _, _, position in watch.entries])}
    if not watch.doors:
        return values
    shut, opened = watch.doors[0], watch.doors[-1]
    times = [at_ms for at_ms, *_ in watch.entries]

    def entered(from_ms: int, to_ms: int) -> int:
        return bisect_left(times, to_ms) - bisect_left(times, from_ms)

    per_ms = entered(shut.at_ms - PACE_SEC * 1000, shut.at_ms) / (PACE_SEC * 1000)
    usual = per_ms * RECOVERED_SEC * 1000
    windows = [
        (sec, entered(opened.at_ms + sec * 1000, opened.at_ms + (sec + RECOVERED_SEC) * 1000)) for sec in range(120)
    ]
    back = [sec for sec, count in windows if count >= RECOVERED_PART * usual]
    return values | {
        "called_while_shut": opened.called - shut.called,
        "recovery_sec": back[0] if back else float(len(windows)),
        "rush": round(max(count for _, count in windows) / max(1.0, usual), 2),
    }


def overtaken_in(positions: list[int]) -> int:
    """By how many who stood further back somebody was preceded, at most."""
    entered: list[int] = []
    most = 0
    for position in positions:
        at = bisect_left(entered, position)
        most = max(most, len(entered) - at)
        entered.insert(at, position)
    return most
