"""Places over HTTP: enter, join, locate."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.api_world import BROWSER, ROOT, ZONE_ID, ApiWorld, Browser
from waiting_room import schemas
from waiting_room.http.frame.validation import validate

PAGE = f"/.waiting-room/pages/{ZONE_ID}/index.html"
VISITOR = f"__Host-wr-visitor-{ZONE_ID}"
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


class TestEnter:
    def test_a_new_browser_gets_a_cookie_first_and_comes_back_once(self, world: ApiWorld) -> None:
        answer = world.visit("GET", "/enter", headers=BROWSER, query="to=%2Fevents%2Fmidnight-sun%3Fseat%3D4")

        assert answer.status == 303
        assert list(answer.cookies) == [VISITOR]
        target = urlsplit(answer.location)
        assert target.path == f"{ROOT}/zones/{ZONE_ID}/enter"
        assert parse_qs(target.query) == {"to": ["/events/midnight-sun?seat=4"], "again": ["1"]}
        assert answer.headers["cache-control"] == "no-store"
        assert world.stores.joins.tail(ZONE_ID, 1, "general", 0) == 0

    def test_a_browser_that_keeps_no_cookies_is_told_so(self, world: ApiWorld) -> None:
        answer = world.visit("GET", "/enter", headers=BROWSER, query="to=%2F&again=1")

        assert answer.status == 400
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.cookies == {}

    def test_who_is_not_called_goes_to_the_waiting_page_with_the_place_in_the_cookie(
        self, world: ApiWorld, browser: Browser
    ) -> None:
        answer = browser.enter("/events/midnight-sun%3Fseat%3D4")

        assert answer.status == 303
        assert urlsplit(answer.location).path == PAGE
        assert parse_qs(urlsplit(answer.location).query) == {"to": ["/events/midnight-sun?seat=4"]}
        claims = world.tokens.verify(browser.visitor_token, "visitor", now_sec=world.clock.now_sec)
        assert claims is not None
        assert (claims["seq"], claims["position"], claims["zone"]) == (1, 0, ZONE_ID)

    def test_who_is_called_goes_in_with_the_access_cookie(self, world: ApiWorld) -> None:
        browser = admitted(world)
        claims = world.tokens.verify(browser.access_token, "access", now_sec=world.clock.now_sec)

        assert claims is not None
        assert (claims["zone"], claims["run"], claims["lane"]) == (ZONE_ID, 1, "general")
        assert claims["exp"] <= claims["hard_end"]

    def test_one_browser_has_one_place_however_often_it_enters(self, world: ApiWorld, browser: Browser) -> None:
        for _ in range(3):
            browser.enter()

        assert world.stores.joins.tail(ZONE_ID, 1, "general", 0) == 1

    def test_without_a_destination_it_is_the_landing_path(self, world: ApiWorld, browser: Browser) -> None:
        answer = browser.ask("GET", "/enter", headers=BROWSER)

        assert parse_qs(urlsplit(answer.location).query)["to"] == ["/events/midnight-sun"]

    @pytest.mark.parametrize(
        "query",
        [
            "to=//evil.example",
            "to=/%5Cevil.example",
            "to=https://evil.example",
            "to=%2F.waiting-room%2Fv1",
            "to=/a&to=/b",
        ],
    )
    def test_a_foreign_destination_is_refused_before_anything_is_done(self, world: ApiWorld, query: str) -> None:
        for path in ("/enter", "/sessions/me/renew"):
            answer = world.visit("GET", path, query=query)
            assert (answer.status, answer.problem, answer.json["pointer"]) == (400, "invalid-input", "/to")
            assert answer.cookies == {}
        assert world.visit("GET", "/visitors/me", headers=BROWSER, query=query).status == 400

    def test_a_page_explains_what_stands_in_the_way(self, world: ApiWorld) -> None:
        browser = admitted(world)
        world.operate("POST", f"/zones/{ZONE_ID}/control", {"control": "end"})
        world.clock.advance(3)
        late = Browser(world)

        assert urlsplit(late.enter().location).path == PAGE
        assert world.log.lines[-1]["problem"] == "run-over"
        assert browser.enter().status == 303

    def test_only_the_six_zones_used_last_are_kept(self, world: ApiWorld, browser: Browser) -> None:
        browser.cookies = {f"__Host-wr-visitor-zone{index}": f"a.b{index}.c" for index in range(6)}
        browser.enter()

        assert len(browser.cookies) == 6
        assert VISITOR in browser.cookies


class TestJoin:
    def test_a_new_place_is_201_and_a_known_one_200(self, world: ApiWorld, browser: Browser) -> None:
        first = browser.ask("POST", "/visitors")
        again = browser.ask("POST", "/visitors")

        assert (first.status, again.status) == (201, 200)
        assert first.json == again.json
        assert "visitor_token" not in first.json
        assert VISITOR in first.cookies
        assert again.cookies == {}
        validate(first.json, schemas.components()["Place"])

    def test_an_app_gets_its_token_in_the_body(self, world: ApiWorld) -> None:
        first = world.visit("POST", "/visitors", headers=APP)
        again = world.visit("POST", "/visitors", headers=bearer(first.json["visitor_token"]))

        assert (first.status, again.status) == (201, 200)
        assert again.json["visitor_id"] == first.json["visitor_id"]
        assert "visitor_token" not in again.json
        assert again.cookies == {}
        validate(first.json, schemas.components()["Place"])

    def test_an_unknown_zone_is_404_whatever_is_asked(self, world: ApiWorld) -> None:
        for zone_id in ("nowhere", "UPPER", "a%2Fb", "x" * 60):
            answer = world.visit("POST", f"{ROOT}/zones/{zone_id}/visitors")
            assert (answer.status, answer.problem) == (404, "unknown-zone")
        assert world.visit("GET", f"{ROOT}/zones/nowhere/enter").status == 404

    def test_a_body_over_the_limit_is_413(self, world: ApiWorld) -> None:
        answer = world.visit("POST", "/visitors", raw="x" * 20_000)

        assert (answer.status, answer.problem) == (413, "too-large")

    def test_the_first_visitor_wakes_an_exchanger(self, world: ApiWorld, browser: Browser) -> None:
        browser.ask("POST", "/visitors")

        assert world.functions.started == [("foyer-exchanger", {"zones": [ZONE_ID]})]


class TestLocate:
    def test_a_place_is_told(self, world: ApiWorld, browser: Browser) -> None:
        browser.ask("POST", "/visitors")
        answer = browser.ask("GET", "/visitors/me")

        assert answer.status == 200
        assert (answer.json["position"], answer.json["status"]) == (0, "waiting")
        validate(answer.json, schemas.components()["Place"])

    def test_who_has_no_token_is_401_and_who_has_not_joined_404(self, world: ApiWorld) -> None:
        nobody = world.visit("GET", "/visitors/me")
        cookie = world.visit("GET", "/enter", headers=BROWSER).cookies
        stranger = world.visit("GET", "/visitors/me", cookies=cookie)

        assert (nobody.status, nobody.problem, nobody.headers["www-authenticate"]) == (401, "no-token", "Bearer")
        assert (stranger.status, stranger.problem) == (404, "unknown-visitor")

    def test_a_browser_without_scripts_gets_a_page(self, world: ApiWorld, browser: Browser) -> None:
        browser.enter()
        answer = browser.ask("GET", "/visitors/me", headers=BROWSER)

        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert 'http-equiv="refresh"' in answer.body

    def test_it_finds_where_to_go_by_the_page_it_came_from(self, world: ApiWorld, browser: Browser) -> None:
        browser.enter()
        referer = f"https://site.example{PAGE}?to=%2Fevents%2Fmidnight-sun%3Frow%3D2"
        answer = browser.ask("GET", "/visitors/me", headers={**BROWSER, "referer": referer})
        forged = browser.ask("GET", "/visitors/me", headers={**BROWSER, "referer": "https://e/?to=//evil.example"})

        assert "row%3D2" in answer.body
        assert forged.status == 200
        assert "evil.example" not in forged.body

    def test_without_a_cookie_it_goes_through_the_entrance(self, world: ApiWorld) -> None:
        answer = world.visit("GET", "/visitors/me", headers=BROWSER, query="to=/events/midnight-sun")

        assert answer.status == 303
        assert answer.location.startswith(f"{ROOT}/zones/{ZONE_ID}/enter?to=")

    def test_without_a_place_it_takes_one_instead_of_going_in_circles(self, world: ApiWorld, browser: Browser) -> None:
        browser.ask("GET", "/enter", headers=BROWSER)
        answer = browser.ask("GET", "/visitors/me", headers=BROWSER)

        assert answer.status == 200
        assert world.stores.joins.tail(ZONE_ID, 1, "general", 0) == 1

    def test_a_token_of_an_older_generation_is_not_raised_to_the_current_one(
        self, world: ApiWorld, browser: Browser
    ) -> None:
        browser.ask("POST", "/visitors")
        world.clock.advance(50_000)
        browser.ask("GET", "/visitors/me")
        claims = world.tokens.verify(browser.visitor_token, "visitor", now_sec=world.clock.now_sec)

        assert claims is not None
        assert claims["gen"] == 0
        assert claims["iat"] == world.clock.now_sec
