"""Control: change a zone live (PROTOCOL, Modes and control). Holds in a second at the cap, in seconds at the edge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import Fault, InvalidInput, InvalidZone, StaleVersion, UnknownZone
from waiting_room.domain.gate.zone_rules import rule_faults
from waiting_room.domain.zone.checked import checked
from waiting_room.domain.zone.zones import SERVER_FIELDS, Zone
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.draw import Draws
from waiting_room.use_cases.history import Audit
from waiting_room.use_cases.wake import Wake
from waiting_room.use_cases.zones import (
    open_run,
    run_faults,
    same_settings,
    save,
    stamped,
)

TRIES = 4
"""Times a change without a version is applied anew when another operator was faster."""


@dataclass(frozen=True)
class ZoneChange:
    """What to change. `changes` is a merge patch of the zone (RFC 7396); `reset` starts a new run.

    `reason` is for the audit.
    """

    control: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    reset: bool = False
    version: int | None = None
    reason: str = ""


class ControlZone:
    """Applies a change to the zone as it is now, and withdraws what was decided by the old one."""

    def __init__(
        self,
        zones: ProtectedZones,
        gates: Gates,
        check_document: Callable[[Mapping[str, Any]], None],
        wake: Wake,
        clock: Clock,
        ids: Ids,
        audit: Audit | None = None,
    ) -> None:
        self._audit = audit
        self._zones = zones
        self._gates = gates
        self._check_document = check_document
        self._wake = wake
        self._clock = clock
        self._ids = ids
        self._draws = Draws(zones)

    def __call__(self, zone_id: str, change: ZoneChange, by: str) -> Zone:
        """The changed zone. With `version` only over that one; a change that is there already is no change.

        Raises UnknownZone, InvalidZone (the pointer is into the request), StaleVersion.
        """
        for _ in range(TRIES):
            stored = self._zones.get(zone_id)
            if stored is None:
                raise UnknownZone
            zone = self._patched(stored, change)
            if same_settings(zone, stored) and not change.reset:
                self._gates.fence(zone_id, stored.run)
                return stored
            if change.version not in (None, stored.version):
                raise StaleVersion(f"The zone has version {stored.version} by now.")
            try:
                changed = self._store(zone, stored, change, by)
            except StaleVersion:
                if change.version is not None:
                    raise
            else:
                # Whoever waits learns of it from the next tick; an idle zone has none under way.
                self._wake.now(zone_id)
                return changed
        raise StaleVersion

    def _store(self, zone: Zone, stored: Zone, change: ZoneChange, by: str) -> Zone:
        """Save first, then fence: a tick that read the old zone is refused, and so is every grant it gave."""
        now_ms = self._clock.now_ms()
        if change.reset:
            zone = open_run(self._gates, self._draws, self._ids, zone, stored.run + 1, now_ms)
        zone = stamped(zone, stored.version, now_ms, by)
        save(self._zones, zone)
        self._gates.fence(zone.zone_id, stored.run)
        if self._audit is not None:
            self._audit.zone("set_control", stored, zone, by, change.reason)
        return zone

    def _patched(self, stored: Zone, change: ZoneChange) -> Zone:
        fixed = [name for name in ("zone_id", *SERVER_FIELDS) if name in change.changes]
        if fixed:
            raise InvalidInput.of(Fault(f"/changes/{name}", f"{name} cannot be changed.") for name in fixed)
        now_ms = self._clock.now_ms()
        try:
            document = merge(stored.document, change.changes)
            if change.control is not None:
                document["control"] = change.control
            _pin(document, stored, change)
            self._check_document(document)
            return checked(document, rule_faults, lambda zone: run_faults(zone, stored, now_ms, new_run=change.reset))
        except InvalidInput as error:
            raise InvalidZone.of(Fault(f"/changes{pointer}", advice) for pointer, advice in error.faults) from None


def _pin(document: dict[str, Any], stored: Zone, change: ZoneChange) -> None:
    """The operator's hand wins: what is set by hand is left alone by the zone until `pinned` is set to false."""
    by_hand = change.changes.keys() | ({"control"} if change.control is not None else set())
    if stored.protection is not None and "rate_per_min" in by_hand:
        document.pop("safe_rate_per_min", None)
        document["pinned"] = change.changes.get("pinned", True)
    if stored.activation is not None and "control" in by_hand:
        document["pinned"] = change.changes.get("pinned", True)
    if document.get("protection") is None:
        document.pop("safe_rate_per_min", None)


def merge(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A document with a merge patch applied: null removes, objects merge, anything else replaces (RFC 7396)."""
    merged = dict(document)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            before = merged.get(name)
            merged[name] = merge(before if isinstance(before, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
