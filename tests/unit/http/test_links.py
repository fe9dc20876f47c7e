"""Links that people send are opened by machines first: only a person's act takes what is behind one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, ZONE_ID, ApiWorld, Browser, HttpAnswer
from waiting_room import schemas
from waiting_room.domain.errors import Unsure
from waiting_room.domain.line.again import FIRST_WAIT_SEC
from waiting_room.http.page.languages import languages, texts

FORM = {**BROWSER, "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
LANES = {"general": {"weight": 1}, "vip": {"weight": 1}, "press": {"weight": 1}}
COOKIE = f"__Host-wr-bypass-{ZONE_ID}"
PREFETCHES = [
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "prefetch;prerender"),
    ("purpose", "prefetch"),
    ("x-moz", "prefetch"),
    ("x-purpose", "preview"),
]


@pytest.fixture
def world() -> ApiWorld:
    """A zone with one inside and five in the general lane."""
    world = ApiWorld()
    assert world.put_zone(max_active=1, lanes=LANES).status == 201
    first = joined(world)
    world.tick(2)
    assert first.ask("POST", "/access-tokens").status == 201
    for _ in range(5):
        joined(world)
    world.tick()
    world.clock.advance(2)
    return world


def joined(world: ApiWorld) -> Browser:
    browser = Browser(world)
    assert browser.ask("POST", "/visitors").status == 201
    return browser


def invite(world: ApiWorld, lane: str = "vip", **more: Any) -> tuple[str, str]:
    """An invitation: its link and its token."""
    made = world.operate("POST", f"/zones/{ZONE_ID}/invitations", {"lane": lane, "name": "Ada", **more}).json
    return made["link"], made["token"]


def press(browser: Browser, token: str, path: str = "/invitations", **headers: str) -> HttpAnswer:
    return browser.ask("POST", path, raw=f"token={token}", headers={**FORM, **headers})


def place(browser: Browser) -> tuple[str, int]:
    """What the waiting page does: ask for the place, and join where there is none."""
    answer = browser.ask("GET", "/visitors/me")
    if answer.status in (401, 404):
        answer = browser.ask("POST", "/visitors")
    return answer.json["lane"], answer.json["position"]


def tail(world: ApiWorld, lane: str = "vip") -> int:
    return world.stores.joins.tail(ZONE_ID, 1, lane, 0)


def follow(browser: Browser, path: str, query: str) -> list[HttpAnswer]:
    """Follow a link wherever redirects lead, keeping cookies, as machines do that look at what is behind it."""
    answers = []
    while True:
        answers.append(browser.ask("GET", path, headers=BROWSER, query=query))
        location = answers[-1].headers.get("location", "").partition("#")[0]
        if f"/zones/{ZONE_ID}/" not in location:
            return answers
        path, _, query = location.partition(f"/zones/{ZONE_ID}")[2].partition("?")


class TestInvitations:
    """Into a lane, by a button."""

    def test_no_get_takes_one_whatever_follows_and_keeps_cookies(self, world: ApiWorld) -> None:
        link, token = invite(world)
        assert link.endswith(f"/zones/{ZONE_ID}/invitations#{token}")
        written = dict(world.dynamo.tables["counters"].records)
        scanner = Browser(world)
        follow(scanner, "/invitations", "")
        seen = follow(scanner, "/enter", f"to=/events/midnight-sun&invitation={token}")
        assert (seen[0].status, seen[0].location.endswith(f"/invitations#{token}")) == (303, True)
        assert "<form" in seen[-1].body
        assert world.visit("HEAD", "/invitations").status == 405
        assert (scanner.cookies, tail(world), world.dynamo.tables["counters"].records) == ({}, 0, written)
        owner = Browser(world)
        assert press(owner, token).status == 303
        assert place(owner) == ("vip", 0)

    def test_the_page_runs_our_script_and_works_without_it(self, world: ApiWorld) -> None:
        page = world.visit("GET", "/invitations", headers=BROWSER)
        assert page.status == 200
        assert 'method="post" action="/.waiting-room/v1/zones/midnight-sun/invitations"' in page.body
        assert texts()["notices"]["paste"] in page.body
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "same-origin"
        link, _ = invite(world)
        pasted = Browser(world)
        assert press(pasted, f"https%3A%2F%2Ftickets.example{link.replace('#', '%23')}").status == 303
        assert place(pasted) == ("vip", 0)
        shown = pasted.ask("GET", "/visitors/me", headers=BROWSER)
        assert shown.status == 200

    def test_without_scripts_a_held_place_is_given_up_for_a_sooner_one(self, world: ApiWorld) -> None:
        browser = joined(world)
        assert press(browser, invite(world)[1]).status == 303
        assert browser.ask("GET", "/visitors/me", headers=BROWSER).status == 200
        assert place(browser) == ("vip", 0)

    def test_on_another_device_it_is_the_same_place_until_it_is_called(self, world: ApiWorld) -> None:
        _, token = invite(world)
        phone, laptop, tablet = Browser(world), joined(world), Browser(world)
        for device, former in ((phone, None), (laptop, phone), (phone, laptop), (phone, None)):
            assert press(device, token).status == 303
            assert place(device) == ("vip", 0)
            if former is not None:
                assert former.ask("GET", "/visitors/me").problem == "moved"
                assert former.ask("POST", "/access-tokens").problem == "moved"
        assert tail(world) == 1, "never two places of one invitation"
        changed = world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"max_active": 50}})
        assert changed.status == 200
        world.tick(3)
        late = press(tablet, token)
        assert (late.status, tablet.cookies) == (410, {})
        assert texts()["states"]["invitation_used"]["headline"] in late.body
        assert phone.ask("POST", "/access-tokens").status == 201

    def test_pressed_on_two_devices_before_either_joined_it_is_one_place(self, world: ApiWorld) -> None:
        _, token = invite(world)
        phone, laptop = Browser(world), Browser(world)
        assert [press(device, token).status for device in (phone, laptop)] == [303, 303]
        assert {place(device) for device in (phone, laptop, phone)} == {("vip", 0)}
        assert tail(world) == 1

    def test_one_that_brings_nobody_in_sooner_stays_good(self, world: ApiWorld) -> None:
        browser, other = joined(world), Browser(world)
        for _ in range(8):
            press(filler := Browser(world), invite(world)[1])
            place(filler)
        _, token = invite(world)
        refused = press(browser, token)
        assert (refused.status, place(browser)) == (409, ("general", 6))
        assert texts()["states"]["not_sooner"]["headline"] in refused.body
        assert browser.ask("POST", "/visitors", {"invitation": token}).problem == "not-sooner"
        assert press(other, token).status == 303
        assert place(other) == ("vip", 8)
        assert press(browser, token).status == 409, "nor is the better place given up for the one that moves"
        assert place(browser) == ("general", 6)

    def test_taken_too_soon_after_other_places_it_stays_free(self, world: ApiWorld) -> None:
        browser, (_, token) = joined(world), invite(world)
        browser.ask("DELETE", "/sessions/me")
        assert browser.ask("POST", "/visitors").status == 201
        early = press(browser, token)
        assert (early.status, early.headers["retry-after"]) == (429, str(FIRST_WAIT_SEC))
        assert texts()["states"]["too_soon"]["headline"] in early.body
        assert place(browser)[0] == "general"
        world.clock.advance(FIRST_WAIT_SEC)
        assert press(browser, token).status == 303
        assert place(browser) == ("vip", 0)

    @pytest.mark.parametrize("kind", ["expired", "other run", "forged", "cut", "a visitor token"])
    def test_one_that_does_not_count_says_so(self, world: ApiWorld, kind: str) -> None:
        _, token = invite(world, expires_in_sec=60)
        if kind == "expired":
            world.clock.advance(61)
        elif kind == "other run":
            world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
            world.clock.advance(3)
        else:
            token = {"forged": token[:-3] + "AAA", "cut": token[:-9], "a visitor token": joined(world).visitor_token}[
                kind
            ]
        browser, name = Browser(world), "link_expired" if kind == "expired" else "link_void"
        for language in languages():
            page = press(browser, token, **{"accept-language": language})
            assert page.status == 410
            assert texts(language)["states"][name]["headline"] in page.body
        assert browser.cookies == {}
        told = browser.ask("POST", "/visitors", {"invitation": token})
        assert (told.status, told.problem) == (410, name.replace("_", "-"))

    def test_another_site_cannot_press_the_button(self, world: ApiWorld) -> None:
        victim, (_, token) = joined(world), invite(world)
        for site in ("cross-site", "same-site", "none"):
            assert press(victim, token, **{"sec-fetch-site": site}).status == 403
        json = {**BROWSER, "content-type": "text/plain", "sec-fetch-site": "cross-site"}
        assert victim.ask("POST", "/invitations", {"token": token}, headers=json).status == 403
        assert place(victim)[0] == "general"

    def test_an_answer_that_was_lost_keeps_the_token_in_the_form(
        self, world: ApiWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, token = invite(world)
        monkeypatch.setattr(type(world.stores.invitations), "take", lost)
        page = press(Browser(world), token)
        assert (page.status, f'value="{token}"' in page.body) == (503, True)


def lost(*_: object) -> str:
    """A write whose answer is lost."""
    raise Unsure


class TestBypasses:
    """Past the line, by a button."""

    def test_the_button_gives_the_cookie_the_gate_looks_at(self, world: ApiWorld) -> None:
        made = world.operate("POST", f"/zones/{ZONE_ID}/bypass-tokens", {"name": "Ines", "expires_in_sec": 60}).json
        browser = Browser(world)
        assert (
            'action="/.waiting-room/v1/zones/midnight-sun/bypasses"'
            in browser.ask("GET", "/bypasses", headers=BROWSER).body
        )
        assert browser.cookies == {}
        let_in = press(browser, made["token"], "/bypasses")
        assert (let_in.status, let_in.location) == (303, "/events/midnight-sun")
        assert browser.cookies == {COOKIE: made["token"]}
        world.clock.advance(61)
        late = press(Browser(world), made["token"], "/bypasses")
        assert (late.status, late.cookies) == (410, {})
        assert texts()["states"]["link_expired"]["headline"] in late.body


class TestPrefetch:
    """A browser that asks on a guess takes nothing, and gets nothing that it could show later."""

    @pytest.mark.parametrize(("name", "value"), PREFETCHES)
    def test_nothing_is_taken_and_nothing_kept(self, world: ApiWorld, name: str, value: str) -> None:
        reads = [op for op in schemas.operations().values() if op.function == "bouncer" and op.method == "GET"]
        assert {"enter_zone", "renew_session_redirect", "get_visitor", "open_link"} <= {op.operation_id for op in reads}
        for held in (Browser(world), joined_before(world)):
            cookies = dict(held.cookies)
            written = {table: dict(kept.records) for table, kept in world.dynamo.tables.items()}
            for operation in reads:
                path = operation.path.replace("{zone_id}", ZONE_ID)
                answer = held.ask("GET", path, headers={**BROWSER, name: value}, query="to=/events/midnight-sun")
                assert (answer.status, answer.cookies) == (503, {}), path
                assert answer.headers["cache-control"] == "no-store"
            assert held.cookies == cookies
            assert {table: dict(kept.records) for table, kept in world.dynamo.tables.items()} == written
        told = world.visit("GET", "/visitors/me", headers={"accept": "application/json", name: value})
        assert told.problem == "no-prefetch"

    def test_who_follows_the_link_then_comes_in_as_ever(self, world: ApiWorld) -> None:
        browser = Browser(world)
        query = "to=/events/midnight-sun"
        browser.ask("GET", "/enter", headers={**BROWSER, "sec-purpose": "prefetch"}, query=query)
        browser.enter()
        assert place(browser) == ("general", 6)


def joined_before(world: ApiWorld) -> Browser:
    """Somebody with a place that was called: `enter` would let them in."""
    browser = joined(world)
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"max_active": 50}})
    world.tick(2)
    return browser
