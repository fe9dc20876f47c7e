"""Moving a place to another device: make a link, open it, press the button there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.errors import LinkUsed, SignInNeeded
from waiting_room.domain.line.places import Place
from waiting_room.domain.locations import move_url, page_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import Credentials, Visitor
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.forms import is_form
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, json_response, redirect, scripted
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.link_forms import link_token, pressed
from waiting_room.http.page.link_page import MOVING, link_page
from waiting_room.http.places import place_json
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.identify import Identify
from waiting_room.use_cases.locate import Locate
from waiting_room.use_cases.move import LINK_SEC, Move


@dataclass(frozen=True)
class MoveApi:
    """Links that move a place. Opening one changes nothing: messengers open links to show what is behind them."""

    zones: ZoneCopies
    credentials: Credentials
    clock: Clock
    locate: Locate
    move: Move
    identify: Identify
    ids: Ids

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
        """The page with the button. A link of an earlier release has its token in the query: it leaves the address."""
        zone = self.zones.get(request.parameters["zone_id"])
        if token := request.query("token"):
            return redirect(move_url(zone.zone_id, token))
        return scripted(link_page(zone, MOVING, request.language))

    def move_place(self, request: Request) -> Response:
        """Take the place over: a browser is led to the waiting page, an app gets the place and its token."""
        zone = self.zones.get(request.parameters["zone_id"])
        if is_form(request):
            token = link_token(request, "move_place")
            return pressed(request, zone, MOVING, token, lambda: self._to_page(request, zone, token), self.ids.jitter)
        place, fresh = self._moved(request, zone, read_body("move_place", request)["token"])
        document = place_json(zone, place)
        if request.from_browser:
            return json_response(200, document).with_cookies(self.credentials.visitor_cookies(request, zone, fresh))
        return json_response(200, {**document, "visitor_token": fresh})

    def _to_page(self, request: Request, zone: Zone, token: str) -> Response:
        _, fresh = self._moved(request, zone, token)
        cookies = self.credentials.visitor_cookies(request, zone, fresh)
        return redirect(page_url(zone.zone_id, zone.landing_path), cookies)

    def _moved(self, request: Request, zone: Zone, token: str) -> tuple[Place, str]:
        """The place and its new token, which says whose account it is if the old one did."""
        link = self.credentials.read_link(zone, token)
        if link is None:
            raise LinkUsed
        self._refuse_other_account(request, zone, link)
        visitor = replace(link, gen=self.move(zone, link.visitor_id, link.gen))
        place = self.locate(zone, visitor.visitor_id)
        return place, self.credentials.visitor_token(zone, visitor, place)

    def _refuse_other_account(self, request: Request, zone: Zone, link: Visitor) -> None:
        """Raise SignInNeeded where an account's place would go to a browser that is not signed in with that account."""
        if not link.account or not zone.requires_identity:
            return
        if self.identify(zone, self.credentials.join_claim(request)).visitor_id != link.visitor_id:
            raise SignInNeeded("This place belongs to another account: sign in with that one, then press the button.")
