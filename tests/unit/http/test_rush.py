"""A zone for a rush, over HTTP: places that are known a moment later, and then from the visitor's own token."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, ZONE_ID, ApiWorld, Browser
from waiting_room import schemas
from waiting_room.http.frame.validation import validate

APP = {"accept": "application/json"}


@pytest.fixture
def world() -> ApiWorld:
    world = ApiWorld()
    assert world.put_zone(expected_joins_per_sec=1_500, max_active=1).status == 201
    Browser(world).enter()
    world.tick(2)
    return world


def bearer(answer: Any) -> dict[str, str]:
    return {**APP, "authorization": f"Bearer {answer.json['visitor_token']}"}


def epoch_reads(world: ApiWorld) -> list[str]:
    seen: list[str] = []
    world.dynamo.on_call = lambda method, request, phase: (
        seen.append(method) if phase == "before" and "epoch#" in str(request) else None
    )
    return seen


def test_a_place_is_told_without_a_number_until_it_is_sealed_and_then_proved_by_the_token(world: ApiWorld) -> None:
    joined = world.visit("POST", "/visitors", headers=APP)
    assert joined.status == 201
    assert (joined.json["status"], joined.json["position"], joined.json["ahead"]) == ("waiting", None, None)
    early = world.visit("POST", "/access-tokens", headers=bearer(joined))
    assert (early.status, early.json["position"]) == (202, None)
    validate(early.json, schemas.components()["Waiting"])
    world.tick(2)
    told = world.visit("GET", "/visitors/me", headers=bearer(joined))
    assert told.json["position"] == 1
    claims = world.tokens.verify(told.json["visitor_token"], "visitor", now_sec=world.clock.now_sec)
    assert claims is not None
    assert claims["position"] == 1
    reads = epoch_reads(world)
    world.clock.advance(5)
    again = world.visit("GET", "/visitors/me", headers=bearer(told))
    assert again.json["position"] == 1
    assert "visitor_token" not in again.json, "the token is up to date"
    world.visit("POST", "/access-tokens", headers=bearer(told))
    assert not reads


def test_a_browser_gets_its_number_in_the_cookie(world: ApiWorld) -> None:
    browser = Browser(world)
    browser.enter()
    first = browser.visitor_token
    page = browser.ask("GET", "/visitors/me", headers=BROWSER)
    assert 'data-state="placing"' in page.body
    world.tick(2)
    assert browser.ask("GET", "/visitors/me").json["position"] == 1
    assert browser.visitor_token != first
    page = browser.ask("GET", "/visitors/me", headers=BROWSER)
    assert 'data-state="next"' in page.body or 'data-state="waiting"' in page.body


def test_an_operator_sees_the_number_too(world: ApiWorld) -> None:
    joined = world.visit("POST", "/visitors", headers=APP)
    path = f"/zones/{ZONE_ID}/visitors/{joined.json['visitor_id']}"
    assert world.operate("GET", path).json["position"] is None
    world.tick(1)
    assert world.operate("GET", path).json["position"] == 1
