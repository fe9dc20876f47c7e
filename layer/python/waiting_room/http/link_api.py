"""Links of operators and of the site: into a lane, and past the line. Opening one takes nothing; its button does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.locations import page_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import Credentials, Visitor
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, redirect, scripted
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.link_forms import link_token, pressed
from waiting_room.http.newcomers import Newcomers, Notes
from waiting_room.http.page.link_page import BYPASSING, INVITING, link_page
from waiting_room.ports import Ids
from waiting_room.use_cases.accept import AcceptInvitation
from waiting_room.use_cases.bypass import guarded_path


@dataclass(frozen=True)
class LinkApi:
    """Pages with a button, and what it does."""

    zones: ZoneCopies
    credentials: Credentials
    newcomers: Newcomers
    accept: AcceptInvitation
    ids: Ids

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        methods: tuple[Callable[[Request], Response], ...] = (
            self.open_invitation,
            self.take_invitation,
            self.open_bypass,
            self.take_bypass,
        )
        return {method.__name__: method for method in methods}

    def open_invitation(self, request: Request) -> Response:
        """The page with the button."""
        return scripted(link_page(self._zone(request), INVITING, request.language))

    def take_invitation(self, request: Request) -> Response:
        """Make this browser the one the invitation is for; the waiting page joins, with all that a join is asked."""
        zone, token = self._zone(request), link_token(request, "take_invitation")
        take = partial(self._take_invitation, request, zone, token)
        return pressed(request, zone, INVITING, token, take, self.ids.jitter)

    def open_bypass(self, request: Request) -> Response:
        """The page with the button."""
        return scripted(link_page(self._zone(request), BYPASSING, request.language))

    def take_bypass(self, request: Request) -> Response:
        """Give this browser the bypass token as a cookie, which only the gate looks at, and lead it to the zone."""
        zone, token = self._zone(request), link_token(request, "take_bypass")

        def take() -> Response:
            return redirect(guarded_path(zone), self.credentials.bypass_cookies(token, zone))

        return pressed(request, zone, BYPASSING, token, take, self.ids.jitter)

    def invited(self, zone: Zone, visitor: Visitor, token: str) -> Visitor:
        """The visitor this device is from now on, in the lane of the invitation; raises what AcceptInvitation does."""
        invited = self.credentials.read_invitation(token, zone)
        holder = self.accept(zone, invited.invitation_id, invited.lane, visitor.visitor_id, visitor.gen)
        return Visitor(holder.visitor_id, holder.gen, invited.lane, account=visitor.account, device=visitor.device)

    def _take_invitation(self, request: Request, zone: Zone, token: str) -> Response:
        visitor, seen = self.credentials.find_visitor(request, zone), Notes()
        if visitor is None:
            visitor, seen = self.newcomers.arrive(request, zone)
        fresh = self.credentials.visitor_token(zone, self.invited(zone, visitor, token))
        cookies = self.credentials.visitor_cookies(request, zone, fresh)
        notes = {name: note for name, note in seen.items() if note}
        return redirect(page_url(zone.zone_id, zone.landing_path), cookies).with_notes(**notes)

    def _zone(self, request: Request) -> Zone:
        return self.zones.get(request.parameters["zone_id"])
