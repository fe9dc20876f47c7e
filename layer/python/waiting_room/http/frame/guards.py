"""Who may ask at all: guards that an application asks before any endpoint."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from waiting_room import schemas
from waiting_room.domain.errors import Forbidden
from waiting_room.http.frame.request import Request


def only_from_distribution(secret: str) -> Callable[[Request], None]:
    """A guard that refuses requests that did not come through CloudFront, which alone knows the secret."""
    header = schemas.behaviours()["origin_secret_header"]

    def guard(request: Request) -> None:
        if not hmac.compare_digest(request.headers.get(header, "").encode(), secret.encode()):
            raise Forbidden("Requests must come through the site's own address.")

    return guard


def only_with_identity(request: Request) -> None:
    """A guard that refuses requests nobody signed."""
    if not request.identity:
        raise Forbidden("Operators need AWS credentials.")
