"""The waiting room's public keys: fetched when needed, kept while they cannot be.

PyJWT reads the keys; its PyJWKClient is not what keeps them. When the key set cannot be had, that one asks again with
every request, one after the other and for the whole time-out each, and lets go of the keys it had.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt

from foyer_origin.errors import KeysUnavailable

FRESH_SEC = 300.0
"""How old keys may be before they are asked for again: a withdrawn one counts no longer than that."""

ASK_AGAIN_SEC = 10.0
"""The least time between two questions, whatever came of the first: nobody's made-up key id makes us ask more often."""

KEPT_SEC = 86_400.0
"""How long keys count while the key set cannot be had."""


class KeySet:
    """Keys by their id. One thread asks; the others go by the keys there are, and wait only for one there is not.

    `fetch` returns the key set (RFC 7517) or raises httpx.HTTPError or ValueError; `clock` gives seconds.
    """

    def __init__(self, fetch: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._asking = threading.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = self._asked_at = float("-inf")

    def find(self, kid: str) -> jwt.PyJWK | None:
        """The key with this id, or None when there is none. Raises KeysUnavailable."""
        known = self._keys.get(kid)
        if known is not None and self._clock() - self._fetched_at < FRESH_SEC:
            return known
        if self._asking.acquire(blocking=known is None):
            try:
                if self._clock() - self._asked_at >= ASK_AGAIN_SEC:
                    self._ask()
            finally:
                self._asking.release()
        if self._clock() - self._fetched_at >= KEPT_SEC:
            raise KeysUnavailable("the waiting room's key set cannot be had")
        return self._keys.get(kid)

    def _ask(self) -> None:
        self._asked_at = self._clock()
        try:
            ours = [jwk for jwk in self._fetch()["keys"] if jwk.get("alg") == "ES256" and jwk.get("kid")]
            keys = {str(jwk["kid"]): jwt.PyJWK(jwk) for jwk in ours}
        except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError, jwt.PyJWTError):
            return
        if keys:
            self._keys, self._fetched_at = keys, self._clock()
