"""Moving a place to another device: make a link, open it, press the button there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.errors import Forbidden, InvalidInput, LinkUsed
from waiting_room.domain.locations import move_url, page_url
from waiting_room.http.credentials import Credentials
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, html, json_response, redirect
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.page.pages import move_page
from waiting_room.http.places import place_json
from waiting_room.ports import Clock
from waiting_room.use_cases.locate import Locate
from waiting_room.use_cases.move import LINK_SEC, Move

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class MoveApi:
    """Links that move a place. Opening one changes nothing: messengers open links to show what is behind them."""

    zones: ZoneCopies
    credentials: Credentials
    clock: Clock
    locate: Locate
    move: Move

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        methods: tuple[Callable[[Request], Response], ...] = (self.make_link, self.open_link, self.move_place)
        return {method.__name__: method for method in methods}

    def make_link(self, request: Request) -> Response:
        """Make a link to the place of the visitor who asks."""
        zone = self.zones.get(request.parameters["zone_id"])
        visitor = self.credentials.visitor(request, zone)
        self.move.check(zone, visitor.visitor_id, visitor.gen)
        token = self.credentials.link_token(zone, visitor, LINK_SEC)
        expires_at_ms = self.clock.now_ms() + LINK_SEC * 1000
        return json_response(201, {"path": move_url(zone.zone_id, token), "expires_at_ms": expires_at_ms})

    def open_link(self, request: Request) -> Response:
        """The page with the button."""
        zone = self.zones.get(request.parameters["zone_id"])
        token = request.query("token") or ""
        if self.credentials.read_link(zone, token) is None:
            raise LinkUsed
        return html(200, move_page(zone, token, request.language))

    def move_place(self, request: Request) -> Response:
        """Take the place over: a browser is led to the waiting page, an app gets the place and its token."""
        zone = self.zones.get(request.parameters["zone_id"])
        is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
        token = _form_token(request) if is_form else read_body("move_place", request)["token"]
        link = self.credentials.read_link(zone, token)
        if link is None:
            raise LinkUsed
        visitor = replace(link, gen=self.move(zone, link.visitor_id, link.gen))
        place = self.locate(zone, visitor.visitor_id)
        fresh = self.credentials.visitor_token(zone, visitor, place)
        cookies = self.credentials.visitor_cookies(request, zone, fresh)
        if is_form:
            return redirect(page_url(zone.zone_id, zone.landing_path), cookies)
        document = place_json(zone, place)
        if request.from_browser:
            return json_response(200, document).with_cookies(cookies)
        return json_response(200, {**document, "visitor_token": fresh})


def _form_token(request: Request) -> str:
    """The token of a form; only our own page may send one, for it replaces the place this browser has."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("Open the link and press the button there.")
    try:
        values = parse_qs(request.body.decode("ascii"), max_num_fields=5).get("token", [])
    except ValueError:
        values = []
    if len(values) != 1:
        raise InvalidInput("Send the token of the link once.", "/token")
    return values[0]
