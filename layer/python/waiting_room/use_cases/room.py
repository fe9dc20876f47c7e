"""What several verbs need of a run: a fresh enough copy of its gate item, and a call for an exchanger."""

from __future__ import annotations

import logging

from waiting_room.adapters.counters import Locks
from waiting_room.adapters.gates import Gates
from waiting_room.domain.errors import NotReady, Overloaded
from waiting_room.domain.gate_item import GateItem
from waiting_room.domain.zones import Zone
from waiting_room.ports import Clock, Functions
from waiting_room.use_cases.lines import Lines

logger = logging.getLogger(__name__)

COPY_MS = 1_000
"""How old a copy of the gate item may be when it decides that a claim is not worth a write."""
SILENCE_MS = 5_000
"""Without a tick for this long, no exchanger is at work."""


class Rooms:
    """Gate items and lines as seen by the visitors' verbs: read at most once a second, whatever the crowd.

    Thousands of instances read one item every second, so a copy is read at half the price: it may be a moment older
    than it looks, never older than what this instance has seen before.
    """

    def __init__(self, gates: Gates, lines: Lines, clock: Clock) -> None:
        self.placed = lines.placed
        self._gates = gates
        self._clock = clock
        self._copies: dict[tuple[str, int], tuple[int, GateItem]] = {}

    def peek(self, zone: Zone) -> GateItem:
        """A copy about a second old at most; raises NotReady before the run was created."""
        now_ms = self._clock.now_ms()
        read_at_ms, gate = self._copies.get((zone.zone_id, zone.run), (0, None))
        if gate is None or not 0 <= now_ms - read_at_ms < COPY_MS:
            return self._read(zone, gate, consistent=False) or self.look(zone)
        return gate

    def look(self, zone: Zone) -> GateItem:
        """The item as it is now (consistent)."""
        gate = self._read(zone, None, consistent=True)
        if gate is None:
            raise NotReady
        return gate

    def _read(self, zone: Zone, known: GateItem | None, *, consistent: bool) -> GateItem | None:
        """The item as it is told, or what was known of it if that is newer."""
        read_at_ms = self._clock.now_ms()
        gate = self._gates.read(zone.zone_id, zone.run, consistent=consistent)
        if known is not None and (gate is None or gate.tick < known.tick):
            gate = known
        if gate is not None:
            self._copies[zone.zone_id, zone.run] = (read_at_ms, gate)
        return gate


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
