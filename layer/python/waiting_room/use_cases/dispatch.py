"""Dispatch: every minute, start exchangers for the zones that need one and heal a snapshot that grows old."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from waiting_room.adapters.counters import Sales
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.admission.controller import idle
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Functions, ObjectStore
from waiting_room.use_cases.automate import Audit, Automate
from waiting_room.use_cases.tick import TickZone
from waiting_room.use_cases.warm import WarmUp

ZONES_PER_EXCHANGER = 20
SNAPSHOT_AGE_MS = 90_000
"""An older snapshot is written again, long before the gate closes at 300 s."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dispatched:
    """The zones for which an exchanger was started, what zones changed by themselves, with reasons, and how many
    instances are being warmed."""

    started_for: list[str]
    audits: list[Audit]
    warming: int = 0


class Dispatch:
    """Looks at every zone once."""

    def __init__(
        self,
        zones: ProtectedZones,
        gates: Gates,
        sales: Sales,
        tick: TickZone,
        objects: ObjectStore,
        functions: Functions,
        clock: Clock,
        *,
        exchanger: str,
        publisher: str,
        snapshot_key: str,
        automate: Automate | None = None,
        warm_up: WarmUp | None = None,
    ) -> None:
        """Without `automate` zones change by their operators alone, without `warm_up` starts are cold."""
        self._zones = zones
        self._gates = gates
        self._sales = sales
        self._tick = tick
        self._objects = objects
        self._functions = functions
        self._clock = clock
        self._exchanger = exchanger
        self._publisher = publisher
        self._snapshot_key = snapshot_key
        self._automate = automate
        self._warm_up = warm_up

    def __call__(self) -> Dispatched:
        """Enter stages that are due, start what is needed, then see to the health of sites, which may take a while."""
        if self._snapshot_is_old():
            self._functions.start(self._publisher, {"refresh": True})
        zones = self._zones.all()
        zones, audits = self._automate.by_clock(zones) if self._automate else (zones, [])
        needed = [zone.zone_id for zone in zones if self._needs_exchanger(zone.effective)]
        self._start(needed)
        warming = self._warm_up(zone.effective for zone in zones) if self._warm_up else 0
        if self._automate:
            by_health = self._automate.by_health(zones)
            # A line that was just switched on must not wait a minute for somebody to move it.
            self._start([audit["zone_id"] for audit in by_health])
            audits += by_health
        return Dispatched(needed, audits, warming)

    def _start(self, zone_ids: Sequence[str]) -> None:
        for batch in _batches(zone_ids, ZONES_PER_EXCHANGER):
            self._functions.start(self._exchanger, {"zones": batch})

    def _needs_exchanger(self, zone: Zone) -> bool:
        gate = self._gates.read(zone.zone_id, zone.run, consistent=False)
        if gate is None:
            return False
        sold = self._sales.sold(zone.zone_id, zone.run) if zone.inventory is not None else 0
        return not idle(zone, gate, self._tick.taken(zone, gate), sold, self._clock.now_ms())

    def _snapshot_is_old(self) -> bool:
        stored = self._objects.get(self._snapshot_key)
        if stored is None:
            return True
        try:
            published_at_ms = int(json.loads(stored.body)["published_at_ms"])
        except (ValueError, KeyError, TypeError):
            logger.warning("the gate snapshot cannot be read: it is written anew")
            return True
        return self._clock.now_ms() - published_at_ms > SNAPSHOT_AGE_MS


def _batches(zone_ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(zone_ids), size):
        yield list(zone_ids[start : start + size])
