"""Verification of tokens, for the gate and for the API alike: one algorithm, strict types, None for anything else.

It needs `cryptography` and nothing more: importing a whole JWT library would take most of a gatekeeper's cold start.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["ALGORITHM", "AUDIENCES", "LONGEST_TOKEN", "InvalidKey", "Verifier", "claims_fit"]

# The library behind it is loaded here, while the function starts, and not with the first token.
default_backend()

ALGORITHM = "ES256"
LONGEST_TOKEN = 2048
"""Characters. Ours have about 500; three of them must fit into the headers every server accepts."""
REMEMBERED = 1000
"""Tokens whose signature is not checked again, per verifier: about 1 MB."""

_TOKEN = re.compile(r"\A[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]\Z")
"""Of 64 bytes the last character holds two bits: with others set the same signature would have sixteen spellings."""
_ID = r"\A[A-Za-z0-9_-]{22}\Z"
_COORDINATE = re.compile(r"\A[A-Za-z0-9_-]{43}\Z")
_KEY_ID = re.compile(r"\A[A-Za-z0-9_.-]{1,64}\Z")
_SECOND_LIMIT = 2**40

Check = Callable[[Any], bool]


class InvalidKey(ValueError):
    """Raised when a public key is not an ES256 key in JWK form."""


def _text(pattern: str) -> Check:
    matches = re.compile(pattern).match
    return lambda value: type(value) is str and matches(value) is not None


def _whole(least: int, limit: int = 2**53) -> Check:
    return lambda value: type(value) is int and least <= value < limit


_COMMON: dict[str, Check] = {
    "zone": _text(r"\A[a-z0-9][a-z0-9-]{0,39}\Z"),
    "run": _whole(1),
    "lane": _text(r"\A[a-z0-9]{1,12}\Z"),
    "iat": _whole(0, _SECOND_LIMIT),
    "exp": _whole(0, _SECOND_LIMIT),
}
_REQUIRED: dict[str, dict[str, Check]] = {
    "visitor": {**_COMMON, "sub": _text(_ID)},
    "link": {**_COMMON, "sub": _text(_ID), "gen": _whole(0)},
    "access": {
        **_COMMON,
        "sub": _text(_ID),
        "sid": _text(_ID),
        "bucket": _whole(0),
        "hard_end": _whole(0, _SECOND_LIMIT),
    },
    "invitation": {
        **_COMMON,
        "sub": lambda value: value == "invitation",
        "jti": _text(r"\A[A-Za-z0-9_-]{1,64}\Z"),
    },
    "challenge": {
        **{name: fits for name, fits in _COMMON.items() if name != "lane"},
        "sub": _text(_ID),
        "bits": _whole(1, 33),
        "times": _whole(1),
    },
    "bypass": {
        **_COMMON,
        "sub": lambda value: value == "bypass",
        "jti": _text(r"\A[A-Za-z0-9_-]{1,64}\Z"),
        "name": lambda value: type(value) is str and 0 < len(value) <= 60,
    },
}
_OPTIONAL: dict[str, dict[str, Check]] = {
    "visitor": {name: _whole(0) for name in ("shard", "position", "arrival", "gen")}
    | {"seq": _whole(1), "account": lambda value: value is True, "device": _text(_ID)},
    "link": {"account": lambda value: value is True},
    "access": {"net": _text(r"\A[A-Za-z0-9_-]{11}\Z")},
    "invitation": {},
    "challenge": {},
    "bypass": {},
}

AUDIENCES = tuple(_REQUIRED)
"""What a token may be for."""


def claims_fit(claims: Mapping[str, Any], audience: str) -> bool:
    """Whether claims have everything this audience needs, each of exactly its type; issuer and time apart."""
    required = _REQUIRED.get(audience)
    if required is None or not all(name in claims and fits(claims[name]) for name, fits in required.items()):
        return False
    return all(fits(claims[name]) for name, fits in _OPTIONAL[audience].items() if name in claims)


class Verifier:
    """Checks tokens against one set of public keys. Remembers good signatures; audience and time are always checked."""

    def __init__(self, public_jwks: Iterable[Mapping[str, Any]], issuer: str) -> None:
        """Raises InvalidKey for a key that is not ES256: the algorithm belongs to the key, never to the token."""
        self._keys = {jwk["kid"]: _public_key(jwk) for jwk in map(_checked, public_jwks)}
        self._issuer = issuer
        self._remembered: dict[str, dict[str, Any]] = {}

    def verify(self, token: str, audience: str, *, now_sec: int, allow_expired: bool = False) -> dict[str, Any] | None:
        """The claims, or None for anything that is not exactly a valid token of this audience, whatever its shape."""
        claims = self._signed_claims(token)
        if claims is None or not claims_fit(claims, audience):
            return None
        if claims.get("iss") != self._issuer or claims.get("aud") != audience:
            return None
        if now_sec >= claims["exp"] and not allow_expired:
            return None
        return dict(claims)

    def _signed_claims(self, token: str) -> dict[str, Any] | None:
        if type(token) is not str or len(token) > LONGEST_TOKEN or _TOKEN.match(token) is None:
            return None
        remembered = self._remembered.get(token)
        if remembered is not None:
            return remembered
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        key = self._key_for(_json_object(header))
        if key is None or not _signature_holds(key, signature, signed):
            return None
        claims = _json_object(payload)
        if claims is not None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[token] = claims
        return claims

    def _key_for(self, header: dict[str, Any] | None) -> EllipticCurvePublicKey | None:
        # A critical extension is one whose meaning must be understood (RFC 7515, 4.1.11): none is.
        if header is None or header.get("alg") != ALGORITHM or "crit" in header:
            return None
        key_id = header.get("kid")
        return self._keys.get(key_id) if type(key_id) is str else None


def _checked(jwk: Mapping[str, Any]) -> Mapping[str, Any]:
    expected = {"kty": "EC", "crv": "P-256", "alg": ALGORITHM}
    for name, value in expected.items():
        if jwk.get(name) != value:
            raise InvalidKey(f"A public key must have {name} {value}.")
    key_id = jwk.get("kid")
    if type(key_id) is not str or _KEY_ID.match(key_id) is None:
        raise InvalidKey("A public key needs a kid of 1 to 64 letters, digits, '-', '_' or '.'.")
    if "d" in jwk:
        raise InvalidKey(f"Key {key_id} has a private part: it must not be here.")
    return jwk


def _public_key(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    numbers = []
    for name in ("x", "y"):
        text = jwk.get(name)
        if type(text) is not str or _COORDINATE.match(text) is None:
            raise InvalidKey(f"Key {jwk['kid']} needs {name} as 43 base64url characters.")
        numbers.append(int.from_bytes(_decoded(text), "big"))
    try:
        return EllipticCurvePublicNumbers(numbers[0], numbers[1], SECP256R1()).public_key()
    except ValueError:
        raise InvalidKey(f"Key {jwk['kid']} is not a point of its curve.") from None


def _signature_holds(key: EllipticCurvePublicKey, signature: str, signed: str) -> bool:
    """Whether `signature` (r and s, 32 bytes each: RFC 7518, 3.4) is this key's over the token's first two parts."""
    raw = _decoded(signature)
    pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        key.verify(pair, signed.encode("ascii"), ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _json_object(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(_decoded(part).decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _decoded(part: str) -> bytes:
    """Base64url without padding; raises ValueError (binascii.Error is one) for an impossible length."""
    return binascii.a2b_base64(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4))
