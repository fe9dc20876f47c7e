"""The gate snapshot as it is made: from zones and their records to the bytes the gate will read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from waiting_room.domain.errors import TooLarge
from waiting_room.domain.gate.revocations import KINDS, fitting
from waiting_room.domain.gate.snapshot import SNAPSHOT_LIMIT_BYTES, read_snapshot
from waiting_room.domain.line.draws import Draw
from waiting_room.domain.zone.zones import Zone

__all__ = ["SnapshotParts", "build_snapshot", "encode_snapshot", "public_part"]

_ANY = 10**9
"""As long a number as `left_out` gets, while the size of the document is not known."""
_KEY_FIELDS = ("kid", "alg", "kty", "crv", "x", "y")


@dataclass(frozen=True)
class SnapshotParts:
    """What a snapshot is made of. `entries` by zone id; revoked ids by kind: `sids`, `visitors`, `bypass`.

    Where there is no room for all of a kind, the first ones are left out.
    """

    zones: Sequence[Zone] = ()
    entries: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[Mapping[str, Any]] = ()
    revoked: Mapping[str, Sequence[str]] = field(default_factory=dict)
    draws: Sequence[Draw] = ()


def build_snapshot(parts: SnapshotParts, *, version: int, published_at_ms: int, issuer: str) -> dict[str, Any]:
    """The document; the same parts give the same document. Raises BadSnapshot if the gate would not believe it.

    Revoked ids that would make it larger than a gatekeeper reads are left out, and `left_out` says how many.
    """
    document: dict[str, Any] = {
        "version": version,
        "published_at_ms": published_at_ms,
        "issuer": issuer,
        "keys": sorted(map(public_part, parts.keys), key=lambda key: str(key["kid"])),
        "zones": [
            _entry(zone, parts.entries.get(zone.zone_id, "enter"))
            for zone in sorted(parts.zones, key=lambda zone: zone.zone_id)
        ],
        "revoked": {kind: [] for kind in KINDS},
        "left_out": _ANY,
    }
    room_bytes = SNAPSHOT_LIMIT_BYTES - len(_body(document))
    document["revoked"], document["left_out"] = fitting(parts.revoked, room_bytes)
    read_snapshot(document, issuer)
    return document


def encode_snapshot(document: Mapping[str, Any]) -> bytes:
    """The document as stored. Raises TooLarge above what a gatekeeper reads."""
    body = _body(document)
    if len(body) > SNAPSHOT_LIMIT_BYTES:
        raise TooLarge(
            f"The gate snapshot would have {len(body)} bytes, {SNAPSHOT_LIMIT_BYTES} are allowed: it holds "
            f"{len(document['zones'])} zones. Delete zones, or write fewer rules."
        )
    return body


def public_part(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a public key and no others: whatever else an item holds stays where it is."""
    return {name: jwk[name] for name in _KEY_FIELDS}


def _body(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _entry(zone: Zone, entry: str) -> dict[str, Any]:
    return {
        "zone_id": zone.zone_id,
        "run": zone.run,
        "control": zone.control,
        "observe": zone.observe,
        "rules": [dict(rule) for rule in zone.rules],
        "exempt": [dict(rule) for rule in zone.exempt],
        "network_binding": zone.network_binding,
        "entry": entry,
        "forward_token": zone.forward_token,
        "session_kind": zone.session.kind,
        "idle_sec": zone.session.idle_sec,
    }
