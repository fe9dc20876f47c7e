"""Warm: instances of the bouncer are awake before a line opens and before it starts: few meet a cold one.

An instance has one request at a time: to have N of them, N events must be held at the same moment. Lambda bounds a wave
by what is free: an event that finds nothing is refused at once, and nobody sends it again.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Sequence

from waiting_room.domain.admission.controller import WARM_UP_MS
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Functions

INSTANCES_PER_JOIN = 0.3
"""For a join a second: three requests of a tenth of a second, as terraform/sizing.tf plans them."""
NEW_INSTANCES = 1_000
"""A function gets no more at once, and as many again in ten seconds (Lambda guide, "Lambda scaling behavior")."""
WAVE_MS = 60_000
"""From one wave to the next: the dispatcher's pace. Idle instances are kept for some minutes."""
HOLD_MS = 5_000
"""How long a wave takes: its own functions start, call, and a cold bouncer is there within a second."""
HELD_AT_ONCE = 50
"""Events that one run sends and waits for, each on a thread."""

logger = logging.getLogger(__name__)

Hold = Callable[[int], bool]
"""Has an instance of the bouncer held until a moment, in milliseconds; False when Lambda had none."""


def wanted(zones: Iterable[Zone], most: int, now_ms: int) -> int:
    """How many instances are to be awake at once now, for all zones that start soon together; `most` at most.

    No wave reaches into a start: those who come then are to find the instances idle.
    """
    return min(most, sum(_wanted(zone, now_ms) for zone in zones))


def _wanted(zone: Zone, now_ms: int) -> int:
    """A crowd comes when the line opens, and once more at the start."""
    moments = (zone.line_opens_at_ms, zone.starts_at_ms)
    return max((_wanted_at(zone, at_ms - now_ms) for at_ms in moments if at_ms is not None), default=0)


def _wanted_at(zone: Zone, ahead_ms: int) -> int:
    needed = math.ceil(zone.expected_joins_per_sec * INSTANCES_PER_JOIN)
    more_waves = (needed - 1) // NEW_INSTANCES
    since_ms = WARM_UP_MS + more_waves * WAVE_MS - ahead_ms
    if since_ms < 0 or ahead_ms < 2 * HOLD_MS or zone.control in ("pass", "end"):
        return 0
    return min(needed, NEW_INSTANCES * (1 + since_ms // WAVE_MS))


class WarmUp:
    """Begins a wave: shares it out among runs of the dispatcher, for one alone could not hold so many calls."""

    def __init__(self, functions: Functions, dispatcher: str, most: int, clock: Clock) -> None:
        """`most`: instances of a wave, 0 for none; what is left of the bouncer's concurrency is for who comes now."""
        self._functions = functions
        self._dispatcher = dispatcher
        self._most = most
        self._clock = clock

    def __call__(self, zones: Iterable[Zone]) -> int:
        """How many instances were asked for. Never raises: a start with cold instances is a start all the same."""
        try:
            now_ms = self._clock.now_ms()
            count = wanted(zones, self._most, now_ms)
            for sent in range(0, count, HELD_AT_ONCE):
                event = {"warm": min(HELD_AT_ONCE, count - sent), "until_ms": now_ms + HOLD_MS}
                self._functions.start(self._dispatcher, event)
        except Exception:
            logger.exception("instances could not be warmed")
            return 0
        return count


class Warm:
    """One run of a wave."""

    def __init__(self, hold: Hold, at_once: Callable[[Hold, Sequence[int]], Iterable[bool]]) -> None:
        """`at_once` makes the calls side by side that `map` makes in a row."""
        self._hold = hold
        self._at_once = at_once

    def __call__(self, count: int, until_ms: int) -> int:
        """Hold so many instances until a moment; how many there were."""
        return sum(self._at_once(self._hold, [until_ms] * count))
