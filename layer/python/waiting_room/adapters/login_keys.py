"""The keys of a site's own login: written in the zone, fetched as a key set (JWKS), or a secret of Secrets Manager.

A login that cannot be reached stops nobody for long: what was fetched goes on being used, and while there is nothing
yet, one try in RETRY_SEC waits for it and everybody else is answered at once.
"""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from waiting_room.domain.errors import NotReady
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock

KEPT_SEC = 600
"""How long a key set or a secret is used before it is read again."""
RETRY_SEC = 30
"""At most so often is a login asked: after a failure, and for a key id that nobody has heard of."""
LONGEST_KEPT_SEC = 86_400
"""How long a key set is used while its login cannot be reached; a key taken away there is refused here by then."""
SCHEME = "https://"
TIMEOUT_SEC = 2.0
LARGEST_SET_BYTES, MOST_KEYS = 65_536, 20
SHORTEST_SECRET_BYTES = 32
"""HS256 needs a secret as long as its hash (RFC 7518, 3.2)."""
LEAST_RSA_BITS = 2048

Fetch = Callable[[str], bytes]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoginKey:
    """A key and the one algorithm it is for."""

    key: Any
    algorithm: str


@dataclass
class _Kept:
    keys: Mapping[str, LoginKey] = field(default_factory=dict)
    read_at_ms: int = -(2**60)
    tried_at_ms: int = -(2**60)


class LoginKeys:
    """Finds the key a join claim names. Key sets and secrets are kept by each container."""

    def __init__(self, secrets: Any, secrets_path: str, clock: Clock, fetch: Fetch | None = None) -> None:
        """`secrets_path` and a zone's id are the name of its secret."""
        self._secrets = secrets
        self._secrets_path = secrets_path
        self._clock = clock
        self._fetch = fetch or fetch_https
        self._kept: dict[str, _Kept] = {}

    def find(self, zone: Zone, kid: object) -> LoginKey | None:
        """The key of this id, or None for one that is not the login's; of a shared secret the id does not matter.

        Raises NotReady while the login's keys have never been read.
        """
        settings: Mapping[str, Any] = zone.identity or {}
        if "jwks_url" in settings:
            return self._from_set(settings["jwks_url"], kid)
        if settings.get("shared_secret"):
            return self._secret(f"{self._secrets_path}/{zone.zone_id}")
        jwk = next((key for key in settings.get("keys", ()) if key["kid"] == kid), None)
        return None if jwk is None else LoginKey(jwt.PyJWK(dict(jwk)).key, jwk["alg"])

    def _from_set(self, url: str, kid: object) -> LoginKey | None:
        kept = self._refreshed(url, lambda kept: kid in kept.keys, lambda: key_set(self._fetch(url)))
        if kept is None:
            raise NotReady("The site's login cannot be reached to check who you are. Please try again in a moment.")
        return kept.keys.get(kid) if isinstance(kid, str) else None

    def _secret(self, name: str) -> LoginKey:
        kept = self._refreshed(name, lambda _: True, lambda: {"": self._read_secret(name)})
        if kept is None:
            raise NotReady(f"Put the login's secret, {SHORTEST_SECRET_BYTES} bytes or more, into the secret {name}.")
        return kept.keys[""]

    def _refreshed(
        self, name: str, knows: Callable[[_Kept], bool], read: Callable[[], Mapping[str, LoginKey]]
    ) -> _Kept | None:
        """What is kept under a name, read again when it is old or does not know; None when there is nothing to use."""
        now_ms = self._clock.now_ms()
        kept = self._kept.setdefault(name, _Kept())
        is_old = now_ms - kept.read_at_ms >= KEPT_SEC * 1000
        if (is_old or not knows(kept)) and now_ms - kept.tried_at_ms >= RETRY_SEC * 1000:
            kept.tried_at_ms = now_ms
            # Whatever is wrong with it, it is asked again; until then what was read before has to do.
            try:
                kept.keys, kept.read_at_ms = read(), now_ms
            except (OSError, ValueError, NoConnection, HTTPClientError) as error:
                why = f"{type(error).__name__}: {error}"
                logger.warning("the keys of a login could not be read", extra={"source": name, "why": why})
        return kept if now_ms - kept.read_at_ms < LONGEST_KEPT_SEC * 1000 else None

    def _read_secret(self, name: str) -> LoginKey:
        try:
            value = self._secrets.get_secret_value(SecretId=name).get("SecretString", "").encode()
        except ClientError as error:
            # Whatever the reason: to a policy that names secrets, one that is missing may look like one that is denied.
            raise ValueError(error.response["Error"]["Code"]) from error
        if len(value) < SHORTEST_SECRET_BYTES:
            raise ValueError("the secret is too short")
        return LoginKey(value, "HS256")


def key_set(document: bytes) -> dict[str, LoginKey]:
    """The keys of a JWKS (RFC 7517) that a login can sign with: ES256 and RS256 with an id; the others are left out.

    The algorithm belongs to the key: what its type says, if it does not say itself. Raises ValueError for what is no
    key set.
    """
    listed = json.loads(document)
    if not isinstance(listed, dict) or not isinstance(listed.get("keys"), list):
        raise ValueError("this is no key set")
    keys = (_usable(jwk) for jwk in listed["keys"][:MOST_KEYS])
    return dict(filter(None, keys))


def _usable(jwk: Any) -> tuple[str, LoginKey] | None:
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("kid"), str):
        return None
    algorithm = {"EC": "ES256", "RSA": "RS256"}.get(str(jwk.get("kty")))
    if algorithm is None or jwk.get("alg", algorithm) != algorithm or jwk.get("crv", "P-256") != "P-256":
        return None
    try:
        public = {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}
        key = jwt.PyJWK(public, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return (jwk["kid"], LoginKey(key, algorithm)) if key.key_size >= LEAST_RSA_BITS or algorithm == "ES256" else None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Where keys come from is what the operator wrote, and nothing a server says instead."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def fetch_https(url: str) -> bytes:
    """What an https address answers with 200; raises OSError, and ValueError for another address or a longer answer."""
    if not url.startswith(SCHEME):
        raise ValueError("keys are fetched over https")
    with _OPENER.open(url, timeout=TIMEOUT_SEC) as answer:
        body: bytes = answer.read(LARGEST_SET_BYTES + 1)
    if len(body) > LARGEST_SET_BYTES:
        raise ValueError("the key set is too long")
    return body
