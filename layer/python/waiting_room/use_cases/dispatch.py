"""Dispatch: every minute, start exchangers for the zones that need one and heal a snapshot that grows old."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waiting_room.adapters.counters import Sales
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.admission.controller import idle
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Functions, ObjectStore
from waiting_room.use_cases.automate import Audit, Automate
from waiting_room.use_cases.tick import TickZone
from waiting_room.use_cases.warm import WarmUp

ZONES_PER_EXCHANGER = 8
"""A zone takes 14 to 32 ms of a processor a second, by its counters (tests/benchmarks/bench_exchanger.py), and an
exchanger of 512 MB has 289. A larger one for more zones would cost the same a zone, and a single zone more."""
SNAPSHOT_AGE_MS = 90_000
"""An older snapshot is written again, long before the gate closes at 300 s."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dispatched:
    """The zones that need an exchanger, what zones changed by themselves, with reasons, how many instances are being
    warmed, and how many functions could not be started."""

    started_for: list[str]
    audits: list[Audit]
    warming: int = 0
    failed: int = 0


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
        """Enter stages that are due, start what is needed, then see to the health of sites, which may take a while.

        Lines first: whatever else fails, and for whichever zone, costs nobody else a minute.
        """
        zones = self._zones.all()
        zones, audits = self._automate.by_clock(zones) if self._automate else (zones, [])
        needed = [zone.zone_id for zone in zones if self._needs_exchanger(zone.effective)]
        failed = self._start(needed)
        if self._snapshot_is_old():
            failed += self._fails(self._publisher, {"refresh": True})
        warming = self._warm_up(zone.effective for zone in zones) if self._warm_up else 0
        if self._automate:
            by_health = self._automate.by_health(zones)
            # A line that was just switched on must not wait a minute for somebody to move it.
            failed += self._start([audit["zone_id"] for audit in by_health])
            audits += by_health
        return Dispatched(needed, audits, warming, failed)

    def _start(self, zone_ids: Sequence[str]) -> int:
        """Start exchangers; how many could not be."""
        return sum(self._fails(self._exchanger, {"zones": batch}) for batch in _batches(zone_ids, ZONES_PER_EXCHANGER))

    def _fails(self, function: str, payload: Mapping[str, Any]) -> bool:
        """Start a function; True when that failed, which keeps nothing else from being started."""
        try:
            self._functions.start(function, payload)
        except Overloaded:
            logger.warning("a function was not started", extra={"function": function})
            return True
        return False

    def _needs_exchanger(self, zone: Zone) -> bool:
        """Whether a zone has anything to decide; one that cannot be read may, and an exchanger finds out."""
        try:
            gate = self._gates.read(zone.zone_id, zone.run, consistent=False)
            if gate is None:
                return False
            sold = self._sales.sold(zone.zone_id, zone.run) if zone.inventory is not None else 0
            return not idle(zone, gate, self._tick.taken(zone, gate), sold, self._clock.now_ms())
        except Overloaded:
            logger.warning("a zone could not be read", extra={"zone_id": zone.zone_id})
            return True

    def _snapshot_is_old(self) -> bool:
        try:
            stored = self._objects.get(self._snapshot_key)
        except Overloaded:
            # Nobody knows how old it is: the publisher looks again, and has longer.
            logger.warning("the gate snapshot could not be read")
            return True
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
