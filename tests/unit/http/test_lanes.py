"""Lanes over HTTP: who gets into which, by whose word, and what becomes of a place held already."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, ROOT, ZONE_ID, ApiWorld, Browser
from waiting_room.use_cases.zones import hash_site_key

APP = {"accept": "application/json"}
LANES = {"general": {"weight": 1}, "vip": {"weight": 1}, "press": {"weight": 1}}
SITE_KEY = "the site's own key"
FULL = {"max_active": 1, "lanes": LANES, "site_key_sha256": hash_site_key(SITE_KEY)}


@pytest.fixture
def world() -> ApiWorld:
    """A zone with one inside and five in the general lane."""
    world = ApiWorld()
    assert world.put_zone(**FULL).status == 201
    first = world.visit("POST", "/visitors", headers=APP)
    world.tick(2)
    assert world.visit("POST", "/access-tokens", headers=bearer(first)).status == 201
    for _ in range(5):
        world.visit("POST", "/visitors", headers=APP)
    world.tick()
    world.clock.advance(2)
    return world


def bearer(answer: Any) -> dict[str, str]:
    return {**APP, "authorization": f"Bearer {answer.json['visitor_token']}"}


def invite(world: ApiWorld, lane: str = "vip", **more: Any) -> str:
    answer = world.operate("POST", f"/zones/{ZONE_ID}/invitations", {"lane": lane, "name": "Ada", **more})
    assert answer.status == 201
    return str(answer.json["token"])


def join(world: ApiWorld, token: str | None = None, headers: dict[str, str] = APP) -> Any:
    return world.visit("POST", "/visitors", None if token is None else {"invitation": token}, headers=headers)


def place(answer: Any) -> tuple[str, int]:
    return answer.json["lane"], answer.json["position"]


def test_an_invitation_leads_into_its_lane_and_the_token_keeps_it(world: ApiWorld) -> None:
    joined = join(world, invite(world))
    assert place(joined) == ("vip", 0)
    claims = world.tokens.verify(joined.json["visitor_token"], "visitor", now_sec=world.clock.now_sec)
    assert claims is not None
    assert claims["lane"] == "vip"
    again = world.visit("GET", "/visitors/me", headers=bearer(joined))
    assert place(again) == ("vip", 0)


def test_no_parameter_leads_into_a_lane(world: ApiWorld) -> None:
    assert world.visit("POST", "/visitors", {"lane": "vip"}, headers=APP).status == 400
    assert place(world.visit("POST", "/visitors", headers=APP, query="lane=vip"))[0] == "general"


def test_a_browser_with_a_place_moves_to_where_it_is_called_sooner(world: ApiWorld) -> None:
    browser = Browser(world)
    browser.enter()
    assert place(browser.ask("GET", "/visitors/me")) == ("general", 6)
    moved = browser.ask("POST", "/visitors", {"invitation": invite(world)})
    assert (moved.status, *place(moved)) == (201, "vip", 0)
    assert moved.json["notice"] is None
    assert "passed" not in browser.ask("GET", "/visitors/me", headers=BROWSER).body
    browser.enter()
    assert place(browser.ask("GET", "/visitors/me")) == ("vip", 0), "it stays there"


def test_a_better_place_is_kept_and_no_number_is_spent(world: ApiWorld) -> None:
    first = join(world)
    for _ in range(9):
        join(world, invite(world))
    refused = join(world, spare := invite(world), bearer(first))
    assert (refused.status, refused.problem) == (409, "not-sooner")
    assert place(join(world, None, bearer(first))) == ("general", 6)
    assert place(join(world, spare)) == ("vip", 9), "it was not used up"
    assert world.stores.joins.tail(ZONE_ID, 1, "vip", 0) == 10


def test_the_share_of_a_lane_counts(world: ApiWorld) -> None:
    held = join(world)
    lanes = {**LANES, "vip": {"weight": 10}}
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"lanes": lanes}})
    world.tick(3)
    for _ in range(8):
        join(world, invite(world))
    assert place(join(world, invite(world), bearer(held))) == ("vip", 8)


def test_who_is_called_keeps_the_place(world: ApiWorld) -> None:
    called = join(world)
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"max_active": 20}})
    world.tick(3)
    assert join(world, invite(world), bearer(called)).problem == "not-sooner"
    assert world.visit("POST", "/access-tokens", headers=bearer(called)).status == 201
    assert join(world, invite(world), bearer(called)).problem == "not-sooner"
    assert place(join(world, None, bearer(called)))[0] == "general"


@pytest.mark.parametrize("kind", ["expired", "other run", "lane gone", "forged", "a visitor token"])
def test_what_is_no_invitation_here_is_refused(world: ApiWorld, kind: str) -> None:
    token = invite(world, expires_in_sec=60)
    if kind == "expired":
        world.clock.advance(61)
    elif kind == "other run":
        world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
        world.clock.advance(3)
    elif kind == "lane gone":
        changes = {"lanes": {"vip": None, "press": None}}
        world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True, "changes": changes})
        token = world.tokens.sign("invitation", {**claims_of(world, token), "run": 2})
        world.clock.advance(3)
    elif kind == "forged":
        token = token[:-3] + "AAA"
    else:
        token = join(world).json["visitor_token"]
    refused = join(world, token)
    assert (refused.status, refused.problem) == (410, "link-expired" if kind == "expired" else "link-void")


def claims_of(world: ApiWorld, token: str) -> dict[str, Any]:
    claims = world.tokens.verify(token, "invitation", now_sec=world.clock.now_sec)
    assert claims is not None
    return claims


def test_a_site_invites_a_user_and_the_same_user_is_one_visitor(world: ApiWorld) -> None:
    headers = {"authorization": f"Bearer {SITE_KEY}"}
    body = {"zone_id": ZONE_ID, "lane": "press", "reference": "user-7"}
    first, again = (world.visit("POST", f"{ROOT}/invitations", body, headers=headers) for _ in range(2))
    assert (first.status, first.json["id"]) == (201, again.json["id"])
    assert "user-7" not in first.body
    assert place(join(world, first.json["token"])) == ("press", 0)
    assert place(join(world, again.json["token"])) == ("press", 0), "on another device: the same place"
    other = world.visit("POST", f"{ROOT}/invitations", {**body, "reference": "user-8"}, headers=headers)
    assert place(join(world, other.json["token"])) == ("press", 1)


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("not the key", 403)])
def test_nobody_else_invites(world: ApiWorld, key: str | None, status: int) -> None:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    body = {"zone_id": ZONE_ID, "lane": "vip", "reference": "user-7"}
    assert world.visit("POST", f"{ROOT}/invitations", body, headers=headers).status == status


def test_who_lapsed_stands_in_the_same_lane_again(world: ApiWorld) -> None:
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"max_active": 20}})
    joined = join(world, invite(world))
    world.tick(150)
    assert world.visit("GET", "/visitors/me", headers=bearer(joined)).json["status"] == "lapsed"
    again = join(world, None, bearer(joined))
    assert (place(again), again.json["notice"]) == (("vip", 1), "lapsed")


def test_a_lane_is_not_taken_away_from_those_who_wait_in_it(world: ApiWorld) -> None:
    join(world, invite(world))
    fewer = {"general": {"weight": 1}, "press": {"weight": 2}}
    put = world.put_zone(**{**FULL, "lanes": fewer}, version=1)
    assert (put.status, put.json["pointer"]) == (400, "/lanes")
    change = world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"lanes": {"vip": None}}})
    assert (change.status, change.json["pointer"]) == (400, "/changes/lanes")
    assert "reset" in change.json["detail"]
    reset = world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True, "changes": {"lanes": {"vip": None}}})
    assert (reset.status, set(reset.json["lanes"])) == (200, {"general", "press"})


def test_a_lane_may_be_added_while_people_wait(world: ApiWorld) -> None:
    lanes = {"gold": {"weight": 5}}
    assert world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"lanes": lanes}}).status == 200
    world.clock.advance(3)
    joined = join(world, invite(world, "gold"))
    assert place(joined) == ("gold", 0)
    assert world.visit("POST", "/access-tokens", headers=bearer(joined)).status == 202, "no tick has seen it yet"
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"max_active": 9}})
    world.tick(3)
    assert world.visit("POST", "/access-tokens", headers=bearer(joined)).status == 201


def test_an_invitation_asks_nothing_of_a_place_that_is_held(world: ApiWorld) -> None:
    waiting = join(world)
    rules = {"proof_of_work": {"mode": "require"}, "network_limit": {"mode": "refuse", "places": 1}}
    assert world.put_zone(**FULL, **rules, version=1).status == 200
    world.clock.advance(5)
    moved = join(world, invite(world), bearer(waiting))
    assert (moved.status, place(moved)) == (201, ("vip", 0))
    assert join(world, invite(world)).status == 428, "a newcomer is asked, invited or not"
