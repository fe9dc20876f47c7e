"""Answers that pages of other origins may read (Fetch standard, "CORS protocol"). Off unless origins are listed.

API Gateway answers preflights itself where it was given the same list (terraform/modules/http_api), and then writes
these headers in place of ours; `Vary` stays ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from waiting_room import schemas
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, empty

__all__ = ["Cors"]

_RULES = schemas.openapi()["x-foyer-cors"]


class Cors:
    """What listed origins are told; nobody else is told anything."""

    def __init__(self, origins: Iterable[str] = ()) -> None:
        """`origins` as browsers send them: scheme, host and, if it is not the usual one, port."""
        self._origins = frozenset(origins)

    def preflight(self, request: Request) -> Response | None:
        """The answer to a browser that asks whether it may; None for every other request, and where CORS is off."""
        asks = request.method == "OPTIONS" and "access-control-request-method" in request.headers
        if not self._origins or not asks:
            return None
        if not self._allows(request):
            return empty()
        return empty().with_headers(
            {
                "access-control-allow-methods": ", ".join(_RULES["methods"]),
                "access-control-allow-headers": ", ".join(_RULES["headers"]),
                "access-control-max-age": str(_RULES["max_age_sec"]),
            }
        )

    def headers(self, request: Request | None) -> Mapping[str, str]:
        """What every answer to a request has beside its own headers; None for one that could not be read."""
        if not self._origins:
            return {}
        # With credentials the origin must be named and `*` means nothing; so caches must tell origins apart.
        told = {"vary": "Origin"}
        if request is not None and self._allows(request):
            told |= {
                "access-control-allow-origin": request.headers["origin"],
                "access-control-allow-credentials": "true",
                "access-control-expose-headers": ", ".join(_RULES["exposed_headers"]),
            }
        return told

    def _allows(self, request: Request) -> bool:
        return request.headers.get("origin") in self._origins
