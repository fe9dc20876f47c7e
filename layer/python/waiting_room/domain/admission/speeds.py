"""How fast each lane moves: its part of the pace at which positions of all lanes are called.

A lane with a line gets its share, and of what other lanes leave over the same share again. So its speed follows from
the shares and from what the lanes without a line take; nothing is remembered of a lane that has gone quiet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from waiting_room.domain.gate_item import ControllerState
from waiting_room.domain.lanes import shares
from waiting_room.domain.zone.zones import Zone

TAKEN_MEMORY_SEC = 60
"""Time constant of the moving average of what a lane without a line takes."""
LINE_SEC = 5
"""As many seconds of its share as must wait after a tick to be a line: fewer are whom rounding left over."""


def measure(
    zone: Zone, state: ControllerState, calls: Mapping[str, int], waiting: Mapping[str, int], sec: float
) -> ControllerState:
    """What is known after a tick that called `calls` of those `waiting`, `sec` seconds after the one before.

    What a lane without a line takes is as much as joins it; of one with a line nothing is kept.
    """
    if sec <= 0:
        return state
    keep = math.exp(-sec / TAKEN_MEMORY_SEC)
    few = {lane: max(1.0, LINE_SEC * state.pace * part) for lane, part in shares(zone.lanes).items()}
    taken = {
        lane: round(state.taken[lane] * keep + (1 - keep) * count / sec, 6) if lane in state.taken else 0.0
        for lane, count in calls.items()
        if waiting[lane] - count <= few[lane]
    }
    return replace(state, taken=taken)


def speed_per_sec(zone: Zone, state: ControllerState, lane: str) -> float:
    """Positions of a lane called a second while it has a line; 0 while the pace is not known.

    Lanes without a line take what joins them, at most their share; the others divide the rest by theirs.
    """
    parts = shares(zone.lanes)
    taken = sum(
        min(state.taken[other], state.pace * part) for other, part in parts.items() if _quiet(state, other, lane)
    )
    busy = sum(part for other, part in parts.items() if not _quiet(state, other, lane))
    return max(0.0, state.pace - taken) * parts.get(lane, 0.0) / busy if busy > 0 else 0.0


def _quiet(state: ControllerState, other: str, lane: str) -> bool:
    """Whether another lane has no line that this one would share the pace with."""
    return other != lane and other in state.taken
