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
from tests.support.gate_support import SID, SIGNER, VISITOR, access_claims
from tests.support.origin_rooms import JWKS
from tests.unit.scripts.test_origin_check import LATER

ZONES_FILE = Path(__file__).parents[3] / "scripts/demo_site/zones.json"
SECRET = "what the edge shows the site"
TOKEN = SIGNER.sign("access", access_claims(**LATER))
ADMITTED = {"x-origin-secret": SECRET, "x-waiting-room-zone": "midnight-sun", "x-waiting-room-token": TOKEN}
KEYS_PATH = "/.waiting-room/jwks.json"
CHECKOUT = "/events/midnight-sun/checkout"
FORM = {"order": "0123456789ab", "ticket": "deck", "quantity": "2"}


def said(status: int, request: httpx.Request) -> httpx.Response:
    """What the waiting room would say with this status."""
    if status != 200:
        return httpx.Response(status, json={"status": status, "detail": "As told."}, headers={"retry-after": "60"})
    reference = json.loads(request.content)["reference"]
    return httpx.Response(200, json={"zone_id": "midnight-sun", "reference": reference, "status": "completed"})


class Site:
    """The site with a waiting room that answers as told."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | int = 200, keys: int = 200) -> None:
        self.calls: list[httpx.Request] = []
        self._answer, self._keys = answer, keys
        site_keys = {event_id: f"the key of {event_id}" for event_id in EVENTS}
        transport = httpx.MockTransport(self._answered)
        self._app = create_app("https://edge.test", site_keys, origin_secret=SECRET, transport=transport)

    def _answered(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == KEYS_PATH:
            return httpx.Response(self._keys, json={"keys": JWKS})
        self.calls.append(request)
        return said(self._answer, request) if isinstance(self._answer, int) else self._answer(request)

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
    assert VISITOR in page
    assert SID in page
    assert TOKEN not in page
    assert 'data-visit="midnight-sun"' in page


def test_what_the_headers_say_is_text() -> None:
    staff = {"x-origin-secret": SECRET, "x-waiting-room-zone": "midnight-sun", "x-waiting-room-exempt": "1"}
    page = Site().get("/events/midnight-sun", staff | {"x-waiting-room-lane": "<script>alert(1)</script>"}).text
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize("told", [{}, {"x-waiting-room-token": "a.b.c"}, {"x-waiting-room-token": TOKEN}])
def test_nobody_sees_the_tickets_past_the_gate(told: dict[str, str]) -> None:
    assert Site().get("/events/midnight-sun", told).status_code == 403


def test_while_the_keys_cannot_be_had_everybody_is_asked_to_come_back() -> None:
    page = Site(keys=503).get("/events/midnight-sun", ADMITTED)
    assert (page.status_code, page.headers["retry-after"]) == (503, "10")


def test_a_purchase_is_confirmed_by_the_waiting_room_first() -> None:
    site = Site()
    bought = site.post(CHECKOUT, FORM)
    (call,) = site.calls
    assert str(call.url) == "https://edge.test/.waiting-room/v1/confirmations"
    assert call.headers["authorization"] == "Bearer the key of midnight-sun"
    assert json.loads(call.content) == {"token": TOKEN, "reference": FORM["order"], "checkout": True}
    assert bought.status_code == 303
    assert bought.headers["set-cookie"].startswith("__Host-wr-access-midnight-sun=; Max-Age=0;")
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
    assert "set-cookie" not in page.headers
    assert f'name="order" value="{FORM["order"]}"' in page.text
    assert 'name="quantity" value="2"' in page.text


def test_whoever_the_gate_has_not_seen_buys_nothing() -> None:
    site = Site()
    assert site.post(CHECKOUT, FORM, {}).status_code == 403
    elsewhere = {"x-origin-secret": SECRET, "x-waiting-room-zone": "winter-gala"}
    assert site.post(CHECKOUT, FORM, elsewhere).status_code == 403
    assert site.calls == []


def test_whom_the_gate_lets_pass_without_a_session_buys_without_one() -> None:
    site = Site()
    staff = {"x-origin-secret": SECRET, "x-waiting-room-zone": "midnight-sun", "x-waiting-room-exempt": "1"}
    assert site.post(CHECKOUT, FORM, staff).status_code == 303
    assert site.post(CHECKOUT, FORM, staff | {"x-origin-secret": "a guess"}).status_code == 403
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
    assert str(call.url) == "https://edge.test/.waiting-room/v1/zones/midnight-sun/sessions/me"
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert left.headers["location"] == "/?left=midnight-sun"
    assert left.headers["set-cookie"].startswith("__Host-wr-access-midnight-sun=; Max-Age=0;")
    assert "You have left Midnight Sun" in site.get("/?left=midnight-sun").text
    assert "You have left Midnight" not in site.get("/?left=<script>").text


@pytest.mark.parametrize("path", ["/events/nothing", "/orders/0123456789ab", "/nothing", "/static/nothing.css"])
def test_what_is_not_there_is_404(path: str) -> None:
    assert Site().get(path).status_code == 404


def test_a_checkout_cannot_be_fetched() -> None:
    assert Site().get(CHECKOUT, ADMITTED).status_code == 405


def test_a_missing_site_key_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="winter-gala"):
        create_app("https://edge.test", {"midnight-sun": "the key of midnight-sun"})


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
