"""Tokens: whatever is not exactly right is None."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes import FakeSigningKeys
from tests.support.gate_support import (
    ISSUER,
    KEYS,
    NOW_SEC,
    SIGNER,
    VERIFIER,
    access_claims,
    bypass_claims,
    challenge_claims,
    invitation_claims,
    visitor_claims,
)
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import SigningKey, new_key
from waiting_room.domain.errors import NotReady
from waiting_room.ports import Tokens
from waiting_room.tokens import AUDIENCES, LONGEST_TOKEN, InvalidKey, Verifier

CLAIMS = {
    "visitor": visitor_claims(),
    "link": {**visitor_claims(), "gen": 0},
    "access": access_claims(),
    "bypass": bypass_claims(),
    "invitation": invitation_claims(),
    "challenge": challenge_claims(),
}
ACTIVE = KEYS.keys[0]
GOOD = SIGNER.sign("access", access_claims())


def verified(token: Any, audience: str = "access", *, now_sec: int = NOW_SEC, **options: bool) -> dict[str, Any] | None:
    return VERIFIER.verify(token, audience, now_sec=now_sec, **options)


def made(claims: Any, header: dict[str, Any] | None = None, key: SigningKey = ACTIVE) -> str:
    """A token with any header and payload, signed like ours."""
    header = {"alg": "ES256", "kid": key.kid, **(header or {})}
    signed = f"{part(header)}.{part(claims)}"
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    private = algorithm.from_jwk(dict(key.private_jwk))
    assert isinstance(private, EllipticCurvePrivateKey)
    return f"{signed}.{encoded(algorithm.sign(signed.encode(), private))}"


def part(value: Any) -> str:
    return encoded(value if isinstance(value, bytes) else json.dumps(value).encode())


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def complete(**changes: Any) -> dict[str, Any]:
    return {**access_claims(), "iss": ISSUER, "aud": "access", **changes}


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_signed_token_verifies_for_its_own_audience_and_no_other(audience):
    token = SIGNER.sign(audience, CLAIMS[audience])
    assert verified(token, audience) == {**CLAIMS[audience], "iss": ISSUER, "aud": audience}
    assert SIGNER.verify(token, audience, now_sec=NOW_SEC) == verified(token, audience)
    assert all(verified(token, other) is None for other in AUDIENCES if other != audience)


def test_any_other_library_reads_our_tokens():
    claims = jwt.decode(
        GOOD, jwt.PyJWK(dict(ACTIVE.public_jwk)), ["ES256"], audience="access", options={"verify_exp": False}
    )
    assert claims == complete()
    assert jwt.get_unverified_header(GOOD) == {"alg": "ES256", "kid": ACTIVE.kid, "typ": "JWT"}


def test_tokens_are_small():
    assert len(SIGNER.sign("visitor", visitor_claims())) < 520
    assert len(GOOD) < 560


def test_what_a_caller_does_to_claims_stays_with_the_caller():
    first = verified(GOOD)
    assert first is not None
    first["zone"] = "changed"
    assert verified(GOOD) == complete()


def test_a_token_ends_at_exp_to_the_second():
    assert verified(GOOD, now_sec=NOW_SEC + 294) is not None
    assert verified(GOOD, now_sec=NOW_SEC + 295) is None
    assert verified(GOOD, now_sec=NOW_SEC + 295, allow_expired=True) is not None


def test_a_token_whose_signature_was_seen_is_still_checked_for_audience_and_time():
    verifier = Verifier([ACTIVE.public_jwk], ISSUER)
    assert verifier.verify(GOOD, "access", now_sec=NOW_SEC) is not None
    assert verifier.verify(GOOD, "bypass", now_sec=NOW_SEC) is None
    assert verifier.verify(GOOD, "access", now_sec=NOW_SEC + 9999) is None


def test_only_a_bounded_number_of_tokens_is_remembered(monkeypatch):
    monkeypatch.setattr("waiting_room.tokens.REMEMBERED", 3)
    verifier = Verifier([ACTIVE.public_jwk], ISSUER)
    for bucket in range(10):
        assert verifier.verify(SIGNER.sign("access", access_claims(bucket=bucket)), "access", now_sec=NOW_SEC)
        assert len(verifier._remembered) <= 3


def test_every_key_verifies_and_only_the_active_one_signs():
    retired, active, following = new_key("retired", 1), new_key("active", 2), new_key("next", 3)
    signer = Signer(FakeSigningKeys((retired, active, following)), ISSUER)
    assert jwt.get_unverified_header(signer.sign("access", access_claims()))["kid"] == active.kid
    for key in (retired, active, following):
        assert signer.verify(made(complete(), key=key), "access", now_sec=NOW_SEC)


def test_a_rotation_takes_effect_without_a_new_signer():
    keys = FakeSigningKeys()
    signer = Signer(keys, ISSUER)
    old = signer.sign("access", access_claims())
    keys.keys = (new_key("active", 9),)
    assert signer.verify(old, "access", now_sec=NOW_SEC) is None, "the key is gone, what was remembered too"
    assert signer.verify(signer.sign("access", access_claims()), "access", now_sec=NOW_SEC)


def test_without_an_active_key_nothing_is_signed():
    with pytest.raises(NotReady):
        Signer(FakeSigningKeys((new_key("next", 0),)), ISSUER).sign("access", access_claims())


def test_the_signer_is_what_the_port_says():
    tokens: Tokens = SIGNER
    assert tokens.verify(GOOD, "access", now_sec=NOW_SEC)


@pytest.mark.parametrize(
    ("audience", "changes"),
    [("access", {"sid": None}), ("access", {"exp": 1.5}), ("visitor", {"seq": "61"}), ("passport", {})],
)
def test_claims_that_would_not_verify_are_not_signed(audience, changes):
    with pytest.raises(ValueError, match="not the claims"):
        SIGNER.sign(audience, {**CLAIMS.get(audience, {}), **changes})


@pytest.mark.parametrize(
    "token",
    [
        None,
        b"",
        7,
        "",
        ".",
        "..",
        "a.b.c",
        GOOD + ".x",
        GOOD + "=",
        GOOD + "\n",
        " " + GOOD,
        GOOD[:-1],
        GOOD.replace(".", " .", 1),
        GOOD.rpartition(".")[0] + ".",
        GOOD.rpartition(".")[0] + "." + "A" * 86,
        GOOD.rpartition(".")[0] + "." + "_" * 86,
        "é" * 20,
        "A" * LONGEST_TOKEN + GOOD,
        f"{part({'alg': 'none'})}.{part(complete())}.",
        f"{part({'alg': 'none', 'kid': ACTIVE.kid})}.{part(complete())}.{'A' * 86}",
        f"{part(b'[' * 1400)}.e30.{'A' * 86}",
        f"{part(b'{')}.{part(complete())}.{'A' * 86}",
        f"{part([])}.{part(complete())}.{'A' * 86}",
        f"{part({'alg': 'ES256', 'kid': ['a']})}.{part(complete())}.{'A' * 86}",
        f"{part({'alg': 'ES256', 'kid': {}})}.{part(complete())}.{'A' * 86}",
    ],
)
def test_no_token_whatever_its_shape(token):
    for audience in AUDIENCES:
        assert verified(token, audience) is None
        assert verified(token, audience, allow_expired=True) is None


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": "es256"},
        {"alg": None},
        {"kid": "unknown"},
        {"kid": None},
        {"kid": ""},
        {"crit": ["exp"]},
        {"crit": []},
    ],
)
def test_a_good_signature_under_a_bad_header_counts_for_nothing(header):
    assert verified(made(complete(), header)) is None


def test_a_signature_has_one_spelling():
    token = made(complete())
    assert verified(token) is not None
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    first = alphabet.index(token[-1])
    for other in alphabet[first + 1 : first + 16]:
        assert verified(token[:-1] + other) is None


def test_a_public_key_is_no_secret_for_hs256():
    signed = f"{part({'alg': 'HS256', 'kid': ACTIVE.kid})}.{part(complete())}"
    public = jwt.algorithms.ECAlgorithm.from_jwk(dict(ACTIVE.public_jwk))
    assert isinstance(public, EllipticCurvePublicKey)
    for secret in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(dict(ACTIVE.public_jwk)).encode(),
    ):
        assert verified(f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}") is None
        assert verified(f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha512))}") is None


def test_a_key_in_the_header_is_not_believed():
    stranger = new_key("active", 0)
    for kid in (stranger.kid, ACTIVE.kid):
        header = {"kid": kid, "jwk": dict(stranger.public_jwk), "jku": "https://evil.example/jwks.json"}
        assert verified(made(complete(), header, stranger)) is None


def test_a_token_of_another_deployment_counts_for_nothing():
    assert verified(Signer(KEYS, "elsewhere").sign("access", access_claims())) is None


@pytest.mark.parametrize("name", sorted(complete()))
def test_every_claim_is_required(name):
    claims = complete()
    del claims[name]
    assert verified(made(claims)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["access"]},
        {"aud": None},
        {"iss": [ISSUER]},
        {"zone": "Midnight-Sun"},
        {"zone": "a" * 41},
        {"zone": "midnight-sun\n"},
        {"zone": 7},
        {"run": 0},
        {"run": "1"},
        {"run": True},
        {"run": 1.0},
        {"sub": "bypass"},
        {"sub": "A" * 21 + "#"},
        {"lane": "VIP"},
        {"lane": ""},
        {"sid": None},
        {"bucket": -1},
        {"bucket": 1.5},
        {"hard_end": "never"},
        {"exp": str(NOW_SEC + 60)},
        {"exp": NOW_SEC + 60.5},
        {"exp": True},
        {"exp": None},
        {"exp": 2**60},
        {"iat": None},
    ],
)
def test_types_are_strict(changes):
    assert verified(made(complete(**changes))) is None


@pytest.mark.parametrize("changes", [{"seq": 0}, {"seq": "1"}, {"position": -1}, {"shard": None}, {"gen": 1.0}])
def test_optional_claims_are_strict_too(changes):
    claims = {**visitor_claims(), "iss": ISSUER, "aud": "visitor"}
    assert verified(made(claims), "visitor")
    assert verified(made({**claims, **changes}), "visitor") is None


def test_a_visitor_who_has_not_joined_has_a_token_too():
    claims = {name: value for name, value in visitor_claims().items() if name not in ("seq", "position", "shard")}
    assert verified(SIGNER.sign("visitor", claims), "visitor")


@pytest.mark.parametrize("payload", [b"[]", b"null", b"", b"\xff", b"{" * 300, b"[" * 1300, b'{"exp": NaN}'])
def test_a_signed_payload_that_is_no_object_counts_for_nothing(payload):
    assert verified(made(payload)) is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_changed_token_verifies(data):
    index = data.draw(st.integers(0, len(GOOD) - 1))
    character = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."))
    changed = GOOD[:index] + character + GOOD[index + 1 :]
    if base64_bits(changed) != base64_bits(GOOD):
        assert verified(changed) is None


def base64_bits(token: str) -> list[bytes]:
    """The bytes a token stands for: the last character of a part has bits that mean nothing."""
    return [base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in token.split(".") if len(text) % 4 != 1]


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"alg": "HS256"},
        {"alg": None},
        {"kid": None},
        {"kid": ""},
        {"kid": "a b"},
        {"x": "short"},
        {"y": None},
        {"x": "A" * 43},
        {"d": "secret"},
    ],
)
def test_only_public_es256_keys_are_taken(changes):
    with pytest.raises(InvalidKey):
        Verifier([{**ACTIVE.public_jwk, **changes}], ISSUER)
