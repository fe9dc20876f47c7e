"""Verifying a phone: asked for by a page, an app, or the forms of the page without scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.errors import CodeRefused, InvalidInput, PhoneTaken
from waiting_room.domain.line.places import QueueItem
from waiting_room.domain.locations import place_url
from waiting_room.domain.phones import CODE_MINUTES
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import Credentials, Visitor
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.forms import is_form, read_form
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, html, json_response, redirect
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.page.link_page import MOVING, link_page
from waiting_room.http.page.pages import place_page
from waiting_room.http.page.phone_form import PhoneStep
from waiting_room.http.places import place_json
from waiting_room.ports import Clock, Sending
from waiting_room.use_cases.locate import Locate
from waiting_room.use_cases.move import LINK_SEC
from waiting_room.use_cases.verify_phone import VerifyPhone, Who


@dataclass(frozen=True)
class PhoneApi:
    """Numbers and passcodes come in here. A number goes out again only in the form of whoever just sent it."""

    zones: ZoneCopies
    credentials: Credentials
    clock: Clock
    verify: VerifyPhone
    locate: Locate

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        methods: tuple[Callable[[Request], Response], ...] = (self.send_code, self.verify_phone)
        return {method.__name__: method for method in methods}

    def send_code(self, request: Request) -> Response:
        """Have a passcode sent; a form is answered with the form for the passcode."""
        zone, visitor, asked = self._asked(request, "send_code")
        try:
            sending = self.verify.send(zone, _who(request, visitor), asked["channel"], asked["number"])
        except (CodeRefused, InvalidInput) as error:
            if not is_form(request):
                raise
            return self._form_again(request, zone, visitor, PhoneStep(said=_said(error, "alert_number_wrong")))
        sent = "yes" if sending is Sending.SENT else "perhaps"
        if is_form(request):
            said = "phone_sent" if sending is Sending.SENT else "phone_perhaps"
            return self._form_again(request, zone, visitor, PhoneStep(asked["number"], said))
        return json_response(202, {"channel": asked["channel"], "sent": sent, "valid_minutes": CODE_MINUTES})

    def verify_phone(self, request: Request) -> Response:
        """Verify the place of the visitor who asks; raises PhoneTaken where another place has the number."""
        zone, visitor, asked = self._asked(request, "verify_phone")
        try:
            other = self.verify.check(zone, _who(request, visitor), asked["number"], asked["code"])
        except (CodeRefused, InvalidInput) as error:
            if not is_form(request):
                raise
            step = PhoneStep(asked["number"], _said(error, "phone_wrong"))
            return self._form_again(request, zone, visitor, step)
        if other is not None:
            return self._taken(request, zone, visitor, other)
        if is_form(request):
            return redirect(place_url(zone.zone_id, None))
        return json_response(200, place_json(zone, self.locate(zone, visitor.visitor_id, visitor.known)))

    def _taken(self, request: Request, zone: Zone, visitor: Visitor, other: QueueItem) -> Response:
        """Whoever has the number may have its place here: that it was shown is as good as the link of that device."""
        token = ""
        if other.status == "waiting":
            token = self.credentials.link_token(zone, Visitor(other.visitor_id, other.gen, other.lane), LINK_SEC)
        if not is_form(request):
            raise PhoneTaken(token)
        if token:
            return html(200, link_page(zone, MOVING, request.language, token))
        return self._form_again(request, zone, visitor, PhoneStep(said="phone_taken"))

    def _form_again(self, request: Request, zone: Zone, visitor: Visitor, step: PhoneStep) -> Response:
        place = self.locate(zone, visitor.visitor_id, visitor.known)
        page = place_page(zone, place, zone.landing_path, self.clock.now_ms(), request.language, phone=step)
        return html(200, page)

    def _asked(self, request: Request, operation: str) -> tuple[Zone, Visitor, dict[str, Any]]:
        zone = self.zones.get(request.parameters["zone_id"])
        visitor = self.credentials.visitor(request, zone)
        return zone, visitor, read_form(operation, request) if is_form(request) else read_body(operation, request)


def _who(request: Request, visitor: Visitor) -> Who:
    return Who(visitor.visitor_id, visitor.gen, visitor.known, request.client_ip)


def _said(error: CodeRefused | InvalidInput, otherwise: str) -> str:
    """The notice that tells of an error on the page without scripts."""
    if isinstance(error, InvalidInput):
        return otherwise
    return "phone_spent" if error.limit in ("", "run") else "phone_refused"
