"""How fast the room empties: what ends soon, and how many positions a second the line can move by.

The speed told to visitors is not the number called of late: a crowd that fills an empty room is called in seconds,
and nobody behind it moves at that pace. What lasts is the pace at which sessions end, divided by the show-up share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from waiting_room.domain.admission.show_up import NEAR_SEC, expected
from waiting_room.domain.gate_item import ControllerState, GateItem
from waiting_room.domain.leases import MARGIN_SEC, bucket_end_ms
from waiting_room.domain.zone.zones import Zone

LEAVES_MEMORY_SEC = 60
ENDS_MEMORY_SEC = 120
SETTLED = 0.2
"""Part of the memory that must be filled before a speed is told."""
SETTLED_BLIND = 0.63
"""The same while no bucket has closed yet, so that nobody was seen to have left without a word."""
GROWN = 2
"""So many times the sessions there were on average, and most have only just begun: none of them could end yet."""


@dataclass(frozen=True)
class Ends:
    """Sessions that ended since the tick before: by leaving or buying, and by a bucket that is closed now."""

    left: int
    lapsed: int


def ends(gate: GateItem, closed_to: int) -> Ends:
    """What ended, from the leases counted then and now."""
    before = gate.state.active + gate.claimed - gate.state.claimed
    lapsed = sum(count for bucket, count in gate.buckets.items() if gate.closed_to < bucket <= closed_to)
    return Ends(left=max(0, before - gate.active), lapsed=lapsed)


def measure(state: ControllerState, ended: Ends, sec: float, lease_sec: float) -> ControllerState:
    """Moving averages of sessions ended a second and of sessions there were.

    A crowd that fills a room that was empty, or nearly, begins them anew: idle time says nothing of how long these
    will stay. The first bucket of theirs to close, `lease_sec` after they came, shows how many leave without a word;
    what was measured before it knew only of the others and is forgotten. A lapse tells of the room as it was when its
    visitor left, so in a room that fills up it stands for more than one by now.
    """
    if sec <= 0:
        return state
    keep = math.exp(-sec / lapse_sec(lease_sec))
    state = replace(state, held_then=round(state.held_then * keep + (1 - keep) * state.active, 2))
    lapses = ended.lapsed * state.active / max(1.0, state.held_then)
    keep = math.exp(-sec / LEAVES_MEMORY_SEC)
    state = replace(state, leave_rate=round(state.leave_rate * keep + (1 - keep) * ended.left / sec, 4))
    if state.end_weight and state.active > 1 + GROWN * state.held / state.end_weight:
        return _anew(state, lapses_seen=False)
    if ended.lapsed and not state.lapses_seen and state.end_weight >= _weight(lease_sec):
        return _anew(state, lapses_seen=True)
    keep = math.exp(-sec / ENDS_MEMORY_SEC)
    return replace(
        state,
        end_rate=round(state.end_rate * keep + (1 - keep) * (ended.left + lapses) / sec, 4),
        end_weight=round(state.end_weight * keep + 1 - keep, 4),
        held=round(state.held * keep + (1 - keep) * state.active, 2),
    )


def lapse_sec(lease_sec: float) -> float:
    """About how long ago somebody left whose lease runs out: two thirds of it were left, and the margin is added."""
    return lease_sec * 2 / 3 + MARGIN_SEC


def _anew(state: ControllerState, *, lapses_seen: bool) -> ControllerState:
    return replace(state, end_rate=0.0, end_weight=0.0, held=0.0, lapses_seen=lapses_seen)


def _weight(sec: float) -> float:
    """The part of the memory that is filled after so long; no more than what is told without any lapse."""
    return min(SETTLED_BLIND, 1 - math.exp(-sec / ENDS_MEMORY_SEC))


def ending_soon(state: ControllerState, buckets: Mapping[int, int], width_sec: int, now_ms: int) -> float:
    """Sessions expected to end in the time a called visitor takes to come."""
    closing = sum(
        count
        for bucket, count in buckets.items()
        if bucket_end_ms(bucket, width_sec) + MARGIN_SEC * 1000 <= now_ms + NEAR_SEC * 1000
    )
    return closing + state.leave_rate * NEAR_SEC


def ends_per_sec(state: ControllerState) -> float:
    """Sessions ended a second, corrected for the short memory after a start; 0 while nothing is known."""
    settled = SETTLED if state.lapses_seen else SETTLED_BLIND
    return state.end_rate / state.end_weight if state.end_weight >= settled else 0.0


def door_sec(state: ControllerState) -> float:
    """About how long it takes until all who were called and are still expected have found a place."""
    per_sec, waiting = ends_per_sec(state), expected(state)
    return waiting / per_sec if per_sec > 0 else 2 * (1 + math.log2(1 + waiting))


def pace(zone: Zone, state: ControllerState, room: float, share: float) -> float:
    """Positions called a second as far as can be foreseen; 0 while nothing is known.

    In a full room as many sessions end as their number and their mean length say: where there is a line the room will
    be full, whether it is filling up yet or was made larger a moment ago.
    """
    per_sec = 0.0
    if zone.max_active is not None and state.held > 0:
        per_sec = ends_per_sec(state) * zone.max_active * state.end_weight / state.held
    if zone.rate_per_min is not None:
        rate = zone.rate_per_min / 60
        fills_up = zone.max_active is None or room > rate * ENDS_MEMORY_SEC
        per_sec = rate if fills_up else min(rate, per_sec)
    return round(per_sec / share, 4)
