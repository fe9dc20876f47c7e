"""Automate: what a zone does without its operator, by the clock or by the health of the site behind it.

Looked at once a minute. Every change is made as an operator's is, over the version it was decided for, and says why.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from waiting_room.adapters.gates import Gates
from waiting_room.adapters.health import Alarms, HttpsProbe
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import StaleVersion, WaitingRoomError
from waiting_room.domain.zone.protection import Health, Step, health_after, step
from waiting_room.domain.zone.schedule import Due, due
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases import history
from waiting_room.use_cases.draw import Draws
from waiting_room.use_cases.tick import TickZone
from waiting_room.use_cases.zones import open_run, save, stamped

BY_SCHEDULE, BY_HEALTH = "schedule", "protection"
BY_ITSELF = "automatic"
HEALTH = "health"
PROBES_AT_ONCE = 16

logger = logging.getLogger(__name__)

Audit = dict[str, Any]


class Automate:
    """Enters due stages of schedules, and answers the site's health."""

    def __init__(
        self,
        zones: ProtectedZones,
        gates: Gates,
        tick: TickZone,
        alarms: Alarms,
        probe: HttpsProbe,
        clock: Clock,
        ids: Ids,
        history: history.Audit | None = None,
    ) -> None:
        self._history = history
        self._zones = zones
        self._gates = gates
        self._alarms = alarms
        self._probe = probe
        self._tick = tick
        self._clock = clock
        self._ids = ids
        self._draws = Draws(zones)

    def by_clock(self, zones: Sequence[Zone]) -> tuple[list[Zone], list[Audit]]:
        """The zones as they are after every stage that is due was entered, and what was changed and why."""
        after, audits = [], []
        for zone in zones:
            wanted = due(zone, self._clock.now_ms())
            try:
                entered = None if wanted is None else self._changed(zone, BY_SCHEDULE, wanted.why, _stage(wanted))
            except WaitingRoomError:
                logger.exception("a stage was not entered", extra={"zone_id": zone.zone_id})
                entered = None
            after.append(entered or zone)
            if entered is not None:
                audits.append(_audit(zone, entered))
        return after, audits

    def by_health(self, zones: Sequence[Zone]) -> list[Audit]:
        """Read the health of every zone that follows it, and do what it calls for; what was changed and why."""
        audits = []
        for zone, reading in self._readings([zone for zone in zones if zone.health and _follows(zone)]):
            try:
                wanted = self._step(zone, reading)
                changed = None if wanted is None else self._changed(zone, BY_HEALTH, wanted.why, dict(wanted.changes))
            except WaitingRoomError:
                logger.exception("the health of a zone was not answered", extra={"zone_id": zone.zone_id})
                continue
            if changed is not None:
                audits.append(_audit(zone, changed))
        return audits

    def _readings(self, zones: Sequence[Zone]) -> Iterable[tuple[Zone, bool | None]]:
        """Each zone with whether its site is well; None where nobody can tell."""
        if not zones:
            return []
        names = sorted({str(zone.health["alarm"]) for zone in zones if zone.health and "alarm" in zone.health})
        states = self._alarms.well(names) if names else {}
        with ThreadPoolExecutor(PROBES_AT_ONCE) as threads:
            return list(zip(zones, threads.map(lambda zone: self._reading(zone, states), zones), strict=True))

    def _reading(self, zone: Zone, states: Mapping[str, bool]) -> bool | None:
        settings = zone.health or {}
        if "alarm" in settings:
            return states.get(str(settings["alarm"]))
        probe = settings["probe"]
        return self._probe.well(str(probe["host"]), str(probe["path"]), int(probe.get("slow_ms", 1000)))

    def _step(self, zone: Zone, reading: bool | None) -> Step | None:
        now_ms = self._clock.now_ms()
        stored = self._zones.record(zone.zone_id, HEALTH)
        known = None if stored is None else Health(bool(stored["good"]), int(stored["since_ms"]))
        health = health_after(known, reading, now_ms)
        if health is None:
            return None
        if health != known:
            # Only a turn is written: a site that stays as it is costs nothing but reads.
            self._zones.put_record(zone.zone_id, HEALTH, {"good": health.good, "since_ms": health.since_ms})
        # What nobody can tell is no reason to change anything.
        return None if reading is None else step(zone, health, self._waiting(zone), now_ms)

    def _waiting(self, zone: Zone) -> int:
        """How many wait and are not called yet."""
        gate = self._gates.read(zone.zone_id, zone.run, consistent=False)
        if gate is None:
            return 0
        taken = self._tick.taken(zone, gate)
        return sum(max(0, tail - gate.lane(lane).serving) for lane, tail in taken.items())

    def _changed(self, zone: Zone, by: str, why: str, changes: dict[str, Any]) -> Zone | None:
        """The zone as stored, None when somebody was faster: what is still due is done a minute later."""
        now_ms = self._clock.now_ms()
        reset = changes.pop("reset", False)
        changed = zone.with_changes(**changes)
        try:
            if reset:
                changed = open_run(self._gates, self._draws, self._ids, changed, zone.run + 1, now_ms)
            changed = stamped(changed, zone.version, now_ms, by, why)
            save(self._zones, changed)
        except StaleVersion:
            return None
        self._gates.fence(zone.zone_id, zone.run)
        if self._history is not None:
            self._history.zone(BY_ITSELF, zone, changed, by, why)
        return changed


def _stage(wanted: Due) -> dict[str, Any]:
    starts = {} if wanted.starts_at_ms is None else {"starts_at_ms": wanted.starts_at_ms}
    return {"stage": wanted.stage, "control": wanted.control, "reset": wanted.reset, **starts}


def _follows(zone: Zone) -> bool:
    return (zone.activation is not None or zone.protection is not None) and not zone.pinned


def _audit(before: Zone, after: Zone) -> Audit:
    """What changed from what to what, by whom and why."""
    changed = {
        name: [getattr(before, name), getattr(after, name)]
        for name in ("control", "starts_at_ms", "safe_rate_per_min", "run", "stage")
        if getattr(before, name) != getattr(after, name)
    }
    said = {"action": BY_ITSELF, "by": after.updated_by, "why": after.updated_why}
    return {"zone_id": after.zone_id, "version": after.version, **said, "changed": changed}
