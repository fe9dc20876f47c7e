"""The opening of the line: before it nobody has a place, at it everybody may, by the clock of who is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, ZONE_ID, ApiWorld, Browser
from waiting_room.domain.zone.zones import OPENS_BEFORE_MS
from waiting_room.http.page.languages import languages, texts

HOUR_MS = 3_600_000
PROOF = {"proof_of_work": {"mode": "require", "bits": 8}}
LIMIT = {"network_limit": {"mode": "refuse", "places": 1}}


def world_that_opens(in_ms: int, **changes: Any) -> ApiWorld:
    """A zone whose line opens in so long, and that starts an hour later."""
    world = ApiWorld()
    moments = {"opens_at_ms": world.clock.ms + in_ms, "starts_at_ms": world.clock.ms + in_ms + HOUR_MS}
    put = world.put_zone(mode="combined", **moments, **changes)
    assert put.status == 201, put.body
    return world


def places(world: ApiWorld) -> int:
    return len(world.dynamo.tables["queue"].records)


@pytest.mark.parametrize("asked", [{}, PROOF, LIMIT], ids=["nothing", "work", "a network limit"])
def test_nobody_has_a_place_before_and_everybody_may_at_the_very_moment(asked: dict[str, Any]) -> None:
    world = world_that_opens(10_500, **asked)
    written = dict(world.dynamo.tables["counters"].records)
    refused = world.visit("POST", "/visitors")
    assert (refused.status, refused.problem, refused.headers["retry-after"]) == (409, "not-open", "11")
    assert refused.json["opens_at_ms"] == world.clock.ms + 10_500
    world.clock.ms += 10_499
    assert world.visit("POST", "/visitors").headers["retry-after"] == "1"
    assert (places(world), world.dynamo.tables["counters"].records) == (0, written)
    world.clock.ms += 1
    joined = world.visit("POST", "/visitors")
    assert joined.status == (428 if asked is PROOF else 201)


def test_enter_takes_no_place_either_and_the_page_says_when() -> None:
    world = world_that_opens(30 * HOUR_MS)
    browser = Browser(world)
    answer = browser.enter()
    assert (answer.status, answer.location.partition("?")[0]) == (303, f"/.waiting-room/pages/{ZONE_ID}/index.html")
    assert places(world) == 0
    for language in languages():
        page = browser.ask("GET", "/visitors/me", headers={**BROWSER, "accept-language": language})
        assert (page.status, texts(language)["states"]["unopened"]["headline"] in page.body) == (200, True)
        assert texts(language)["labels"]["until_open"] in page.body
        assert 'content="60; url=' in page.body
    assert places(world) == 0


def test_the_page_without_scripts_comes_back_when_the_line_opens() -> None:
    world = world_that_opens(9_001)
    browser = Browser(world)
    browser.enter()
    page = browser.ask("GET", "/visitors/me", headers=BROWSER)
    assert 'content="10; url=' in page.body
    world.clock.advance(10)
    page = browser.ask("GET", "/visitors/me", headers=BROWSER)
    assert texts()["states"]["before"]["headline"] in page.body
    assert places(world) == 1


@pytest.mark.parametrize("order", ["fifo", "lottery"])
def test_it_opens_half_an_hour_before_the_start_unless_said_otherwise(order: str) -> None:
    world = ApiWorld()
    start = world.clock.ms + HOUR_MS
    assert world.put_zone(mode="combined", order=order, starts_at_ms=start).status == 201
    opens_at_ms = world.visit("POST", "/visitors").json["opens_at_ms"]
    assert start - opens_at_ms == OPENS_BEFORE_MS


def test_who_has_a_place_keeps_it_when_the_opening_is_put_off() -> None:
    world = world_that_opens(0)
    browser = Browser(world)
    assert browser.ask("POST", "/visitors").status == 201
    later = {"opens_at_ms": world.clock.ms + HOUR_MS // 2}
    assert world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": later}).status == 200
    world.clock.advance(3)
    assert browser.ask("POST", "/visitors").status == 200
    assert browser.ask("GET", "/visitors/me").json["position"] == 0
    assert world.visit("POST", "/visitors").problem == "not-open"


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"opens_at_ms": 2_000_000_000_001}, "before the start"),
        ({"starts_at_ms": None, "mode": "queueing"}, "ahead of a start"),
        ({"starts_at_ms": None, "schedule": {"windows": [{"starts_at_ms": 2_000_000_000_000}]}}, "schedule"),
    ],
)
def test_an_opening_that_contradicts_the_start_is_refused(changes: dict[str, Any], advice: str) -> None:
    world = ApiWorld()
    moments = {"starts_at_ms": 2_000_000_000_000, "opens_at_ms": 2_000_000_000_000, "mode": "combined", **changes}
    refused = world.put_zone(**{name: value for name, value in moments.items() if value is not None})
    assert (refused.status, refused.json["pointer"]) == (400, "/opens_at_ms")
    assert advice in refused.json["detail"]
