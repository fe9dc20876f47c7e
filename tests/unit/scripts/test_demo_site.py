"""The sample site: whom it sells to, what it asks of the waiting room, and what it says when the answer is no."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.demo_site.app import create_app
from scripts.demo_site.events import EVENTS
from scripts.operator_cli.zone_files import read_zone_file

ZONES_FILE = Path(__file__).parents[3] / "scripts/demo_site/zones.json"
ADMITTED = {
    "x-waiting-room-zone": "midnight-sun",
    "x-waiting-room-visitor": "visitor-of-22-letters_",
    "x-waiting-room-session": "session-of-22-letters_",
    "x-waiting-room-lane": "general",
    "x-waiting-room-token": "the.access.token",
}
CHECKOUT = "/events/midnight-sun/checkout"
FORM = {"order": "0123456789ab", "ticket": "deck", "quantity": "2"}


class Site:
    """The site with a waiting room that answers as told."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | int = 200) -> None:
        self.calls: list[httpx.Request] = []
        self._answer = answer
        keys = {event_id: f"key of {event_id}" for event_id in EVENTS}
        self._app = create_app("http://edge.test", keys, httpx.MockTransport(self._answered))

    def _answered(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        return httpx.Response(self._answer, json={}) if isinstance(self._answer, int) else self._answer(request)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._send("GET", path, headers or {})

    def post(self, path: str, form: dict[str, str] | bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        given = ADMITTED if headers is None else headers
        return self._send("POST", path, given, **({"content": form} if isinstance(form, bytes) else {"data": form}))

    def _send(self, method: str, path: str, headers: dict[str, str], **content: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
                return await client.request(method, path, headers=headers, **content)

        return asyncio.run(send())


def test_the_home_page_is_open_and_leads_to_both_events() -> None:
    page = Site().get("/").text
    assert 'href="/events/midnight-sun"' in page
    assert 'href="/events/winter-gala"' in page


def test_a_ticket_page_tells_who_is_in() -> None:
    page = Site().get("/events/midnight-sun", ADMITTED).text
    assert "visitor-of-22-letters_" in page
    assert "session-of-22-letters_" in page
    assert "the.access.token" not in page
    assert 'data-visit="midnight-sun"' in page


def test_what_the_headers_say_is_text() -> None:
    page = Site().get("/events/midnight-sun", ADMITTED | {"x-waiting-room-visitor": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in page


def test_a_purchase_is_confirmed_by_the_waiting_room_first() -> None:
    site = Site()
    bought = site.post(CHECKOUT, FORM)
    (call,) = site.calls
    assert str(call.url) == "http://edge.test/.waiting-room/v1/confirmations"
    assert call.headers["authorization"] == "Bearer key of midnight-sun"
    assert json.loads(call.content) == {"token": "the.access.token", "reference": FORM["order"], "checkout": True}
    assert bought.status_code == 303
    thanks = site.get(bought.headers["location"])
    assert thanks.status_code == 200
    assert "2 × Upper deck" in thanks.text
    assert "€ 130" in thanks.text


def test_each_form_is_one_order_however_often_it_is_sent() -> None:
    site = Site()
    first, second = site.post(CHECKOUT, FORM), site.post(CHECKOUT, FORM | {"quantity": "4"})
    assert first.headers["location"] == second.headers["location"]
    assert {json.loads(call.content)["reference"] for call in site.calls} == {FORM["order"]}
    assert "2 × Upper deck" in site.get(second.headers["location"]).text
    forms = {site.get("/events/midnight-sun", ADMITTED).text for _ in range(2)}
    assert len(forms) == 2


@pytest.mark.parametrize(
    ("answered", "status", "words"),
    [
        (410, 410, "Nothing was bought"),
        (409, 409, "already used"),
        (401, 403, "could not see that it was your turn"),
        (429, 503, "Send the order again"),
        (500, 503, "Send the order again"),
    ],
)
def test_a_refused_confirmation_sells_nothing_and_says_so(answered: int, status: int, words: str) -> None:
    site = Site(answered)
    page = site.post(CHECKOUT, FORM)
    assert page.status_code == status
    assert words in page.text
    assert site.get(f"/orders/{FORM['order']}").status_code == 404


def test_an_unreachable_waiting_room_sells_nothing_and_the_same_order_can_be_sent_again() -> None:
    def nobody_there(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there", request=request)

    page = Site(nobody_there).post(CHECKOUT, FORM)
    assert page.status_code == 503
    assert f'name="order" value="{FORM["order"]}"' in page.text
    assert 'name="quantity" value="2"' in page.text


def test_whoever_the_gate_has_not_seen_buys_nothing() -> None:
    site = Site()
    assert site.post(CHECKOUT, FORM, {}).status_code == 403
    assert site.post(CHECKOUT, FORM, {"x-waiting-room-zone": "winter-gala"}).status_code == 403
    assert site.calls == []


def test_whom_the_gate_lets_pass_without_a_session_buys_without_one() -> None:
    site = Site()
    staff = {"x-waiting-room-zone": "midnight-sun", "x-waiting-room-exempt": "1"}
    assert site.post(CHECKOUT, FORM, staff).status_code == 303
    assert site.calls == []


def test_an_empty_form_is_one_ticket_of_the_first_kind() -> None:
    site = Site()
    assert "1 × Pier" in site.get(site.post(CHECKOUT, {}).headers["location"]).text


@pytest.mark.parametrize(
    "form",
    [
        FORM | {"quantity": "5"},
        FORM | {"quantity": "0"},
        FORM | {"quantity": "many"},
        FORM | {"ticket": "backstage"},
        FORM | {"order": "../../x"},
        b"quantity=%ff%fe",
        b"x" * 5_000,
    ],
)
def test_a_damaged_form_is_refused(form: dict[str, str] | bytes) -> None:
    site = Site()
    assert site.post(CHECKOUT, form).status_code == 400
    assert site.calls == []


def test_leaving_without_scripts_ends_the_session_through_the_edge() -> None:
    site = Site(204)
    left = site.post("/events/midnight-sun/leave", {})
    (call,) = site.calls
    assert call.method == "DELETE"
    assert str(call.url) == "http://edge.test/.waiting-room/v1/zones/midnight-sun/sessions/me"
    assert call.headers["authorization"] == "Bearer the.access.token"
    assert left.headers["location"] == "/?left=midnight-sun"
    assert "You have left Midnight Sun" in site.get("/?left=midnight-sun").text
    assert "You have left Midnight" not in site.get("/?left=<script>").text


@pytest.mark.parametrize("path", ["/events/nothing", "/orders/0123456789ab", "/nothing", "/static/nothing.css"])
def test_what_is_not_there_is_404(path: str) -> None:
    assert Site().get(path).status_code == 404


def test_a_checkout_cannot_be_fetched() -> None:
    assert Site().get(CHECKOUT, ADMITTED).status_code == 405


def test_a_missing_site_key_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="winter-gala"):
        create_app("http://edge.test", {"midnight-sun": "key"})


def test_everything_the_pages_load_is_there_and_their_own() -> None:
    site = Site()
    for page in (site.get("/"), site.get("/events/midnight-sun", ADMITTED)):
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        for address in {part.split('"')[0] for part in page.text.split('src="')[1:]}:
            assert address.startswith("/static/")
            assert site.get(address).status_code == 200


def test_the_demo_zones_are_valid_and_guard_the_events() -> None:
    zones = {zone["zone_id"]: zone for zone in read_zone_file(ZONES_FILE)}
    assert set(zones) == set(EVENTS)
    for event_id, zone in zones.items():
        assert zone["landing_path"] == EVENTS[event_id].path
        assert zone["rules"] == [{"paths": [EVENTS[event_id].path]}]
        assert zone["picture_url"] == EVENTS[event_id].picture
        assert zone["forward_token"] is True
    assert zones["midnight-sun"]["max_active"] == 5
    assert (zones["winter-gala"]["rate_per_min"], zones["winter-gala"]["max_active"]) == (30, 10)
