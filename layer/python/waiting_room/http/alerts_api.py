"""Alerts by telephone: asked for by a page, an app, or the form of the page without scripts; and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.alerts import lead_sec
from waiting_room.domain.locations import place_url
from waiting_room.http.credentials import Credentials
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.forms import is_form, read_form
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, empty, json_response, redirect
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.page.languages import languages
from waiting_room.use_cases.request_alert import RequestAlert


@dataclass(frozen=True)
class AlertsApi:
    """Numbers come in here and never go out again."""

    zones: ZoneCopies
    credentials: Credentials
    request: RequestAlert

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        methods: tuple[Callable[[Request], Response], ...] = (self.request_alert, self.cancel_alert)
        return {method.__name__: method for method in methods}

    def request_alert(self, request: Request) -> Response:
        """Keep the number for the visitor who asks; a form is answered with the page it came from."""
        zone = self.zones.get(request.parameters["zone_id"])
        visitor = self.credentials.visitor(request, zone)
        asked = (
            read_form("request_alert", request, "consent") if is_form(request) else read_body("request_alert", request)
        )
        language = asked.get("language", request.language)
        if language not in languages():
            language = request.language
        self.request(zone, visitor.visitor_id, visitor.known, asked["channel"], asked["number"], language)
        if is_form(request):
            return redirect(place_url(zone.zone_id, None))
        return json_response(202, {"channel": asked["channel"], "lead_sec": lead_sec(zone.alerts)})

    def cancel_alert(self, request: Request) -> Response:
        """Forget the visitor's numbers."""
        zone = self.zones.get(request.parameters["zone_id"])
        self.request.cancel(zone, self.credentials.visitor(request, zone).visitor_id)
        return empty()
