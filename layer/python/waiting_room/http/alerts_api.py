"""Alerts by telephone: asked for by a page, an app, or the form of the page without scripts; and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from waiting_room import schemas
from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.alerts import lead_sec
from waiting_room.domain.errors import Forbidden, InvalidInput
from waiting_room.domain.locations import place_url
from waiting_room.http.credentials import Credentials
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, empty, json_response, redirect
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.frame.validation import validate
from waiting_room.http.page.languages import languages
from waiting_room.use_cases.request_alert import RequestAlert

FORM = "application/x-www-form-urlencoded"


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
        is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
        asked = _form(request) if is_form else read_body("request_alert", request)
        language = asked.get("language", request.language)
        if language not in languages():
            language = request.language
        self.request(zone, visitor.visitor_id, visitor.known, asked["channel"], asked["number"], language)
        if is_form:
            return redirect(place_url(zone.zone_id, None))
        return json_response(202, {"channel": asked["channel"], "lead_sec": lead_sec(zone.alerts)})

    def cancel_alert(self, request: Request) -> Response:
        """Forget the visitor's numbers."""
        zone = self.zones.get(request.parameters["zone_id"])
        self.request.cancel(zone, self.credentials.visitor(request, zone).visitor_id)
        return empty()


def _form(request: Request) -> dict[str, Any]:
    """What a form says, held to the same schema; only a page of this site may send one."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("Send the form of the waiting page.")
    try:
        values = parse_qs(request.body.decode("utf-8"), max_num_fields=5)
    except ValueError:
        raise InvalidInput("The form cannot be read.") from None
    asked: dict[str, Any] = {name: texts[0] for name, texts in values.items() if len(texts) == 1}
    asked["consent"] = asked.get("consent") == "yes"
    schema = schemas.operations()["request_alert"].request_schema
    if schema is not None:
        validate(asked, schema)
    return asked
