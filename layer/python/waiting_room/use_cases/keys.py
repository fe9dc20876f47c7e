"""Keys: make the signing keys at first use and pass their public parts on (DESIGN 4.6)."""

from __future__ import annotations

from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.signing_keys import SigningKey, SigningKeys

KEYS_PARTITION = "_keys"
KEY_ITEM = "key#"


class EnsureKeys:
    """Public parts also go into the protected_zones table: the publisher needs no right to the private ones."""

    def __init__(self, keys: SigningKeys, zones: ProtectedZones) -> None:
        self._keys = keys
        self._zones = zones

    def __call__(self) -> tuple[SigningKey, ...]:
        """The keys; made if there are none, and published. Done twice it is the same."""
        keys = self._keys.ensure()
        for key in keys:
            attributes = {"public_jwk": dict(key.public_jwk), "state": key.state, "created_at_ms": key.created_at_ms}
            self._zones.put_record(KEYS_PARTITION, KEY_ITEM + key.kid, attributes)
        return keys
