"""When a zone opens by itself: time windows, each one run, and what holds between them.

Stages are named after the window they belong to. A stage is entered once; what the operator changes after that stays
until the next one is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from waiting_room.domain.errors import Fault
from waiting_room.domain.zone.zones import Zone

EARLIEST_MS = 600_000
"""Where a window does not say when its pre-queue opens, it is ten minutes before the start."""
LEAST_LEAD_MS = 180_000
"""The pre-queue opens at least so long before the start: it is looked at once a minute, and a new run grants nothing
for 25 s, and an exchanger comes 150 s ahead."""


@dataclass(frozen=True)
class Window:
    """Pre-queue, start and end (epoch milliseconds); without an end it stays open."""

    opens_at_ms: int
    starts_at_ms: int
    ends_at_ms: int | None


@dataclass(frozen=True)
class Due:
    """A stage to enter: the control it has, its start if it is a window's, and whether it begins a new run."""

    stage: str
    control: str
    why: str
    starts_at_ms: int | None = None
    reset: bool = False


def windows_of(schedule: Mapping[str, Any]) -> list[Window]:
    """The windows in order of their starts."""
    found = [
        Window(
            int(window.get("opens_at_ms", window["starts_at_ms"] - EARLIEST_MS)),
            int(window["starts_at_ms"]),
            window.get("ends_at_ms"),
        )
        for window in schedule["windows"]
    ]
    return sorted(found, key=lambda window: window.starts_at_ms)


def faults(schedule: Mapping[str, Any]) -> list[Fault]:
    """What contradicts itself in a schedule: pointer and what to do."""
    found: list[Fault] = []
    sound = []
    for index, window in enumerate(schedule["windows"]):
        pointer, before = f"/schedule/windows/{index}", len(found)
        opens_at_ms, starts_at_ms = window.get("opens_at_ms"), window["starts_at_ms"]
        if opens_at_ms is not None and opens_at_ms > starts_at_ms - LEAST_LEAD_MS:
            found.append(Fault(pointer, "The pre-queue must open at least three minutes before the start."))
        if window.get("ends_at_ms") is not None and window["ends_at_ms"] <= starts_at_ms:
            found.append(Fault(pointer, "The window ends before it starts: set a later ends_at_ms."))
        if len(found) == before:
            sound.append(window)
    return found + _overlaps(windows_of({"windows": sound}))


def _overlaps(windows: Sequence[Window]) -> list[Fault]:
    found = []
    for before, after in pairwise(windows):
        if before.ends_at_ms is None:
            found.append(f"The window that starts at {before.starts_at_ms} needs an end: one follows.")
        elif after.opens_at_ms < before.ends_at_ms:
            said = f"starts at {after.starts_at_ms} opens before the one that starts at {before.starts_at_ms} ends"
            found.append(f"The window that {said}: leave time between them.")
    return [Fault("/schedule/windows", advice) for advice in found]


def due(zone: Zone, now_ms: int) -> Due | None:
    """The stage that is to be entered now, None while the zone is in it. Only the last one missed is caught up on."""
    if not zone.schedule:
        return None
    windows = windows_of(zone.schedule)
    opened = [window for window in windows if window.opens_at_ms <= now_ms]
    outside = str(zone.schedule.get("outside", "end"))
    if not opened:
        wanted = Due("before", outside, "no window is open yet")
    elif opened[-1].ends_at_ms is not None and now_ms >= opened[-1].ends_at_ms:
        wanted = Due(f"ended:{opened[-1].starts_at_ms}", outside, "the window is over")
    else:
        starts_at_ms = opened[-1].starts_at_ms
        wanted = Due(f"open:{starts_at_ms}", "auto", "a window opens", starts_at_ms, _begins_run(zone, windows))
    return None if wanted.stage == zone.stage else wanted


def _begins_run(zone: Zone, windows: Sequence[Window]) -> bool:
    """Whether a window that opens needs a run of its own.

    Not while the zone is fresh, and not when the window it is in was only moved: those in line keep their places.
    """
    kind, _, starts_at_ms = zone.stage.partition(":")
    if kind in ("", "before"):
        return False
    return kind == "ended" or any(str(window.starts_at_ms) == starts_at_ms for window in windows)
