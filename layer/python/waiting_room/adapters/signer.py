"""Tokens as signed with the deployment's keys (ES256). What verifies them is shared with the gate: `tokens.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import jwt
from jwt.algorithms import ECAlgorithm

from waiting_room.adapters.signing_keys import SigningKey
from waiting_room.domain.errors import NotReady
from waiting_room.tokens import ALGORITHM, Verifier, claims_fit


class Keys(Protocol):
    """Where the keys come from."""

    def load(self) -> tuple[SigningKey, ...]:
        """The current keys; the same object as long as nothing changed."""
        ...


class Signer:
    """Signs with the active key, if its private part is there; verifies with every key there is."""

    def __init__(self, keys: Keys, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._loaded: tuple[SigningKey, ...] = ()
        self._verifier = Verifier((), issuer)
        self._private: Any = None
        self._kid = ""

    def sign(self, audience: str, claims: Mapping[str, Any]) -> str:
        """A JWT with issuer and audience added; `claims` hold iat and exp in seconds.

        Raises ValueError for claims that `verify` would refuse, NotReady when there are no keys.
        """
        payload = {**claims, "iss": self._issuer, "aud": audience}
        if not claims_fit(payload, audience):
            raise ValueError(f"These are not the claims of a token for {audience!r}: {sorted(claims)}")
        self.refresh()
        if self._private is None:
            raise NotReady("None of the signing keys is active.")
        return jwt.encode(payload, self._private, algorithm=ALGORITHM, headers={"kid": self._kid})

    def verify(self, token: str, audience: str, *, now_sec: int, allow_expired: bool = False) -> dict[str, Any] | None:
        """The claims, or None for anything that is not exactly a valid token of this audience."""
        self.refresh()
        return self._verifier.verify(token, audience, now_sec=now_sec, allow_expired=allow_expired)

    def refresh(self) -> None:
        """Take over new keys. What was remembered of the old ones goes with them. Raises NotReady, Overloaded."""
        keys = self._keys.load()
        if keys is self._loaded:
            return
        active = next((key for key in keys if key.state == "active" and key.private_jwk), None)
        self._verifier = Verifier([key.public_jwk for key in keys], self._issuer)
        self._private = ECAlgorithm.from_jwk(dict(active.private_jwk)) if active else None
        self._kid, self._loaded = active.kid if active else "", keys
