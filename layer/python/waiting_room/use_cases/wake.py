"""Wake: call for an exchanger where none is at work."""

from __future__ import annotations

import logging

from waiting_room.adapters.counters import Locks
from waiting_room.adapters.gate_copies import COPY_MS
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Functions

logger = logging.getLogger(__name__)

SILENCE_MS = 5_000
"""Without a tick for this long, no exchanger is at work."""


class Wake:
    """Starts an exchanger for a zone that has none: the first visitor into an idle zone waits for nobody."""

    def __init__(self, locks: Locks, functions: Functions, exchanger: str, clock: Clock) -> None:
        self._locks = locks
        self._functions = functions
        self._exchanger = exchanger
        self._clock = clock
        self._asked_at_ms: dict[str, int] = {}

    def __call__(self, zone: Zone, gate: GateItem) -> bool:
        """Wake an exchanger if the gate item has not been ticked for a while, or its last exchanger had nothing to do.

        True for the one who did. An instance asks rarely: a crowd that asked at every request would throttle the very
        lock that the exchanger must take, above all where clocks differ so much that it only seems to be gone.
        """
        now_ms = self._clock.now_ms()
        silent = now_ms - gate.state.ticked_at_ms >= SILENCE_MS
        if not silent and not gate.state.resting:
            return False
        pause_ms = SILENCE_MS if silent else COPY_MS
        if 0 <= now_ms - self._asked_at_ms.get(zone.zone_id, -pause_ms) < pause_ms:
            return False
        self._asked_at_ms[zone.zone_id] = now_ms
        return self.now(zone.zone_id)

    def now(self, zone_id: str) -> bool:
        """Wake an exchanger unless one holds the zone or is on its way; True for the one who did."""
        try:
            if not self._locks.may_wake(zone_id, self._clock.now_ms()):
                return False
            self._functions.start(self._exchanger, {"zones": [zone_id]})
        except Overloaded:
            # The visitor's own answer must not hang on it: the dispatcher wakes the zone within a minute.
            logger.warning("no exchanger could be started", extra={"zone_id": zone_id})
            return False
        return True
