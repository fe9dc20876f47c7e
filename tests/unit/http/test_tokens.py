"""Whatever is wrong with a token, it counts as no token: at every operation that takes one."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from tests.support.api_world import BROWSER, ZONE_ID, ApiWorld, Browser
from waiting_room.adapters.signing_keys import new_key

Claims = dict[str, Any]


@pytest.fixture
def world() -> ApiWorld:
    world = ApiWorld()
    world.put_zone()
    return world


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def part(value: object) -> str:
    return encoded(json.dumps(value).encode())


def claims_for(world: ApiWorld, browser: Browser, audience: str) -> Claims:
    """Claims of a good token of a visitor who is in."""
    browser.enter()
    world.tick(2)
    browser.enter()
    token = browser.visitor_token if audience == "visitor" else browser.access_token
    found = world.tokens.verify(token, audience, now_sec=world.clock.now_sec)
    assert found is not None
    return found


def signed(world: ApiWorld, claims: Claims, *, key: Any = None, **header: str) -> str:
    active = world.keys.load()[0]
    private: Any = ECAlgorithm.from_jwk(dict(active.private_jwk)) if key is None else key
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": active.kid, **header})


def with_public_key_as_secret(world: ApiWorld, claims: Claims) -> str:
    key = world.keys.load()[0]
    public: Any = ECAlgorithm.from_jwk(dict(key.public_jwk))
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': 'HS256', 'kid': key.kid})}.{part(claims)}"
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def with_another_key(world: ApiWorld, claims: Claims) -> str:
    return signed(world, claims, key=ECAlgorithm.from_jwk(dict(new_key("active", 0).private_jwk)))


def with_none(world: ApiWorld, claims: Claims) -> str:
    return f"{part({'alg': 'none', 'kid': world.keys.load()[0].kid})}.{part(claims)}."


def with_other_claims(world: ApiWorld, claims: Claims) -> str:
    head, _, tail = signed(world, claims).split(".")
    return f"{head}.{part({**claims, 'sub': 'A' * 22})}.{tail}"


FORGERIES: dict[str, Callable[[ApiWorld, Claims], str]] = {
    "nonsense": lambda _, __: "nonsense",
    "empty parts": lambda _, __: "..",
    "very long": lambda _, __: "a" * 6000,
    "alg none": with_none,
    "public key as secret": with_public_key_as_secret,
    "another key": with_another_key,
    "other claims": with_other_claims,
    "unknown kid": lambda world, claims: signed(world, claims, kid="unknown"),
    "expired": lambda world, claims: signed(world, {**claims, "exp": world.clock.now_sec - 1}),
    "another zone": lambda world, claims: signed(world, {**claims, "zone": "winter-gala"}),
    "another run": lambda world, claims: signed(world, {**claims, "run": claims["run"] + 1}),
    "another audience": lambda world, claims: signed(world, {**claims, "aud": "bypass"}),
    "another issuer": lambda world, claims: signed(world, {**claims, "iss": "somebody"}),
    "audiences": lambda world, claims: signed(world, {**claims, "aud": [claims["aud"]]}),
    "wrong types": lambda world, claims: signed(world, {**claims, "run": str(claims["run"])}),
    "visitor that is a path": lambda world, claims: signed(world, {**claims, "sub": "../../other"}),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.parametrize("carrier", ["cookie", "bearer"])
def test_a_bad_visitor_token_is_none(world: ApiWorld, carrier: str, forgery: Callable[[ApiWorld, Claims], str]) -> None:
    token = forgery(world, claims_for(world, Browser(world), "visitor"))
    sent: dict[str, Any] = {"cookies": {f"__Host-wr-visitor-{ZONE_ID}": token}}
    if carrier == "bearer":
        sent = {"headers": {"accept": "application/json", "authorization": f"Bearer {token}"}}

    for method, path in [("GET", "/visitors/me"), ("POST", "/access-tokens"), ("POST", "/visitors/me/away")]:
        answer = world.visit(method, path, **sent)
        assert (answer.status, answer.problem) == (401, "no-token")
    assert world.visit("POST", "/visitors", **sent).status == 201


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_browser_with_a_bad_visitor_token_starts_anew(
    world: ApiWorld, forgery: Callable[[ApiWorld, Claims], str]
) -> None:
    browser = Browser(world)
    claims = claims_for(world, browser, "visitor")
    stranger = Browser(world)
    stranger.cookies = {f"__Host-wr-visitor-{ZONE_ID}": forgery(world, claims)}
    stranger.enter()

    found = world.tokens.verify(stranger.visitor_token, "visitor", now_sec=world.clock.now_sec)
    assert found is not None
    assert found["sub"] != claims["sub"]


@pytest.mark.parametrize(
    "forgery",
    # A token past its end still says which session is meant: the session itself decides.
    [forgery for name, forgery in FORGERIES.items() if name != "expired"],
    ids=[name for name in FORGERIES if name != "expired"],
)
def test_a_bad_access_token_is_none(world: ApiWorld, forgery: Callable[[ApiWorld, Claims], str]) -> None:
    token = forgery(world, claims_for(world, Browser(world), "access"))
    cookies = {f"__Host-wr-access-{ZONE_ID}": token}

    assert world.visit("POST", "/sessions/me/renewals", cookies=cookies).status == 401
    assert world.visit("DELETE", "/sessions/me", cookies=cookies).status == 401
    redirected = world.visit(
        "GET", "/sessions/me/renew", headers=BROWSER, cookies=cookies, query="to=/events/midnight-sun"
    )
    assert "/enter?" in redirected.location
    assert redirected.cookies == {}


def test_a_visitor_token_is_no_access_token_and_the_other_way_round(world: ApiWorld) -> None:
    browser = Browser(world)
    claims_for(world, browser, "access")

    swapped = {
        f"__Host-wr-visitor-{ZONE_ID}": browser.access_token,
        f"__Host-wr-access-{ZONE_ID}": browser.visitor_token,
    }
    assert world.visit("POST", "/access-tokens", cookies=swapped).status == 401
    assert world.visit("POST", "/sessions/me/renewals", cookies=swapped).status == 401


def test_a_wrong_bearer_token_is_not_made_good_by_a_cookie(world: ApiWorld) -> None:
    browser = Browser(world)
    claims_for(world, browser, "visitor")
    headers = {"accept": "application/json", "authorization": "Bearer nonsense"}

    assert browser.ask("GET", "/visitors/me", headers=headers).status == 401


def test_the_sites_own_authorization_does_not_disturb(world: ApiWorld) -> None:
    browser = Browser(world)
    claims_for(world, browser, "visitor")
    headers = {"accept": "application/json", "authorization": "Basic dXNlcjpwYXNz"}

    assert browser.ask("GET", "/visitors/me", headers=headers).status == 200


def test_tokens_of_a_run_that_is_over_are_void(world: ApiWorld) -> None:
    browser = Browser(world)
    claims_for(world, browser, "access")
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
    world.clock.advance(3)

    assert browser.ask("POST", "/access-tokens").status == 401
    assert browser.ask("POST", "/sessions/me/renewals").status == 401
