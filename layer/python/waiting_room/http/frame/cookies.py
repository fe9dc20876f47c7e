"""The browser's cookies: how many zones one browser keeps."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from waiting_room.domain.cookies import clear_cookie, cookie_name, set_cookie
from waiting_room.domain.locations import PREFIX
from waiting_room.domain.zone.zones import ZONE_ID
from waiting_room.http.frame.request import LANGUAGE_COOKIE, LANGUAGE_PARAMETER, Request

__all__ = ["ZONES_PER_BROWSER", "clear_cookie", "cookie_name", "evictions", "language_cookies", "set_cookie"]

ZONES_PER_BROWSER = 6
"""Each zone costs two cookies of 500 to 580 bytes; an HTTP API takes 10,240 bytes of request line and headers."""

YEAR_SEC = 31_536_000

_KINDS = ("visitor", "access")


def language_cookies(request: Request) -> list[str]:
    """Set-Cookie values that remember a language chosen in this request, for the waiting room's own pages."""
    if request.raw_query and LANGUAGE_PARAMETER in request.raw_query:
        language = request.language
        return [f"{LANGUAGE_COOKIE}={language}; Max-Age={YEAR_SEC}; Path={PREFIX}; Secure; SameSite=Lax"]
    return []


def evictions(cookies: Mapping[str, str], zone_id: str) -> list[str]:
    """Set-Cookie values that remove the zones used longest ago, so that `zone_id` fits among the six kept."""
    last_used_sec: dict[str, int] = {}
    for name, value in cookies.items():
        for kind in _KINDS:
            start = cookie_name(kind, "")
            other = name[len(start) :]
            if name.startswith(start) and other != zone_id and ZONE_ID.match(other):
                last_used_sec[other] = max(last_used_sec.get(other, 0), _issued_at_sec(value))
    oldest_first = sorted(last_used_sec, key=lambda other: (last_used_sec[other], other))
    surplus = oldest_first[: max(0, len(oldest_first) - (ZONES_PER_BROWSER - 1))]
    names = (cookie_name(kind, other) for other in surplus for kind in _KINDS)
    return [clear_cookie(name) for name in names if name in cookies]


def _issued_at_sec(token: str) -> int:
    """The `iat` a token claims, 0 if it has none. Not verified: it only decides which cookie goes first."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return int(claims["iat"])
    except (binascii.Error, ValueError, IndexError, KeyError, TypeError, OverflowError, RecursionError):
        return 0
