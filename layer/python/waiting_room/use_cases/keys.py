"""Keys: make the signing keys at first use, pass their public parts on (PROTOCOL, Tokens), and replace them one by one.

A key goes through `next` (published, not used), `active` (signs) and `retired` (verifies what it signed). Each step
waits until everybody who verifies has heard of the one before, so that no visitor ever loses a place to a rotation.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.signing_keys import (
    CACHE_SEC,
    KEY_ITEM,
    KEYS_PARTITION,
    MOST_KEYS,
    SigningKey,
    SigningKeys,
    new_key,
)
from waiting_room.domain.errors import KeyInUse, Overloaded, UnknownKey
from waiting_room.ports import Clock, ObjectStore

LOCK_ITEM = "lock"

INTRODUCED_SEC = CACHE_SEC + 60
"""How long a key is published before it signs: functions keep keys, and an edge its snapshot, for CACHE_SEC at most."""
OUTLIVED_SEC = CACHE_SEC + 86_400
"""How long after its replacement the last token of a key has expired: no token is valid for more than a day."""
LOCKED_SEC = 30
"""Longer than one request of the operator's can take."""

Step = Literal["introduced", "waiting", "switched"]


@dataclass(frozen=True)
class Rotation:
    """What a call did, the keys after it, and in how many seconds the next call can do something."""

    step: Step
    keys: tuple[SigningKey, ...]
    wait_sec: int


class EnsureKeys:
    """Public parts also go into the protected_zones table: the publisher needs no right to the private ones."""

    def __init__(self, keys: SigningKeys, zones: ProtectedZones, clock: Clock) -> None:
        self._keys = keys
        self._zones = zones
        self._clock = clock

    def __call__(self) -> tuple[SigningKey, ...]:
        """The keys; made if there are none, and published. Done twice it is the same."""
        keys = self._keys.ensure()
        self.publish(keys)
        return keys

    def publish(self, keys: tuple[SigningKey, ...]) -> None:
        """Pass the public parts on; when each of them first was is kept."""
        known = {record["item"]: record for record in self._zones.records(KEYS_PARTITION, KEY_ITEM)}
        for key in keys:
            before = known.get(KEY_ITEM + key.kid)
            first_ms = before.get("published_at_ms", key.created_at_ms) if before else self._clock.now_ms()
            attributes = {
                "public_jwk": dict(key.public_jwk),
                "state": key.state,
                "created_at_ms": key.created_at_ms,
                "published_at_ms": first_ms,
            }
            self._zones.put_record(KEYS_PARTITION, KEY_ITEM + key.kid, attributes)

    def published_at_ms(self, key: SigningKey) -> int:
        """When a key that was published first was."""
        record = self._zones.record(KEYS_PARTITION, KEY_ITEM + key.kid) or {}
        return int(record["published_at_ms"])


class ChangeKeys:
    """Rotates and retires. One at a time: a secret has no conditional write, the table has."""

    def __init__(
        self,
        keys: SigningKeys,
        ensure: EnsureKeys,
        zones: ProtectedZones,
        objects: ObjectStore,
        clock: Clock,
        *,
        snapshot_key: str,
    ) -> None:
        self._keys = keys
        self._ensure = ensure
        self._zones = zones
        self._objects = objects
        self._clock = clock
        self._snapshot_key = snapshot_key

    def rotate(self) -> Rotation:
        """Put the next key to use and introduce another; say how long to wait while it is not known everywhere.

        Called again too early it changes nothing, so that two operators at once rotate once. Raises KeyInUse when too
        many retired keys are still there, Overloaded while somebody else changes keys.
        """
        with self._alone():
            keys, now_ms = self._ensure(), self._clock.now_ms()
            upcoming = next((key for key in keys if key.state == "next"), None)
            if upcoming is None:
                return Rotation("introduced", self._store((*keys, new_key("next", now_ms))), INTRODUCED_SEC)
            wait_sec = self._unknown_for_sec(upcoming)
            if wait_sec > 0:
                return Rotation("waiting", keys, wait_sec)
            if len(keys) >= MOST_KEYS:
                raise KeyInUse(f"There are {MOST_KEYS} keys, as many as can be stored: retire the oldest one first.")
            after = tuple(_moved(key, now_ms) for key in keys)
            return Rotation("switched", self._store((*after, new_key("next", now_ms))), INTRODUCED_SEC)

    def retire(self, kid: str, *, force: bool = False) -> None:
        """Take a replaced key away; from then on nothing it signed is believed. Done twice: UnknownKey.

        Raises KeyInUse while tokens of it may be valid. `force` (a key has leaked) asks only that no function signs
        with it any more: visitors with an older token then lose their place.
        """
        with self._alone():
            keys = self._ensure()
            key = next((key for key in keys if key.kid == kid), None)
            if key is None:
                # What an earlier call may have left half done.
                if self._zones.record(KEYS_PARTITION, KEY_ITEM + kid) is None:
                    raise UnknownKey
            elif key.state != "retired":
                raise KeyInUse(f"The key is {key.state}: rotate the keys first, until it is retired.")
            else:
                self._refuse_early(key, force)
                self._keys.replace(tuple(other for other in keys if other is not key))
            self._zones.delete_record(KEYS_PARTITION, KEY_ITEM + kid)

    def _refuse_early(self, key: SigningKey, force: bool) -> None:
        wanted_sec = CACHE_SEC if force else OUTLIVED_SEC
        left_sec = wanted_sec - (self._clock.now_ms() - key.changed_at_ms) // 1000
        if left_sec > 0:
            reason = "Functions may still sign with it" if force else "Tokens it signed may still be valid"
            raise KeyInUse(f"{reason}: retire it in {left_sec} s.")

    def _unknown_for_sec(self, upcoming: SigningKey) -> int:
        """How long, at least, until every edge knows a key. A snapshot without it would refuse all it signs."""
        known_sec = (self._clock.now_ms() - self._ensure.published_at_ms(upcoming)) // 1000
        if upcoming.kid not in self._published_kids():
            return max(60, INTRODUCED_SEC - known_sec)
        return INTRODUCED_SEC - known_sec

    def _published_kids(self) -> set[str]:
        stored = self._objects.get(self._snapshot_key)
        return {str(key["kid"]) for key in json.loads(stored.body)["keys"]} if stored else set()

    def _store(self, keys: tuple[SigningKey, ...]) -> tuple[SigningKey, ...]:
        """Private parts first: what is published must be there, and nothing signs with a key before it was."""
        self._keys.replace(keys)
        self._ensure.publish(keys)
        return keys

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        now_ms = self._clock.now_ms()
        if not self._zones.hold(KEYS_PARTITION, LOCK_ITEM, now_ms + LOCKED_SEC * 1000, now_ms):
            raise Overloaded("Somebody else is changing the keys.", LOCKED_SEC)
        try:
            yield
        finally:
            self._zones.delete_record(KEYS_PARTITION, LOCK_ITEM)


def _moved(key: SigningKey, now_ms: int) -> SigningKey:
    """A key one state further."""
    if key.state == "retired":
        return key
    return replace(key, state="active" if key.state == "next" else "retired", changed_at_ms=now_ms)
