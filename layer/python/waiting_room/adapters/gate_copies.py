"""Copies of the gate item: read at most once a second, whatever the crowd."""

from __future__ import annotations

from waiting_room.adapters.gates import Gates
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.errors import NotReady
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock

COPY_MS = 1_000
"""How old a copy of the gate item may be when it decides that a claim is not worth a write."""


class GateCopies:
    """Gate items as the visitors' verbs see them.

    Thousands of instances read one item every second, so a copy is read at half the price: it may be a moment older
    than it looks, never older than what this instance has seen before.
    """

    def __init__(self, gates: Gates, clock: Clock) -> None:
        self._gates = gates
        self._clock = clock
        self._copies: dict[tuple[str, int], tuple[int, GateItem]] = {}

    def recent(self, zone: Zone) -> GateItem:
        """A copy about a second old at most; raises NotReady before the run was created."""
        now_ms = self._clock.now_ms()
        read_at_ms, gate = self._copies.get((zone.zone_id, zone.run), (0, None))
        if gate is None or not 0 <= now_ms - read_at_ms < COPY_MS:
            return self._read(zone, gate, consistent=False) or self.current(zone)
        return gate

    def current(self, zone: Zone) -> GateItem:
        """The item as it is now (consistent); raises NotReady before the run was created."""
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
