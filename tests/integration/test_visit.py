"""Visits over real HTTP, through the edge and the real gate: arrive, wait, be called, look around, buy, leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from scripts.visitors.browser import PAGE_HEADERS, SCRIPT_HEADERS, token_claims
from tests.integration.guests import Guest, connections, problem_of
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import SITE_KEY, open_zones, path_of, sample_site, status_of, zone
from waiting_room.domain.locations import page_path
from waiting_room.http.frame.validation import validate

LOOKS_EVERY_SEC = 3.0
NOTICED_SEC = 80.0
"""Who joins in the seconds after an exchanger went idle wakes none; the dispatcher sees it within its minute."""
SILENCE_SEC = 120.0
"""A silent leaver's slot is free after 30 s of idleness, a bucket of 10 s and a margin of 10 s, on an idle machine."""


@pytest.fixture(scope="module", autouse=True)
def zones(foyer: Foyer) -> None:
    """The zones of this module, one for each test."""
    one_at_once = [zone(zone_id, max_active=1) for zone_id in ("left", "kept", "tabs", "app", "hidden")]
    two_at_once = [zone(zone_id) for zone_id in ("arriving", "cookieless", "tickets", "confirmed")]
    silent = zone("silent", session={"idle_sec": 30})
    open_zones(foyer, *one_at_once, *two_at_once, silent)


@pytest.fixture(scope="module", autouse=True)
def company(http: httpx.Client, zones: None) -> Iterator[Company]:
    """Two in the zone `silent` from the beginning of this module: the last test asks what became of them."""
    company = Company(http)
    thread = threading.Thread(target=company.look_around, name="guest who stays")
    thread.start()
    yield company
    company.over.set()
    thread.join()


class Company:
    """One who comes in and says no more, and one who goes on looking at the page."""

    def __init__(self, http: httpx.Client) -> None:
        self.silent, self.staying = Guest(http, "silent"), Guest(http, "silent")
        assert self.silent.is_in()
        assert self.staying.is_in()
        self.first_token = self.staying.token("access")
        self.seen: list[bool] = []
        self.over = threading.Event()

    def look_around(self) -> None:
        """Open the page every few seconds and note whether it still opens."""
        while not self.over.wait(LOOKS_EVERY_SEC):
            self.seen.append(self.staying.is_in())


def names(seen: dict[str, Any]) -> dict[str, str]:
    return dict(seen["headers"])


def test_a_newcomer_is_given_a_cookie_then_a_place_then_the_page(http: httpx.Client) -> None:
    guest = Guest(http, "arriving")
    wanted = "/events/arriving/seats?row=7&name=%C3%A9"
    enter = f"/.waiting-room/v1/zones/arriving/enter?to={quote(wanted, safe='/')}"

    refused = guest.get(wanted)
    assert (refused.status_code, refused.headers["location"], guest.cookies) == (303, enter, {})
    greeted = guest.get(enter)
    assert (greeted.status_code, greeted.headers["location"]) == (303, f"{enter}&again=1")
    assert list(guest.cookies) == ["__Host-wr-visitor-arriving"]
    let_in = guest.get(greeted.headers["location"])
    assert (let_in.status_code, let_in.headers["location"]) == (303, wanted)
    assert {answer.headers["cache-control"] for answer in (refused, greeted, let_in)} == {"no-store"}

    page = guest.get(wanted)
    seen = page.json()
    told, access = names(seen), guest.token("access")
    claims = token_claims(access)
    assert (page.status_code, f"{seen['path']}?{seen['query']}") == (200, wanted)
    assert {name: told[f"x-waiting-room-{name}"] for name in ("zone", "visitor", "lane", "session", "token")} == {
        "zone": "arriving",
        "visitor": claims["sub"],
        "lane": "general",
        "session": claims["sid"],
        "token": access,
    }
    assert "__Host-wr" not in told.get("cookie", "")


def test_a_browser_without_cookies_is_told_so_and_joins_nothing(http: httpx.Client) -> None:
    answer = http.get("/.waiting-room/v1/zones/cookieless/enter?to=/events/cookieless&again=1", headers=PAGE_HEADERS)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "cookie" in answer.text.lower()
    # Whoever joins now has the first place: nobody has joined before.
    assert Guest(http, "cookieless").call("POST", "/visitors").json()["position"] == 0


def test_a_full_zone_makes_one_wait_until_a_ticket_is_bought(foyer: Foyer) -> None:
    with sample_site(foyer, "tickets") as edge, connections(edge.url) as http:
        buyer, looker, third, fourth = (Guest(http, "tickets") for _ in range(4))
        assert buyer.is_in()
        assert looker.is_in()
        waiting = third.open()
        assert urlsplit(str(waiting.url)).path == page_path("tickets")
        assert "text/html" in waiting.headers["content-type"]
        assert not fourth.is_in()

        place = third.place()
        assert (place["status"], place["position"], place["phase"]) == ("waiting", 2, "open")
        assert fourth.place()["position"] == 3
        not_yet = third.call("POST", "/access-tokens")
        assert not_yet.status_code == 202
        assert not_yet.json().items() >= {"status": "waiting", "position": 2}.items()
        assert not_yet.headers["retry-after"] == str(not_yet.json()["retry_after_sec"])
        status = wait_until(lambda: all_joined(foyer, "tickets", 4), NOTICED_SEC, "all four are counted")
        validate(status, "status")
        assert (status["phase"], status["lanes"]["general"]["serving"]) == ("open", 2)

        form = {"order": "0123456789ab", "quantity": "2"}
        unanswered, another = buyer.another_window(), buyer.another_window()
        bought = buyer.open("/events/tickets/checkout", form)
        assert urlsplit(str(bought.url)).path == "/orders/0123456789ab"
        assert "__Host-wr-access-tickets" not in buyer.cookies
        again = unanswered.another_window().open("/events/tickets/checkout", form)
        assert again.text == bought.text
        assert another.open("/events/tickets/checkout", {"order": "ba9876543210"}).status_code == 409
        assert not buyer.is_in()
        third.come_in()
        assert not fourth.claim()
        # The room is the third's: whoever was in it is turned away, and told what became of the visit.
        assert urlsplit(str(unanswered.open("/events/tickets/checkout", form).url)).path == page_path("tickets")
        assert unanswered.place()["status"] == "completed"

        left = looker.open("/events/tickets/leave", {})
        assert (left.status_code, urlsplit(str(left.url)).path) == (200, "/")
        fourth.come_in()


def all_joined(foyer: Foyer, zone_id: str, count: int) -> dict[str, Any] | None:
    status = status_of(foyer, zone_id)
    return status if status["lanes"]["general"]["tail"] == count else None


def test_one_session_is_good_for_one_purchase(http: httpx.Client) -> None:
    guest = Guest(http, "confirmed")
    assert guest.is_in()
    token = guest.token("access")

    def confirm(reference: str, checkout: bool = False, key: str | None = SITE_KEY) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = {"token": token, "reference": reference, "checkout": checkout}
        return http.post("/.waiting-room/v1/confirmations", json=body, headers=headers)

    assert problem_of(confirm("order 1", key=None)) == "no-token"
    assert problem_of(confirm("order 1", key="a guess")) == "forbidden"
    tied = confirm("order 1")
    session = {"zone_id": "confirmed", "visitor_id": token_claims(token)["sub"], "session_id": guest.sid}
    assert (tied.status_code, tied.json()) == (200, {**session, "reference": "order 1", "status": "admitted"})
    assert confirm("order 1").json() == tied.json()
    assert problem_of(confirm("order 2")) == "reference-used"
    bought = confirm("order 1", checkout=True)
    assert (bought.status_code, bought.json()["status"]) == (200, "completed")
    assert confirm("order 1", checkout=True).json() == confirm("order 1").json() == bought.json()
    assert problem_of(confirm("order 2", checkout=True)) == "reference-used"

    assert guest.place()["status"] == "completed"
    assert problem_of(guest.call("POST", "/visitors")) == "already-completed"
    assert problem_of(guest.call("POST", "/access-tokens")) == "already-completed"
    assert problem_of(guest.call("POST", "/sessions/me/renewals")) == "already-completed"


def test_who_leaves_makes_room_and_leaving_twice_is_leaving_once(http: httpx.Client) -> None:
    inside, patient, impatient = (Guest(http, "left") for _ in range(3))
    assert inside.is_in()
    assert not patient.is_in()
    assert not impatient.is_in()
    assert (patient.place()["position"], impatient.place()["position"]) == (1, 2)

    for guest in (inside, impatient):
        copy = guest.another_window()
        for window in (guest, guest, copy):
            answer = window.call("DELETE", "/sessions/me")
            assert (answer.status_code, answer.content) == (204, b"")
        assert guest.place()["status"] == "left"
    assert "__Host-wr-access-left" not in inside.cookies
    patient.come_in()

    again = impatient.call("POST", "/visitors")
    assert (again.status_code, again.json()["position"], again.json()["status"]) == (201, 3, "waiting")


def test_a_place_survives_a_reload_and_a_second_client(http: httpx.Client) -> None:
    first, guest, next_one = (Guest(http, "kept") for _ in range(3))
    assert first.is_in()
    assert not guest.is_in()
    assert not next_one.is_in()
    place = guest.place()
    assert (place["position"], next_one.place()["position"]) == (1, 2)

    assert not guest.is_in()
    elsewhere = guest.another_window()
    assert not elsewhere.is_in()
    joined = elsewhere.call("POST", "/visitors")
    kept = ("visitor_id", "position", "joined_at_ms", "run", "lane", "status")
    for told in (guest.place(), elsewhere.place(), joined.json()):
        assert [told[name] for name in kept] == [place[name] for name in kept]
    assert joined.status_code == 200


def test_two_tabs_are_one_session(http: httpx.Client) -> None:
    guest = Guest(http, "tabs")
    assert not guest.cookies
    guest.get(f"{guest.api}/enter")
    tabs = [guest.another_window() for _ in range(2)]
    assert [tab.is_in() for tab in tabs] == [True, True]
    assert tabs[0].sid == tabs[1].sid
    renewed = tabs[0].call("POST", "/sessions/me/renewals")
    assert (renewed.status_code, renewed.json()["session_id"]) == (200, tabs[1].sid)
    assert "access_token" not in renewed.json()
    assert tabs[0].is_in()


def test_an_app_does_it_all_with_bearer_tokens(foyer: Foyer, http: httpx.Client) -> None:
    api = "/.waiting-room/v1/zones/app"

    def ask(method: str, path: str, token: str = "") -> httpx.Response:
        answer = http.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})
        assert "set-cookie" not in answer.headers or not token
        return answer

    refused = ask("GET", path_of("app"))
    assert (refused.status_code, problem_of(refused)) == (429, "waiting")
    assert refused.json()["enter_url"] == f"{api}/enter?to=/events/app"
    assert int(refused.headers["retry-after"]) > 0

    joined = ask("POST", f"{api}/visitors")
    visitor = joined.json()["visitor_token"]
    assert (joined.status_code, joined.json()["position"]) == (201, 0)
    assert ask("POST", f"{api}/visitors", visitor).status_code == 200
    assert ask("GET", f"{api}/visitors/me", visitor).json()["visitor_id"] == joined.json()["visitor_id"]
    assert ask("GET", path_of("app"), visitor).status_code == 429
    admitted = wait_until(lambda: created(ask("POST", f"{api}/access-tokens", visitor)), 20, "the app is let in")
    access = admitted["access_token"]
    assert token_claims(access)["exp"] * 1000 == admitted["expires_at_ms"]

    page = ask("GET", path_of("app"), access)
    assert (page.status_code, names(page.json())["x-waiting-room-session"]) == (200, admitted["session_id"])
    renewed = ask("POST", f"{api}/sessions/me/renewals", access)
    assert renewed.status_code == 200
    assert renewed.json()["expires_at_ms"] >= admitted["expires_at_ms"]
    assert ask("GET", path_of("app"), renewed.json()["access_token"]).status_code == 200
    assert [ask("DELETE", f"{api}/sessions/me", access).status_code for _ in range(2)] == [204, 204]
    assert problem_of(ask("POST", f"{api}/sessions/me/renewals", access)) == "lapsed"


def created(answer: httpx.Response) -> dict[str, Any] | None:
    """The body of an answer that created something; None for "not yet"."""
    assert answer.status_code in (201, 202), answer.text
    body: dict[str, Any] = answer.json()
    return body if answer.status_code == 201 else None


def test_a_page_that_is_hidden_says_so(foyer: Foyer, http: httpx.Client) -> None:
    first, guest = (Guest(http, "hidden") for _ in range(2))
    assert first.is_in()
    assert not guest.is_in()
    # What navigator.sendBeacon sends: a POST without a body that expects no answer.
    away = guest.send("POST", f"{guest.api}/visitors/me/away", {**SCRIPT_HEADERS, "Sec-Fetch-Mode": "no-cors"})
    assert (away.status_code, away.content) == (204, b"")
    visitor_id = token_claims(guest.token("visitor"))["sub"]
    known = foyer.operate("GET", f"/zones/hidden/visitors/{visitor_id}").json()
    assert known["away_at_ms"] >= known["joined_at_ms"]
    assert problem_of(http.post(f"{guest.api}/visitors/me/away")) == "no-token"


def test_silence_makes_room_and_looking_around_does_not(http: httpx.Client, company: Company) -> None:
    newcomer = Guest(http, "silent")
    newcomer.open()
    newcomer.come_in(SILENCE_SEC)
    looks = len(company.seen)
    wait_until(lambda: len(company.seen) > looks, 30, "one more look at the page")
    assert all(company.seen)
    first, last = token_claims(company.first_token), token_claims(company.staying.token("access"))
    assert (last["sid"], last["exp"] > first["exp"]) == (first["sid"], True)
    assert company.silent.get(company.silent.path).status_code == 303
    assert not company.silent.is_in()
