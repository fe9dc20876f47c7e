"""Publish: everything CloudFront serves of the zones, made from all of them as they are now (outbox pattern).

What a stream record says is never looked at: it only says that it is time to read again, so records may come late,
twice or out of order.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waiting_room import schemas
from waiting_room.adapters.protected_zones import CONFIG, ProtectedZones
from waiting_room.adapters.signing_keys import KEY_ITEM, KEYS_PARTITION
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.gate.published import SnapshotParts, build_snapshot, encode_snapshot, public_part
from waiting_room.domain.line.draws import Draw, draw_of
from waiting_room.domain.locations import PREFIX, draw_path, page_path
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, ObjectStore, StoredObject
from waiting_room.tokens import Verifier
from waiting_room.use_cases.bypass import REVOKED_BYPASS
from waiting_room.use_cases.draw import DRAW_ITEM
from waiting_room.use_cases.leave import REVOKED_SID, REVOKED_VISITOR
from waiting_room.use_cases.minute_rows import ENTRY

TRIES = 8
"""Lost puts after which somebody else is at work all the time."""
EXPIRES_AT_SEC: str = schemas.table("protected_zones")["ttl_attribute"]

JWKS_KEY = f"{PREFIX}/jwks.json".lstrip("/")
ASSETS_PREFIX = f"{PREFIX}/assets/".lstrip("/")

LEFT_OUT = "revocations_left_out"
_REVOKED = {REVOKED_SID: "sids", REVOKED_VISITOR: "visitors", REVOKED_BYPASS: "bypass"}

_NEVER = 2**63

SiteFile = tuple[str, bytes, str, str]
"""Path (of an asset: below the assets folder; else the key), content, content type, Cache-Control."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """What a run did: the snapshot's version, and the keys of the other objects it wrote."""

    version: int
    written: tuple[str, ...]


class Publish:
    """Writes pages, keys and assets that changed, then the snapshot. Several at once end with the newest state."""

    def __init__(
        self,
        zones: ProtectedZones,
        objects: ObjectStore,
        clock: Clock,
        waiting_page: Callable[[Zone], str],
        assets: Iterable[SiteFile],
        *,
        issuer: str,
        snapshot_key: str,
    ) -> None:
        self._zones = zones
        self._objects = objects
        self._clock = clock
        self._waiting_page = waiting_page
        self._assets = tuple(assets)
        self._issuer = issuer
        self._snapshot_key = snapshot_key
        self._digests: dict[str, bytes] = {}

    def __call__(self, *, recheck: bool = False) -> Published:
        """Publish once. `recheck` compares every object with the bucket, not only with what this instance wrote.

        A page, a record of a draw or an asset that cannot be written keeps nobody else's from being published.

        Raises Overloaded when something of that was left out, or others wrote the snapshot each time; TooLarge,
        BadSnapshot or InvalidKey when the gate would not take it, and then the one before stays.
        """
        if recheck:
            self._digests.clear()
        written: list[str] = []
        for _ in range(TRIES):
            # In this order: whoever finds the snapshot unchanged at the end knows that nobody has read the zones
            # later. And a page is there before the gate sends anybody to it.
            stored = self._objects.get(self._snapshot_key)
            now_ms = self._clock.now_ms()
            parts = self._read(now_ms // 1000)
            put, left_out = self._put_site(parts)
            written += put
            version = self._next_version(stored, now_ms)
            document = build_snapshot(parts, version=version, published_at_ms=now_ms, issuer=self._issuer)
            Verifier(document["keys"], self._issuer)
            body = encode_snapshot(document)
            if document["left_out"]:
                self._tell_left_out(document["left_out"], now_ms)
            if self._put_snapshot(body, stored):
                if left_out:
                    raise Overloaded(f"Published, but for {', '.join(left_out)}.")
                return Published(version, tuple(dict.fromkeys(written)))
        raise Overloaded("The gate snapshot was written by somebody else each time.")

    def _read(self, now_sec: int) -> SnapshotParts:
        items = self._zones.scan_items(now_sec, signed=REVOKED_SID)
        zones = [self._zones.zone_of(item) for item in items if item["item"] == CONFIG]
        return SnapshotParts(
            zones=zones,
            entries={item["zone_id"]: item["entry"] for item in items if item["item"] == ENTRY},
            draws=[_draw(item) for item in items if item["item"].startswith(DRAW_ITEM)],
            keys=[item["public_jwk"] for item in items if _is_key(item)],
            revoked=_revoked(items, {zone.zone_id: zone.run for zone in zones}),
        )

    def _site(self, parts: SnapshotParts) -> Iterable[SiteFile]:
        """Everything but keys and snapshot."""
        for suffix, body, content_type, cache_control in self._assets:
            yield ASSETS_PREFIX + suffix, body, content_type, cache_control
        for zone in parts.zones:
            page = self._waiting_page(zone).encode()
            yield page_path(zone.zone_id).lstrip("/"), page, "text/html; charset=utf-8", _cache_control("pages")
        for draw in parts.draws:
            body = json.dumps(draw.document, separators=(",", ":"), sort_keys=True).encode()
            key = draw_path(draw.zone_id, draw.run).lstrip("/")
            yield key, body, "application/json", _cache_control("draws")

    def _put_site(self, parts: SnapshotParts) -> tuple[list[str], list[str]]:
        """Write what changed; what was written, and what could not be. Keys must be known to sites before the gate."""
        keys = (JWKS_KEY, _key_set(parts.keys), "application/jwk-set+json", _cache_control("keys"))
        written = [JWKS_KEY] if self._put(keys) else []
        left_out = []
        for file in self._site(parts):
            try:
                written += [file[0]] if self._put(file) else []
            except Overloaded:
                logger.warning("an object could not be written", extra={"object": file[0]})
                left_out.append(file[0])
        return written, left_out

    def _put(self, file: SiteFile) -> bool:
        """Write an object unless it is there already; True if it was written."""
        key, body, content_type, cache_control = file
        digest = hashlib.sha256(body).digest()
        if self._digests.get(key) == digest:
            return False
        stored = self._objects.get(key)
        changed = stored is None or stored.body != body
        if changed:
            self._objects.put(key, body, content_type, cache_control)
        self._digests[key] = digest
        return changed

    def _put_snapshot(self, body: bytes, stored: StoredObject | None) -> bool:
        cache_control = _cache_control("snapshot")
        if stored is None:
            return self._objects.put(self._snapshot_key, body, "application/json", cache_control, if_absent=True)
        return self._objects.put(self._snapshot_key, body, "application/json", cache_control, if_match=stored.etag)

    def _tell_left_out(self, count: int, now_ms: int) -> None:
        """A line of the log that CloudWatch counts too (embedded metric format), as the metric LEFT_OUT."""
        metrics = {"Namespace": self._issuer, "Dimensions": [[]], "Metrics": [{"Name": LEFT_OUT, "Unit": "Count"}]}
        told = {LEFT_OUT: count, "_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [metrics]}}
        logger.warning("the gate snapshot is full: revocations were left out", extra=told)

    def _next_version(self, stored: StoredObject | None, now_ms: int) -> int:
        """One more than the last. Where that is lost, the time in seconds: higher than any version counted up to."""
        try:
            last = json.loads(stored.body)["version"] if stored else 0
        except (ValueError, KeyError, TypeError):
            logger.warning("the gate snapshot cannot be read: its version starts from the time")
            last = 0
        return last + 1 if type(last) is int and last > 0 else now_ms // 1000


def _revoked(items: Iterable[Mapping[str, Any]], runs: Mapping[str, int]) -> dict[str, list[str]]:
    """Revoked ids by kind, those that end first first. Tokens of other runs are void without it."""
    found: dict[str, list[tuple[int, str]]] = {kind: [] for kind in _REVOKED.values()}
    for item in items:
        start = next((start for start in _REVOKED if item["item"].startswith(start)), None)
        if start is not None and item.get("run", runs.get(item["zone_id"])) == runs.get(item["zone_id"], 0):
            revoked_id = item["item"].removeprefix(start)
            found[_REVOKED[start]].append((item.get(EXPIRES_AT_SEC, _NEVER), revoked_id))
    return {kind: [revoked_id for _, revoked_id in sorted(ids)] for kind, ids in found.items()}


def _draw(item: Mapping[str, Any]) -> Draw:
    return draw_of(item["zone_id"], int(item["item"].removeprefix(DRAW_ITEM)), item)


def _is_key(item: Mapping[str, Any]) -> bool:
    return bool(item["zone_id"] == KEYS_PARTITION and item["item"].startswith(KEY_ITEM))


def _key_set(keys: Sequence[Mapping[str, Any]]) -> bytes:
    """The key set the site's own servers verify access tokens with (RFC 7517)."""
    public = sorted(map(public_part, keys), key=lambda key: str(key["kid"]))
    return json.dumps({"keys": [{**key, "use": "sig"} for key in public]}, separators=(",", ":")).encode()


def _cache_control(behaviour: str) -> str:
    entries = schemas.behaviours()["behaviours"]
    return str(next(entry["cache_control"] for entry in entries if entry["name"] == behaviour))
