"""A run with a draw, over HTTP: what visitors are told before and after, and what operators may not change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, ZONE_ID, ApiWorld, Browser
from waiting_room import schemas
from waiting_room.http.frame.validation import validate

APP = {"accept": "application/json"}
CONTROL = f"/zones/{ZONE_ID}/control"


@pytest.fixture
def world() -> ApiWorld:
    world = ApiWorld()
    starts_at_ms = world.clock.ms + 20_000
    assert world.put_zone(order="lottery", mode="combined", starts_at_ms=starts_at_ms).status == 201
    world.tick()
    return world


def bearer(answer: Any) -> dict[str, str]:
    return {**APP, "authorization": f"Bearer {answer.json['visitor_token']}"}


def claims(world: ApiWorld, answer: Any) -> dict[str, Any]:
    told = world.tokens.verify(answer.json["visitor_token"], "visitor", now_sec=world.clock.now_sec)
    assert told is not None
    return told


def test_a_visitor_is_told_the_number_before_and_the_place_after(world: ApiWorld) -> None:
    joined = [world.visit("POST", "/visitors", headers=APP) for _ in range(30)]
    assert [answer.json["arrival"] for answer in joined] == list(range(30))
    assert {answer.json["position"] for answer in joined} == {None}
    assert "position" not in claims(world, joined[7])
    assert claims(world, joined[7])["arrival"] == 7
    validate(joined[7].json, schemas.components()["Place"])
    world.tick(22)
    world.clock.advance(1)
    told = [world.visit("GET", "/visitors/me", headers=bearer(answer)) for answer in joined]
    places = [answer.json["position"] for answer in told]
    assert sorted(places) == list(range(30))
    assert places != list(range(30))
    assert claims(world, told[7])["position"] == places[7]
    draw = world.stores.zones.record(ZONE_ID, "draw#1")
    assert draw is not None
    assert draw["early"] == {"general": 30}


def test_a_start_that_is_put_off_hides_the_places_again(world: ApiWorld) -> None:
    joined = world.visit("POST", "/visitors", headers=APP)
    world.tick(22)
    world.clock.advance(1)
    told = world.visit("GET", "/visitors/me", headers=bearer(joined))
    assert told.json["position"] == 0
    later = {"changes": {"starts_at_ms": world.clock.ms + 600_000}}
    assert world.operate("POST", CONTROL, later).status == 200
    world.clock.advance(3)
    hidden = world.visit("GET", "/visitors/me", headers=bearer(told))
    assert (hidden.json["phase"], hidden.json["position"]) == ("before", None)
    assert "visitor_token" not in hidden.json


def test_a_browser_without_scripts_sees_no_place_before_the_start(world: ApiWorld) -> None:
    browser = Browser(world)
    browser.enter()
    page = browser.ask("GET", "/visitors/me", headers=BROWSER)
    assert 'data-state="before"' in page.body
    world.tick(22)
    world.clock.advance(1)
    assert 'data-state="called"' in browser.ask("GET", "/visitors/me", headers=BROWSER).body


@pytest.mark.parametrize("changes", [{"order": "fifo"}, {"beacon": "drand"}])
def test_the_order_of_a_run_does_not_change(world: ApiWorld, changes: dict[str, str]) -> None:
    refused = world.operate("POST", CONTROL, {"changes": changes})
    assert (refused.status, refused.json["pointer"]) == (400, f"/changes/{next(iter(changes))}")
    assert world.operate("POST", CONTROL, {"changes": changes, "reset": True}).status == 200


def test_every_run_has_a_draw_of_its_own(world: ApiWorld) -> None:
    assert world.operate("POST", CONTROL, {"reset": True}).status == 200
    one, two = (world.stores.zones.record(ZONE_ID, f"draw#{run}") for run in (1, 2))
    assert one is not None
    assert two is not None
    assert one["secret"] != two["secret"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"order": "lottery"}, "/starts_at_ms"),
        ({"beacon": "drand"}, "/beacon"),
        ({"mode": "combined", "starts_at_ms": 1}, "/starts_at_ms"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_applied(document: dict[str, Any], pointer: str) -> None:
    refused = ApiWorld().put_zone(**document)
    assert (refused.status, refused.json["pointer"]) == (400, pointer)


def test_a_start_may_not_be_moved_into_the_past_but_one_that_came_by_may_stay(world: ApiWorld) -> None:
    world.clock.advance(3_600)
    past = {"changes": {"starts_at_ms": world.clock.ms - 600_000}}
    refused = world.operate("POST", CONTROL, past)
    assert (refused.status, refused.json["pointer"]) == (400, "/changes/starts_at_ms")
    assert world.operate("POST", CONTROL, {"changes": {"message": "Go!"}}).status == 200


def test_a_place_that_was_drawn_is_told_where_the_clock_is_behind(world: ApiWorld) -> None:
    joined = world.visit("POST", "/visitors", headers=APP)
    world.tick(22)
    assert world.visit("GET", "/visitors/me", headers=bearer(joined)).json["phase"] == "open"
    world.clock.advance(-5)
    told = world.visit("GET", "/visitors/me", headers=bearer(joined))
    assert (told.json["phase"], told.json["position"]) == ("before", 0)
