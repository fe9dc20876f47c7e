"""Zones: create, replace, read and delete what operators set. A change never lands on a version nobody read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.errors import Fault, InvalidInput, StaleVersion, UnknownZone, Unsure
from waiting_room.domain.gate.zone_rules import rule_faults
from waiting_room.domain.leases import MARGIN_SEC
from waiting_room.domain.zone.checked import checked
from waiting_room.domain.zone.zones import SERVER_FIELDS, Zone
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.draw import Draws
from waiting_room.use_cases.history import Audit
from waiting_room.use_cases.keys import EnsureKeys
from waiting_room.use_cases.wake import Wake

HELD_BACK_MS = 15_000 + MARGIN_SEC * 1000
"""A run that follows another grants nothing for so long: old tokens must have left the edge, which takes 15 s, and the
clock of whoever grants may be ahead of the operator's (PROTOCOL, Runs)."""


KEPT = ("control", "pinned", "run", "granted_from_ms", "stage", "safe_rate_per_min")
"""What a document that replaces a zone leaves as it is, unless it names it and may."""

PAST_MS = 120_000
"""A start may lie this far back when it is set: clocks differ, and "now" is a start too."""


@dataclass(frozen=True)
class PutResult:
    """What became of a zone document. `site_key` is told once, when the service made it; only its hash is kept."""

    zone: Zone
    created: bool = False
    site_key: str | None = None


class PutZone:
    """Creates a zone, or replaces the version the operator has read."""

    def __init__(
        self,
        zones: ProtectedZones,
        gates: Gates,
        ensure_keys: EnsureKeys,
        wake: Wake,
        clock: Clock,
        ids: Ids,
        audit: Audit | None = None,
    ) -> None:
        self._audit = audit
        self._zones = zones
        self._gates = gates
        self._ensure_keys = ensure_keys
        self._wake = wake
        self._clock = clock
        self._ids = ids
        self._draws = Draws(zones)

    def __call__(self, zone_id: str, document: Mapping[str, Any], by: str) -> PutResult:
        """Store a document that fits schemas/zone.json; `version` says which one it replaces.

        The same document again changes nothing; fields the service writes are ignored. What a document leaves out
        has its default, but for `control` and the site key, which stay: applying a file must not open a room that was
        locked by hand. Raises InvalidZone, StaleVersion.
        """
        wanted = {name: value for name, value in document.items() if name not in SERVER_FIELDS}
        if wanted["zone_id"] != zone_id:
            raise InvalidInput("The zone_id of the document is not the one of the address.", "/zone_id")
        stored = self._zones.get(zone_id)
        if stored is None:
            result = self._create(wanted, document.get("version"), by)
        else:
            result = self._replace(stored, wanted, document.get("version"), by)
        # The first tick writes the status document; after a change, the next one tells everybody waiting.
        self._wake.now(zone_id)
        return result

    def _create(self, wanted: Mapping[str, Any], version: int | None, by: str) -> PutResult:
        if version:
            raise StaleVersion("The zone does not exist any more; leave out version to create it.")
        site_key = None if wanted.get("site_key_sha256") else self._ids.session_id() + self._ids.session_id()
        hashed = {"site_key_sha256": hash_site_key(site_key)} if site_key else {}
        # A zone with a schedule is closed until the dispatcher finds a window open.
        outside = {"control": wanted["schedule"].get("outside", "end")} if wanted.get("schedule") else {}
        now_ms = self._clock.now_ms()
        document = {**outside, **wanted, **hashed}
        zone = checked(document, rule_faults, lambda zone: start_faults(zone, None, now_ms))
        zone = stamped(zone, 0, now_ms, by)
        self._ensure_keys()
        zone = open_run(self._gates, self._draws, self._ids, zone, 1, self._clock.now_ms())
        if not self._zones.save(zone, None) and self._zones.get(zone.zone_id) != zone:
            raise StaleVersion("The zone was created by somebody else at the same time.")
        if self._audit is not None:
            self._audit.zone("put_zone", None, zone, by)
        return PutResult(zone, created=True, site_key=site_key)

    def _replace(self, stored: Zone, wanted: Mapping[str, Any], version: int | None, by: str) -> PutResult:
        kept = {name: getattr(stored, name) for name in KEPT if getattr(stored, name) is not None}
        if wanted.get("schedule") and stored.starts_at_ms is not None:
            kept["starts_at_ms"] = stored.starts_at_ms
        key = wanted.get("site_key_sha256") or stored.site_key_sha256
        document, now_ms = {**kept, **wanted, "site_key_sha256": key}, self._clock.now_ms()
        zone = checked(document, rule_faults, lambda zone: run_faults(zone, stored, now_ms))
        if not same_settings(zone, stored):
            if version != stored.version:
                raise StaleVersion(f"The zone has version {stored.version}: read it and send that version.")
            zone = stamped(zone, stored.version, now_ms, by)
            save(self._zones, zone)
            if self._audit is not None:
                self._audit.zone("put_zone", stored, zone, by)
            stored = zone
        self._gates.fence(stored.zone_id, stored.run)
        return PutResult(stored)


class GetZone:
    """Reads one zone."""

    def __init__(self, zones: ProtectedZones) -> None:
        self._zones = zones

    def __call__(self, zone_id: str) -> Zone:
        """The zone as stored; raises UnknownZone."""
        zone = self._zones.get(zone_id)
        if zone is None:
            raise UnknownZone
        return zone


class ListZones:
    """Reads all zones."""

    def __init__(self, zones: ProtectedZones) -> None:
        self._zones = zones

    def __call__(self) -> list[Zone]:
        """Every zone, by id."""
        return self._zones.all()


class DeleteZone:
    """Takes a zone away: its paths are open from then on."""

    def __init__(self, zones: ProtectedZones, gates: Gates, audit: Audit | None = None) -> None:
        self._zones = zones
        self._gates = gates
        self._audit = audit

    def __call__(self, zone_id: str, by: str = "") -> None:
        """Delete a zone and its records; done twice it is the same. Raises UnknownZone if there never was one.

        Its runs stay taken: no old token fits a later zone of this name.
        """
        zone = self._zones.get(zone_id)
        if zone is not None:
            self._zones.delete(zone_id)
            self._gates.fence(zone_id, zone.run)
            if self._audit is not None:
                self._audit.zone("delete_zone", zone, None, by)
        elif self._gates.read(zone_id, 1) is None:
            raise UnknownZone


def stamped(zone: Zone, replaced_version: int, now_ms: int, by: str, why: str = "") -> Zone:
    """The zone as the version after `replaced_version`, with who changed it, when, and why if it did so by itself."""
    return replace(zone, version=replaced_version + 1, updated_at_ms=now_ms, updated_by=by, updated_why=why)


def run_faults(zone: Zone, stored: Zone, now_ms: int, *, new_run: bool = False) -> list[Fault]:
    """What cannot be changed from `stored` into `zone`: nothing is wrong with a zone that stays as it is."""
    if same_settings(zone, stored):
        return []
    return [*([] if new_run else _kept_within_a_run(zone, stored)), *start_faults(zone, stored, now_ms)]


def _kept_within_a_run(zone: Zone, stored: Zone) -> list[Fault]:
    """Changes that only a new run can make: a place must go on meaning what it meant."""
    changed = [(name, value) for name, value in (("order", stored.order), ("beacon", stored.beacon))]
    return [
        *(
            Fault(f"/{name}", f"It is '{value}' for this run, as visitors were told: change it with a reset.")
            for name, value in changed
            if getattr(zone, name) != value
        ),
        *(
            Fault("/lanes", f"Visitors of this run may wait in the lane '{lane}': keep it, or drop it with a reset.")
            for lane in stored.lanes
            if lane not in zone.lanes
        ),
    ]


def start_faults(zone: Zone, stored: Zone | None, now_ms: int) -> list[Fault]:
    """A start that is set in the past; one that has come by since it was set may stay."""
    unchanged = stored is not None and stored.starts_at_ms == zone.starts_at_ms
    if zone.starts_at_ms is None or zone.schedule or unchanged or zone.starts_at_ms >= now_ms - PAST_MS:
        return []
    return [Fault("/starts_at_ms", "This moment has passed: set a later start, or leave starts_at_ms out.")]


def same_settings(one: Zone, other: Zone) -> bool:
    """Whether two zones differ in nothing but who stored them when."""
    return stamped(one, 0, 0, "") == stamped(other, 0, 0, "")


def save(zones: ProtectedZones, zone: Zone) -> None:
    """Store a zone over the version before; raises StaleVersion when that is not there any more."""
    if not zones.save(zone, zone.version - 1) and zones.get(zone.zone_id) != zone:
        raise StaleVersion


def open_run(gates: Gates, draws: Draws, ids: Ids, zone: Zone, first: int, now_ms: int) -> Zone:
    """The zone in a run of its own, `first` or later. Whoever writes a run's gate item has taken the number for ever.

    A number whose answer was lost is skipped, or asked for again: raises Unsure. Every run but the first is held back
    at its start. Where order is by lot, the draw is committed to before anybody can join.
    """
    run = first
    lanes = {name: Watermarks() for name in zone.lanes}
    gate = GateItem(zone.zone_id, run, zone.bucket_width_sec, lanes=lanes, shards=zone.shards, order=zone.order)
    while not gates.create(replace(gate, run=run)):
        if gates.read(zone.zone_id, run) is None:
            raise Unsure
        run += 1
    if zone.order == "lottery":
        draws.commit(zone.zone_id, run, ids)
    return replace(zone, run=run, granted_from_ms=0 if run == 1 else now_ms + HELD_BACK_MS)


def hash_site_key(site_key: str) -> str:
    """What is stored of a site key: 256 random bits need no salt."""
    return hashlib.sha256(site_key.encode("utf-8")).hexdigest()
