"""Zones: create, replace, read and delete what operators set. A change never lands on a version nobody read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import InvalidInput, InvalidZone, StaleVersion, UnknownZone, Unsure
from waiting_room.domain.gate.exempt import BadExemption, Exemption
from waiting_room.domain.gate.rules import BadRule, Rule, guards
from waiting_room.domain.gate_item import GateItem, Watermarks
from waiting_room.domain.leases import MARGIN_SEC
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
        zone = stamped(build_zone({**outside, **wanted, **hashed}), 0, self._clock.now_ms(), by)
        self._ensure_keys()
        refuse_past_start(zone, None, self._clock.now_ms())
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
        zone = build_zone({**kept, **wanted, "site_key_sha256": key})
        if not same_settings(zone, stored):
            refuse_within_run(zone, stored)
            refuse_past_start(zone, stored, self._clock.now_ms())
            if version != stored.version:
                raise StaleVersion(f"The zone has version {stored.version}: read it and send that version.")
            zone = stamped(zone, stored.version, self._clock.now_ms(), by)
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


def build_zone(document: Mapping[str, Any]) -> Zone:
    """A zone from a document that fits its schema; raises InvalidZone for a contradiction or a rule without sense."""
    zone = Zone.from_document(document)
    for index, rule in enumerate(zone.rules):
        try:
            Rule.parse(zone.zone_id, rule)
        except BadRule as error:
            raise InvalidZone(str(error), f"/rules/{index}") from None
    for index, rule in enumerate(zone.exempt):
        try:
            Exemption.parse(rule)
        except BadExemption as error:
            raise InvalidZone(str(error), f"/exempt/{index}") from None
    probe = (zone.health or {}).get("probe")
    if probe and guards(
        [Rule.parse(zone.zone_id, rule) for rule in zone.rules], {probe["host"]}, [probe["path"]], {"GET"}
    ):
        raise InvalidZone(
            "The zone guards this path, so the probe would see the waiting room: exclude the path in the rules.",
            "/health/probe/path",
        )
    return zone


def stamped(zone: Zone, replaced_version: int, now_ms: int, by: str, why: str = "") -> Zone:
    """The zone as the version after `replaced_version`, with who changed it, when, and why if it did so by itself."""
    return replace(zone, version=replaced_version + 1, updated_at_ms=now_ms, updated_by=by, updated_why=why)


def refuse_within_run(zone: Zone, stored: Zone) -> None:
    """Raise InvalidZone for a change that only a new run can make: a place must go on meaning what it meant."""
    for name, value in (("order", stored.order), ("beacon", stored.beacon)):
        if getattr(zone, name) != value:
            raise InvalidZone(
                f"It is '{value}' for this run, as visitors were told: change it with a reset.", f"/{name}"
            )
    for lane in stored.lanes:
        if lane not in zone.lanes:
            raise InvalidZone(
                f"Visitors of this run may wait in the lane '{lane}': keep it, or take it away with a reset.", "/lanes"
            )


def refuse_past_start(zone: Zone, stored: Zone | None, now_ms: int) -> None:
    """Raise InvalidZone for a start that is set in the past; one that has come by since it was set may stay."""
    unchanged = stored is not None and stored.starts_at_ms == zone.starts_at_ms
    if zone.starts_at_ms is not None and not zone.schedule and not unchanged and zone.starts_at_ms < now_ms - PAST_MS:
        raise InvalidZone("This moment has passed: set a later start, or leave starts_at_ms out.", "/starts_at_ms")


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
