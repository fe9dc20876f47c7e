"""Sessions over HTTP: claim, renew, leave; and what holds for every answer and every log line."""

from __future__ import annotations

import pytest

from tests.support.api_world import BROWSER, ROOT, SCRIPT, ZONE_ID, ApiWorld, Browser
from tests.support.sale import EXITS_SEC
from waiting_room import schemas
from waiting_room.http.frame.validation import validate

ACCESS = f"__Host-wr-access-{ZONE_ID}"
APP = {"accept": "application/json"}


@pytest.fixture
def world() -> ApiWorld:
    world = ApiWorld()
    assert world.put_zone().status == 201
    return world


@pytest.fixture
def browser(world: ApiWorld) -> Browser:
    return Browser(world)


def admitted(world: ApiWorld) -> Browser:
    browser = Browser(world)
    browser.enter()
    world.tick(2)
    assert browser.enter().location == "/events/midnight-sun"
    return browser


def bearer(token: str) -> dict[str, str]:
    return {**APP, "authorization": f"Bearer {token}"}


class TestClaim:
    def test_who_must_wait_is_told_how_long(self, world: ApiWorld, browser: Browser) -> None:
        browser.ask("POST", "/visitors")
        answer = browser.ask("POST", "/access-tokens")

        assert answer.status == 202
        assert answer.headers["retry-after"] == str(answer.json["retry_after_sec"])
        validate(answer.json, schemas.components()["Waiting"])

    def test_a_called_visitor_gets_one_session_however_often_it_asks(self, world: ApiWorld, browser: Browser) -> None:
        browser.ask("POST", "/visitors")
        world.tick(2)
        first, again = browser.ask("POST", "/access-tokens"), browser.ask("POST", "/access-tokens")

        assert (first.status, again.status) == (201, 201)
        assert first.json == again.json
        assert "access_token" not in first.json
        assert ACCESS in first.cookies
        validate(first.json, schemas.components()["AccessToken"])

    def test_an_app_gets_the_token_in_the_body_and_no_cookie(self, world: ApiWorld) -> None:
        token = world.visit("POST", "/visitors", headers=APP).json["visitor_token"]
        world.tick(2)
        answer = world.visit("POST", "/access-tokens", headers=bearer(token))

        assert answer.status == 201
        assert answer.cookies == {}
        assert world.tokens.verify(answer.json["access_token"], "access", now_sec=world.clock.now_sec)
        validate(answer.json, schemas.components()["AccessToken"])

    def test_the_cap_holds(self, world: ApiWorld) -> None:
        browsers = [Browser(world) for _ in range(5)]
        for browser in browsers:
            browser.ask("POST", "/visitors")
        for _ in range(5):
            world.tick()
            for browser in browsers:
                browser.ask("POST", "/access-tokens")

        assert [ACCESS in browser.cookies for browser in browsers] == [True, True, False, False, False]

    def test_without_a_token_it_is_401(self, world: ApiWorld) -> None:
        assert world.visit("POST", "/access-tokens").status == 401


class TestRenew:
    def test_a_lease_gets_longer_and_never_shorter(self, world: ApiWorld) -> None:
        browser = admitted(world)
        first = browser.ask("POST", "/sessions/me/renewals")
        world.clock.advance(200)
        second = browser.ask("POST", "/sessions/me/renewals")

        assert first.status == second.status == 200
        assert second.json["expires_at_ms"] > first.json["expires_at_ms"]
        assert second.json["session_id"] == first.json["session_id"]
        validate(second.json, schemas.components()["AccessToken"])

    def test_past_the_hard_end_it_is_410(self, world: ApiWorld) -> None:
        browser = admitted(world)
        for _ in range(13):
            world.clock.advance(290)
            answer = browser.ask("POST", "/sessions/me/renewals")

        assert (answer.status, answer.problem) == (410, "hard-end")

    def test_by_redirect_it_leads_on_with_a_new_cookie(self, world: ApiWorld) -> None:
        browser = admitted(world)
        old = browser.access_token
        world.clock.advance(250)
        answer = browser.ask("GET", "/sessions/me/renew", headers=BROWSER, query="to=/events/midnight-sun/pay")

        assert (answer.status, answer.location) == (303, "/events/midnight-sun/pay")
        assert browser.access_token != old

    def test_by_redirect_it_leads_on_as_long_as_the_token_holds(self, world: ApiWorld) -> None:
        browser = admitted(world)
        world.operate("POST", f"/zones/{ZONE_ID}/revocations", {"session_id": session_of(world, browser)})
        answer = browser.ask("GET", "/sessions/me/renew", headers=BROWSER, query="to=/events/midnight-sun/pay")

        assert answer.location == "/events/midnight-sun/pay"
        assert answer.cookies == {}

    def test_by_redirect_without_a_session_it_leads_to_the_entrance(self, world: ApiWorld) -> None:
        answer = world.visit("GET", "/sessions/me/renew", headers=BROWSER, query="to=/events/midnight-sun/pay")

        assert answer.location == f"{ROOT}/zones/{ZONE_ID}/enter?to=/events/midnight-sun/pay"


class TestLeave:
    def test_the_slot_goes_to_the_next_and_twice_is_the_same(self, world: ApiWorld) -> None:
        world.put_zone(version=1, max_active=1)
        browser, follower = admitted(world), Browser(world)
        follower.ask("POST", "/visitors")
        token = browser.access_token
        first = browser.ask("DELETE", "/sessions/me")
        again = browser.ask("DELETE", "/sessions/me")
        by_token = world.visit("DELETE", "/sessions/me", headers=bearer(token))
        world.tick(EXITS_SEC)

        assert (first.status, again.status, by_token.status) == (204, 204, 204)
        assert ACCESS not in browser.cookies
        assert follower.ask("POST", "/access-tokens").status == 201

    def test_who_waits_gives_up_the_place(self, world: ApiWorld, browser: Browser) -> None:
        browser.ask("POST", "/visitors")

        assert browser.ask("DELETE", "/sessions/me").status == 204
        assert browser.ask("GET", "/visitors/me").json["status"] == "left"
        assert browser.ask("POST", "/visitors").status == 201

    def test_without_any_token_it_is_401(self, world: ApiWorld) -> None:
        assert world.visit("DELETE", "/sessions/me").status == 401


def test_a_hidden_page_is_noted_whatever_its_body(world: ApiWorld, browser: Browser) -> None:
    browser.ask("POST", "/visitors")
    answer = browser.ask("POST", "/visitors/me/away", raw="not json")

    assert answer.status == 204
    assert world.visit("POST", "/visitors/me/away").status == 401


def test_everything_personal_is_not_to_be_stored(world: ApiWorld) -> None:
    browser = admitted(world)
    for method, path in [("GET", "/visitors/me"), ("POST", "/access-tokens"), ("POST", "/sessions/me/renewals")]:
        assert browser.ask(method, path, headers=SCRIPT).headers["cache-control"] == "no-store"


def test_no_token_is_ever_in_a_log_line(world: ApiWorld) -> None:
    browser = admitted(world)
    browser.ask("GET", "/visitors/me")
    browser.ask("POST", "/sessions/me/renewals")
    browser.ask("DELETE", "/sessions/me")

    logged = str(world.log.lines)
    assert all(token.rpartition(".")[2] not in logged for token in browser.cookies.values())
    assert "eyJ" not in logged
    assert browser.cookies
    assert [line["operation"] for line in world.log.lines] == [
        "put_zone",
        "enter_zone",
        "enter_zone",
        "enter_zone",
        "get_visitor",
        "renew_session",
        "leave_zone",
    ]


def session_of(world: ApiWorld, browser: Browser) -> str:
    claims = world.tokens.verify(browser.access_token, "access", now_sec=world.clock.now_sec)
    assert claims is not None
    return str(claims["sid"])
