"""The door's own operation: asked by whoever wants to know whether a claim could get through."""

from __future__ import annotations

from dataclasses import dataclass

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, empty
from waiting_room.http.frame.router import Endpoint
from waiting_room.use_cases.pass_door import PassDoor


@dataclass(frozen=True)
class DoorApi:
    """What the exchanger asks for, from outside."""

    zones: ZoneCopies
    through: PassDoor

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        return {"pass_door": self.pass_door}

    def pass_door(self, request: Request) -> Response:
        """Answer 204 when all that a claim needs is there."""
        self.through(self.zones.get(request.parameters["zone_id"]))
        return empty()
