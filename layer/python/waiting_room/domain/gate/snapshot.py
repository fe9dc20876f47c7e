"""The gate snapshot as the gate reads it: everything it may know, checked to the last field before it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from waiting_room.domain.gate.exempt import BadExemption, Exemption
from waiting_room.domain.gate.request import HEADER_PREFIX
from waiting_room.domain.gate.rules import BadRule, Rule

__all__ = [
    "CONTROLS",
    "ENTRIES",
    "NETWORK_BINDINGS",
    "OPEN",
    "OPEN_REASONS",
    "SNAPSHOT_LIMIT_BYTES",
    "BadSnapshot",
    "GateSnapshot",
    "GateZone",
    "read_snapshot",
]

SNAPSHOT_LIMIT_BYTES = 512 * 1024
"""A gatekeeper parses it with a fourteenth of a processor, every 5 s."""

CONTROLS = ("auto", "pause", "pass", "lock", "end")
ENTRIES = ("enter", "page")
SESSION_KINDS = ("navigation", "script")
OPEN = HEADER_PREFIX + "open"
"""Tells the site that the gate let somebody pass whom it does not know, and why."""
OPEN_REASONS = ("pass", "observe", "preflight")
"""Of a zone; `no-snapshot` is the gate's own, where nothing is known of any zone."""
NETWORK_BINDINGS = ("off", "observe", "refuse")


class BadSnapshot(ValueError):
    """Raised when a snapshot is torn, of another deployment or of a shape this version does not know."""


@dataclass(frozen=True)
class GateZone:
    """What the gate knows of a zone. `entry`: where those without a token are sent. `idle_sec`: length of a lease.

    `open_headers` is what the site is told of a request without a badge, by the reason why it passes.
    """

    zone_id: str
    run: int
    control: str
    observe: bool
    entry: str
    forward_token: bool
    session_kind: str
    idle_sec: int
    network_binding: str = "off"
    exempt: tuple[Exemption, ...] = ()
    open_headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class GateSnapshot:
    """One published state. `keys` are public JWKs; revoked ids are session, visitor and bypass token ids."""

    version: int
    published_at_ms: int
    issuer: str
    keys: tuple[Mapping[str, Any], ...]
    zones: Mapping[str, GateZone]
    rules: tuple[Rule, ...]
    revoked_sids: frozenset[str]
    revoked_visitors: frozenset[str]
    revoked_bypasses: frozenset[str]


def read_snapshot(document: object, issuer: str) -> GateSnapshot:
    """Read a snapshot document. Fields it does not know are left alone. Raises BadSnapshot."""
    fields = _Fields(document, "the snapshot")
    if fields.text("issuer") != issuer:
        raise BadSnapshot(f"The snapshot is of issuer {fields.text('issuer')!r}, not {issuer!r}.")
    zones: dict[str, GateZone] = {}
    rules: list[Rule] = []
    for entry in fields.items("zones"):
        zone = _zone(entry)
        if zone.zone_id in zones:
            raise BadSnapshot(f"Zone {zone.zone_id} is there twice.")
        zones[zone.zone_id] = zone
        rules += _rules(zone.zone_id, entry)
    revoked = _Fields(fields.value("revoked"), "revoked")
    return GateSnapshot(
        version=fields.whole("version"),
        published_at_ms=fields.whole("published_at_ms"),
        issuer=issuer,
        keys=tuple(_Fields(key, "a key").all for key in fields.items("keys")),
        zones=zones,
        rules=tuple(rules),
        revoked_sids=revoked.ids("sids"),
        revoked_visitors=revoked.ids("visitors"),
        revoked_bypasses=revoked.ids("bypass"),
    )


def _zone(entry: object) -> GateZone:
    fields = _Fields(entry, "a zone")
    return GateZone(
        zone_id=fields.text("zone_id"),
        run=fields.whole("run"),
        control=fields.one_of("control", CONTROLS),
        observe=fields.flag("observe"),
        entry=fields.one_of("entry", ENTRIES),
        forward_token=fields.flag("forward_token"),
        session_kind=fields.one_of("session_kind", SESSION_KINDS),
        idle_sec=fields.whole("idle_sec"),
        # A publisher from before these were invented leaves them out.
        network_binding=fields.one_of("network_binding", NETWORK_BINDINGS)
        if "network_binding" in fields.all
        else "off",
        exempt=_exempt(fields),
        open_headers={why: {HEADER_PREFIX + "zone": fields.text("zone_id"), OPEN: why} for why in OPEN_REASONS},
    )


def _exempt(fields: _Fields) -> tuple[Exemption, ...]:
    documents = fields.items("exempt") if "exempt" in fields.all else []
    try:
        return tuple(Exemption.parse(_Fields(document, "an exempt rule").all) for document in documents)
    except BadExemption as error:
        raise BadSnapshot(f"Zone {fields.text('zone_id')}: {error}") from None


def _rules(zone_id: str, entry: object) -> list[Rule]:
    documents = _Fields(entry, "a zone").items("rules")
    if not documents:
        raise BadSnapshot(f"Zone {zone_id} has no rules.")
    try:
        return [Rule.parse(zone_id, _Fields(document, "a rule").all) for document in documents]
    except BadRule as error:
        raise BadSnapshot(f"Zone {zone_id} has a rule that cannot be understood. {error}") from None


class _Fields:
    """Typed access to a JSON object; every fault is a BadSnapshot that names the field."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise BadSnapshot(f"{what} must be an object.")
        self.all: dict[str, Any] = value
        self._what = what

    def value(self, name: str) -> object:
        if name not in self.all:
            raise BadSnapshot(f"{self._what} has no {name}.")
        return self.all[name]

    def text(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str) or not value:
            raise BadSnapshot(f"{name} of {self._what} must be text.")
        return value

    def whole(self, name: str) -> int:
        value = self.value(name)
        if type(value) is not int or value < 0:
            raise BadSnapshot(f"{name} of {self._what} must be a whole number from 0.")
        return value

    def flag(self, name: str) -> bool:
        value = self.value(name)
        if type(value) is not bool:
            raise BadSnapshot(f"{name} of {self._what} must be true or false.")
        return value

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.value(name)
        if value not in choices:
            raise BadSnapshot(f"{name} of {self._what} must be one of {', '.join(choices)}.")
        return str(value)

    def items(self, name: str) -> list[object]:
        value = self.value(name)
        if not isinstance(value, list):
            raise BadSnapshot(f"{name} of {self._what} must be a list.")
        return value

    def ids(self, name: str) -> frozenset[str]:
        values = self.items(name)
        if not all(isinstance(value, str) for value in values):
            raise BadSnapshot(f"{name} of {self._what} must be a list of ids.")
        return frozenset(str(value) for value in values)
