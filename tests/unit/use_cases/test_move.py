"""A place moves to another device: by its link, once; the old device is told and can do nothing with it any more."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.api_world import BROWSER, SCRIPT, ZONE_ID, ApiWorld, Browser, HttpAnswer
from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.http.page.languages import texts
from waiting_room.use_cases.move import LINK_SEC

FORM = {**BROWSER, "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


@pytest.fixture
def world() -> ApiWorld:
    world = ApiWorld()
    world.put_zone(max_active=1)
    return world


def joined(world: ApiWorld) -> Browser:
    browser = Browser(world)
    assert browser.ask("POST", "/visitors").status == 201
    return browser


def link(browser: Browser) -> str:
    made = browser.ask("POST", "/visitors/me/links")
    assert made.status == 201
    return str(made.json["path"]).partition("#")[2]


def press(browser: Browser, token: str, **headers: str) -> HttpAnswer:
    return browser.ask("POST", "/moves", raw=f"token={token}", headers={**FORM, **headers})


def test_the_place_goes_to_the_other_device_and_the_old_one_is_told(world: ApiWorld) -> None:
    joined(world)
    phone, laptop = joined(world), Browser(world)
    before = phone.ask("GET", "/visitors/me").json
    token = link(phone)
    old = laptop.ask("GET", "/moves", headers=BROWSER, query=f"token={token}")
    assert (old.status, old.location) == (303, f"/.waiting-room/v1/zones/{ZONE_ID}/moves#{token}"), "of a release ago"
    page = laptop.ask("GET", "/moves", headers=BROWSER)
    assert re.search(r'<form[^>]+method="post"[^>]+action="/.waiting-room/v1/zones/midnight-sun/moves"', page.body)
    assert phone.ask("GET", "/visitors/me").status == 200, "opening a link moves nothing"
    moved = press(laptop, token)
    assert (moved.status, moved.location.partition("?")[0]) == (303, f"/.waiting-room/pages/{ZONE_ID}/index.html")
    after = laptop.ask("GET", "/visitors/me").json
    assert (after["visitor_id"], after["position"]) == (before["visitor_id"], before["position"])
    for method, path in (
        ("GET", "/visitors/me"),
        ("POST", "/visitors"),
        ("POST", "/access-tokens"),
        ("POST", "/visitors/me/links"),
        ("DELETE", "/sessions/me"),
    ):
        assert (answer := phone.ask(method, path)).status == 403, path
        assert answer.problem == "moved", path
    assert laptop.ask("GET", "/visitors/me").json["status"] != "left"
    told = phone.ask("GET", "/visitors/me", headers=BROWSER)
    assert texts()["states"]["moved"]["headline"] in told.body


def test_the_moved_place_gets_in(world: ApiWorld) -> None:
    phone, laptop = joined(world), Browser(world)
    press(laptop, link(phone))
    world.tick(20)
    assert laptop.ask("POST", "/access-tokens").status == 201
    assert phone.ask("POST", "/access-tokens").problem == "moved"


def test_a_link_works_once_and_not_for_long(world: ApiWorld) -> None:
    phone, laptop, thief = joined(world), Browser(world), Browser(world)
    token = link(phone)
    assert press(laptop, token).status == 303
    assert texts()["states"]["link_used"]["headline"] in press(thief, token).body
    assert thief.cookies == {}
    late = link(laptop)
    world.clock.advance(LINK_SEC + 1)
    assert press(thief, late).status == 410


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "%00", "token"])
def test_what_is_no_link_moves_nothing(world: ApiWorld, token: str) -> None:
    assert press(Browser(world), token).status in (400, 410)


def test_other_tokens_are_no_links(world: ApiWorld) -> None:
    phone = joined(world)
    assert press(Browser(world), phone.visitor_token).status == 410
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})


def test_a_link_of_an_earlier_run_moves_nothing(world: ApiWorld) -> None:
    token = link(joined(world))
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
    world.clock.advance(5)
    assert press(Browser(world), token).status == 410


def test_another_site_cannot_replace_a_visitors_place(world: ApiWorld) -> None:
    victim, attacker = joined(world), joined(world)
    token = link(attacker)
    held = victim.visitor_token
    assert press(victim, token, **{"sec-fetch-site": "cross-site"}).status == 403
    assert victim.visitor_token == held


def test_an_app_moves_by_json_and_gets_its_token(world: ApiWorld) -> None:
    token = link(joined(world))
    answer = world.visit("POST", "/moves", {"token": token}, headers={"accept": "application/json"})
    assert answer.status == 200
    bearer = {"authorization": f"Bearer {answer.json['visitor_token']}"}
    assert world.visit("GET", "/visitors/me", headers=bearer).json["position"] == 0


def test_only_a_place_that_waits_can_be_moved(world: ApiWorld) -> None:
    browser = joined(world)
    world.tick(20)
    token = link(browser)
    assert browser.ask("POST", "/access-tokens").status == 201
    assert browser.ask("POST", "/visitors/me/links", headers=SCRIPT).problem == "lapsed"
    assert press(Browser(world), token).status == 410


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_is_looked_into(world: ApiWorld, monkeypatch: pytest.MonkeyPatch, applied: bool) -> None:
    token = link(joined(world))
    move = Queue.move

    def lost(queue: Queue, *args: Any, **more: Any) -> Answer:
        if applied:
            move(queue, *args, **more)
        return Answer.UNSURE

    monkeypatch.setattr(Queue, "move", lost)
    assert press(Browser(world), token).status == (303 if applied else 503)


def test_a_claim_under_way_while_the_place_moves_is_told_so(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    phone, laptop = joined(world), Browser(world)
    token = link(phone)
    world.tick(20)
    admit = Queue.admit

    def meanwhile(queue: Queue, *args: Any, **more: Any) -> Answer:
        monkeypatch.undo()
        assert press(laptop, token).status == 303
        return admit(queue, *args, **more)

    monkeypatch.setattr(Queue, "admit", meanwhile)
    assert phone.ask("POST", "/access-tokens").problem == "moved"
    world.tick()
    assert laptop.ask("POST", "/access-tokens").status == 201
