"""The frame around WebSocket events: who may open one, and one log line for each event that holds no secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.errors import BadToken, Forbidden, InvalidInput, WaitingRoomError
from waiting_room.http.credentials import Credentials
from waiting_room.http.frame.request import Request
from waiting_room.logs import Log
from waiting_room.ports import Clock
from waiting_room.use_cases.connect import Connect

ZONE_PARAMETER = "zone"
_DEVELOPMENT = frozenset({"localhost", "127.0.0.1"})
"""Hosts that browsers trust without TLS."""


@dataclass(frozen=True)
class SocketApp:
    """A Lambda handler for the events of the WebSocket API. Every refusal is a plain 403: browsers are told no more."""

    zones: ZoneCopies
    credentials: Credentials
    connect: Connect
    guard: Callable[[Request], None]
    viewer_host_header: str
    clock: Clock
    log: Log

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Answer one event. Messages are not read and the end of a connection needs no work."""
        started_at_ms = self.clock.now_ms()
        route = event["requestContext"]["routeKey"]
        fields: dict[str, Any] = {"request_id": getattr(context, "aws_request_id", ""), "route": route}
        status = 200
        if route == "$connect":
            try:
                fields["zone_id"] = self._open(event)
            except WaitingRoomError as error:
                fields["problem"], status = error.problem, 403
            except Exception:
                self.log.exception("unexpected error", extra={**fields, "status": 403})
                return {"statusCode": 403}
        duration_ms = self.clock.now_ms() - started_at_ms
        self.log.info("request", extra={**fields, "status": status, "duration_ms": duration_ms})
        return {"statusCode": status}

    def _open(self, event: Mapping[str, Any]) -> str:
        request = Request.from_handshake(event)
        self.guard(request)
        if request.bearer is None:
            self._check_origin(request)
        zone_id = request.query(ZONE_PARAMETER)
        if zone_id is None:
            raise InvalidInput("Say which zone in the query.", f"/{ZONE_PARAMETER}")
        zone = self.zones.get(zone_id)
        placed = self.credentials.find_placed(request, zone)
        if placed is None:
            raise BadToken("Send a visitor token of this zone's current run that knows its position.")
        self.connect(zone, placed.visitor_id, placed.lane, placed.position, event["requestContext"]["connectionId"])
        return zone.zone_id

    def _check_origin(self, request: Request) -> None:
        """Cookies are sent whoever asks: the page must be one of this very host (RFC 6455, 10.2)."""
        origin = urlsplit(request.headers.get("origin", ""))
        own = request.headers.get(self.viewer_host_header, "").lower()
        safe = origin.scheme == "https" or (origin.scheme == "http" and origin.hostname in _DEVELOPMENT)
        if not own or not safe or origin.netloc.lower() != own:
            raise Forbidden("Only pages of this site may open a WebSocket.")
