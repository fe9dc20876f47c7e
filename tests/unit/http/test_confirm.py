"""What the site's server may ask: the zone's site key, a token, its own reference."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import ROOT, ZONE_ID, ApiWorld, Browser, HttpAnswer, event, send


@pytest.fixture
def world() -> ApiWorld:
    return ApiWorld()


@pytest.fixture
def site_key(world: ApiWorld) -> str:
    return str(world.put_zone().json["site_key"])


@pytest.fixture
def token(world: ApiWorld, site_key: str) -> str:
    browser = Browser(world)
    browser.enter()
    world.tick(2)
    browser.enter()
    return browser.access_token


def confirm(world: ApiWorld, key: str | None, body: Any, raw: str = "") -> HttpAnswer:
    headers = {"accept": "application/json"} | ({} if key is None else {"authorization": f"Bearer {key}"})
    return world.visit("POST", f"{ROOT}/confirmations", None if raw else body, headers=headers, raw=raw)


def test_a_session_is_confirmed_and_the_same_reference_gets_the_same_answer(
    world: ApiWorld, site_key: str, token: str
) -> None:
    first = confirm(world, site_key, {"token": token, "reference": "order-1"})
    again = confirm(world, site_key, {"token": token, "reference": "order-1"})
    other = confirm(world, site_key, {"token": token, "reference": "order-2"})

    assert first.status == again.status == 200
    assert first.json == again.json
    assert (first.json["zone_id"], first.json["status"]) == (ZONE_ID, "admitted")
    assert (other.status, other.problem) == (409, "reference-used")


def test_a_checkout_completes_the_session_also_when_asked_again_after_its_end(
    world: ApiWorld, site_key: str, token: str
) -> None:
    body = {"token": token, "reference": "order-1", "checkout": True}
    first = confirm(world, site_key, body)
    world.clock.advance(4000)
    again = confirm(world, site_key, body)

    assert first.json["status"] == "completed"
    assert (again.status, again.json) == (200, first.json)


def test_a_session_that_ended_cannot_be_confirmed(world: ApiWorld, site_key: str, token: str) -> None:
    world.clock.advance(4000)
    answer = confirm(world, site_key, {"token": token, "reference": "order-1"})

    assert (answer.status, answer.problem) == (410, "lapsed")


def test_a_revoked_session_cannot_be_confirmed(world: ApiWorld, site_key: str, token: str) -> None:
    claims = world.tokens.verify(token, "access", now_sec=world.clock.now_sec)
    assert claims is not None
    world.operate("POST", f"/zones/{ZONE_ID}/revocations", {"session_id": claims["sid"]})
    answer = confirm(world, site_key, {"token": token, "reference": "order-1"})

    assert (answer.status, answer.problem) == (403, "forbidden")


def test_a_body_in_base64_is_read(world: ApiWorld, site_key: str) -> None:
    answer = world.bouncer(event("confirm_base64"), None)

    assert site_key
    assert answer["statusCode"] == 401
    assert "The access token is not valid." in answer["body"]


@pytest.mark.parametrize("key", ["wrong", "", "57e259a77f6e25c005e7d0af48c1bc50589888df37108fb01161fd28ce9a971d"])
def test_another_site_key_is_refused(world: ApiWorld, token: str, key: str) -> None:
    answer = confirm(world, key, {"token": token, "reference": "order-1"})

    assert answer.status == (403 if key else 401)


def test_without_a_site_key_nothing_is_looked_at(world: ApiWorld, token: str) -> None:
    assert confirm(world, None, {"nonsense": 1}).status == 401


def test_a_visitor_token_is_not_confirmed(world: ApiWorld, site_key: str) -> None:
    browser = Browser(world)
    browser.enter()

    assert confirm(world, site_key, {"token": browser.visitor_token, "reference": "order-1"}).status == 401


def test_a_token_of_a_run_that_is_over_is_not_confirmed(world: ApiWorld, site_key: str, token: str) -> None:
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})

    assert confirm(world, site_key, {"token": token, "reference": "order-1"}).status == 401


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/token"),
        ({"token": "a.b.c"}, "/reference"),
        ({"token": 1, "reference": "x"}, "/token"),
        ({"token": "a.b.c", "reference": ""}, "/reference"),
        ({"token": "a.b.c", "reference": "x" * 101}, "/reference"),
        ({"token": "a.b.c", "reference": "x", "checkout": "yes"}, "/checkout"),
        ({"token": "a.b.c", "reference": "x", "amount": 1}, "/amount"),
        ([], ""),
        ("token", ""),
        (None, "/token"),
    ],
)
def test_bad_input_is_400_with_its_pointer(world: ApiWorld, site_key: str, body: Any, pointer: str) -> None:
    answer = confirm(world, site_key, body)

    assert (answer.status, answer.problem, answer.json["pointer"]) == (400, "invalid-input", pointer)


def test_malformed_json_is_400(world: ApiWorld, site_key: str) -> None:
    answer = confirm(world, site_key, None, raw='{"token": ')

    assert (answer.status, answer.json["pointer"]) == (400, "")


def test_it_is_only_answered_through_the_distribution(world: ApiWorld) -> None:
    sample = event("confirm_base64")
    sample["headers"]["x-foyer-origin-secret"] = "guessed"

    assert send(world.bouncer, sample, "POST", f"{ROOT}/confirmations").status == 403
