"""Join claims of the site's own login: one place for each account, whatever the browser."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.api_world import BROWSER, ZONE_ID, ApiWorld, Browser, HttpAnswer
from waiting_room.adapters.signing_keys import new_key
from waiting_room.http.credentials import JOIN_CLAIM_COOKIE, JOIN_CLAIM_HEADER
from waiting_room.use_cases.identify import AUDIENCE, LONGEST_SEC

LOGIN, OTHER = new_key("active", 0), new_key("active", 0)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_JWK = {
    **jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True),
    "kid": "rsa",
    "alg": "RS256",
}
RSA_JWK.pop("key_ops", None)
ISSUER = "https://login.example.com"


def world_with(mode: str) -> ApiWorld:
    world = ApiWorld()
    keys = [dict(LOGIN.public_jwk), RSA_JWK]
    assert world.put_zone(identity={"mode": mode, "issuer": ISSUER, "keys": keys, "login_url": "/login"}).status == 201
    return world


def claim(world: ApiWorld, subject: object = "ada@example.com", *, key: Any = LOGIN, **changes: Any) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": world.clock.now_sec + 300, **changes}
    present = {name: value for name, value in claims.items() if value is not None}
    private = jwt.PyJWK(dict(key.private_jwk)).key
    # PyJWT itself would not encode some of these.
    return jwt.PyJWS().encode(json.dumps(present).encode(), private, algorithm="ES256", headers={"kid": key.kid})


def join(world: ApiWorld, token: str | None) -> HttpAnswer:
    return world.visit("POST", "/visitors", headers={JOIN_CLAIM_HEADER: token} if token else {})


def test_one_account_has_one_place_in_many_browsers() -> None:
    world = world_with("require")
    first, again = join(world, claim(world)), join(world, claim(world))
    assert (first.status, again.status) == (201, 200)
    assert first.json["visitor_id"] == again.json["visitor_id"]
    assert (first.json["position"], again.json["position"]) == (0, 0)
    other = join(world, claim(world, "grace@example.com"))
    assert (other.status, other.json["position"]) == (201, 1)


def test_an_rs256_login_will_do() -> None:
    world = world_with("require")
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": world.clock.now_sec + 300}
    token = jwt.encode(claims, RSA, algorithm="RS256", headers={"kid": "rsa"})
    assert join(world, token).status == 201


def test_a_browser_brings_it_as_a_cookie() -> None:
    world = world_with("require")
    browsers = [Browser(world), Browser(world)]
    for browser in browsers:
        browser.cookies[JOIN_CLAIM_COOKIE] = claim(world)
        browser.enter()
    ids = {browser.ask("GET", "/visitors/me").json["visitor_id"] for browser in browsers}
    assert len(ids) == 1


def test_who_has_joined_needs_no_claim_any_more() -> None:
    world = world_with("require")
    joined = join(world, claim(world)).json
    world.clock.advance(3600)
    bearer = {"authorization": f"Bearer {joined['visitor_token']}"}
    assert world.visit("POST", "/visitors", headers=bearer).json["visitor_id"] == joined["visitor_id"]


BAD = {
    "none": lambda world: None,
    "no token": lambda world: "a.b.c",
    "too long": lambda world: claim(world, x="y" * 5000),
    "of a stranger": lambda world: claim(world, key=OTHER),
    "of a stranger under our id": lambda world: claim(
        world, key=type(OTHER)(LOGIN.kid, "active", 0, OTHER.private_jwk, {})
    ),
    "expired": lambda world: claim(world, exp=world.clock.now_sec),
    "valid too long": lambda world: claim(world, exp=world.clock.now_sec + LONGEST_SEC + 1),
    "without an end": lambda world: claim(world, exp=None),
    "with an odd end": lambda world: claim(world, exp=True),
    "another audience": lambda world: claim(world, aud="access"),
    "another issuer": lambda world: claim(world, iss="https://login.example.org"),
    "another zone": lambda world: claim(world, zone="winter-gala"),
    "nobody": lambda world: claim(world, ""),
    "a number": lambda world: claim(world, 7),
    "symmetric": lambda world: jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "sub": "a", "exp": world.clock.now_sec + 300},
        LOGIN.public_jwk["x"] + LOGIN.public_jwk["y"],
        headers={"kid": LOGIN.kid},
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_nobody_joins_without_a_good_claim(name: str) -> None:
    world = world_with("require")
    refused = join(world, BAD[name](world))
    assert (refused.status, refused.problem) == (401, "sign-in")
    assert not world.dynamo.tables["queue"].records
    page = world.visit("GET", "/enter", headers=BROWSER, cookies={JOIN_CLAIM_COOKIE: BAD[name](world) or ""})
    assert page.status == 401
    assert "text/html" in page.headers["content-type"]
    assert 'data-state="sign_in"' in page.body
    assert 'href="/login"' in page.body
    assert not page.cookies


@pytest.mark.parametrize(("name", "seen"), [("none", "missing"), ("expired", "bad"), ("good", "valid")])
def test_observing_counts_and_lets_everybody_in(name: str, seen: str) -> None:
    world = world_with("observe")
    token = claim(world) if name == "good" else BAD[name](world)
    ids = {join(world, token).json["visitor_id"] for _ in range(2)}
    assert len(ids) == 2
    assert world.log.lines[-1]["join_claim"] == seen


def test_what_is_stored_and_logged_tells_nobody_who_it_is() -> None:
    world = world_with("require")
    token = claim(world)
    first = join(world, token).json["visitor_id"]
    everything = str([table.records for table in world.dynamo.tables.values()]) + str(world.log.lines)
    assert "ada@example.com" not in everything
    assert token.rpartition(".")[2] not in everything
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
    world.clock.advance(20)
    assert join(world, claim(world)).json["visitor_id"] != first, "another run, another id"


@pytest.mark.parametrize(
    "key",
    [
        {"kid": "a", "alg": "ES256", "kty": "EC"},
        {"kid": "a", "alg": "RS256", "kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {**LOGIN.private_jwk},
        {"kid": "a", "alg": "HS256", "kty": "oct", "k": "AAAA"},
        {**RSA_JWK, "n": "short"},
    ],
)
def test_keys_that_cannot_be_used_are_refused_with_their_place(key: dict[str, Any]) -> None:
    answer = ApiWorld().put_zone(identity={"mode": "require", "issuer": ISSUER, "keys": [key]})
    assert answer.status == 400
    assert answer.json["pointer"].startswith("/identity/keys/0")


def moved(world: ApiWorld, browser: Browser, token: str, claimed: str | None = None) -> HttpAnswer:
    """The button behind a link that moves a place, pressed in a browser that may be signed in."""
    if claimed is not None:
        browser.cookies[JOIN_CLAIM_COOKIE] = claimed
    form = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    return browser.ask("POST", "/moves", raw=f"token={token}", headers={**BROWSER, **form})


def link(browser: Browser) -> str:
    return str(browser.ask("POST", "/visitors/me/links").json["path"]).partition("#")[2]


def test_an_accounts_place_moves_to_that_account_alone_however_often() -> None:
    world = world_with("require")
    phone, laptop, tablet = Browser(world), Browser(world), Browser(world)
    phone.cookies[JOIN_CLAIM_COOKIE] = claim(world)
    phone.ask("POST", "/visitors")
    for giver, taker in ((phone, laptop), (laptop, tablet)):
        token = link(giver)
        for other in (claim(world, "grace@example.com"), "no claim", None):
            stranger = Browser(world)
            refused = moved(world, stranger, token, other)
            assert (refused.status, 'href="/login"' in refused.body) == (401, True)
            assert f"__Host-wr-visitor-{ZONE_ID}" not in stranger.cookies
        assert moved(world, taker, token, claim(world)).status == 303, "the link was not used up"
        assert taker.ask("GET", "/visitors/me").json["position"] == 0
    app = world.visit("POST", "/moves", {"token": link(tablet)}, headers={"accept": "application/json"})
    assert (app.status, app.problem) == (401, "sign-in")


def test_a_place_that_is_no_accounts_moves_freely_though_the_zone_asks_by_now() -> None:
    world = world_with("observe")
    phone, laptop = Browser(world), Browser(world)
    phone.ask("POST", "/visitors")
    identity = world.operate("GET", f"/zones/{ZONE_ID}").json["identity"]
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"identity": {**identity, "mode": "require"}}})
    world.clock.advance(3)
    assert moved(world, laptop, link(phone)).status == 303
    assert laptop.ask("GET", "/visitors/me").json["position"] == 0


def test_an_invitation_another_account_has_taken_is_used() -> None:
    world = world_with("require")
    made = world.operate("POST", f"/zones/{ZONE_ID}/invitations", {"lane": "general", "name": "Ada"}).json["token"]
    form = {**BROWSER, "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    taken = []
    for subject in (None, "ada@example.com", "ada@example.com", "grace@example.com"):
        browser = Browser(world)
        if subject:
            browser.cookies[JOIN_CLAIM_COOKIE] = claim(world, subject)
        taken.append(browser.ask("POST", "/invitations", raw=f"token={made}", headers=form).status)
        browser.ask("POST", "/visitors")
    assert taken == [401, 303, 303, 410]
