"""The browser's cookies: their names, how they are set, and how many zones one browser keeps."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from waiting_room.domain.redirects import PREFIX
from waiting_room.domain.zones import ZONE_ID
from waiting_room.http.request import LANGUAGE_COOKIE, LANGUAGE_PARAMETER, Request

ZONES_PER_BROWSER = 6
"""Each zone costs two cookies of about 500 bytes; CloudFront and many servers cut headers at 8 KB."""

YEAR_SEC = 31_536_000

_PREFIX = "__Host-wr-"
_KINDS = ("visitor", "access")


def cookie_name(kind: str, zone_id: str) -> str:
    """Name of the cookie that holds a token of this kind (`visitor`, `access`, `bypass`)."""
    return f"{_PREFIX}{kind}-{zone_id}"


def set_cookie(name: str, value: str, max_age_sec: int) -> str:
    """A Set-Cookie value; `__Host-` demands Secure, Path=/ and no Domain."""
    return f"{name}={value}; Max-Age={max(0, max_age_sec)}; Path=/; Secure; HttpOnly; SameSite=Lax"


def language_cookies(request: Request) -> list[str]:
    """Set-Cookie values that remember a language chosen in this request, for the waiting room's own pages."""
    if request.raw_query and LANGUAGE_PARAMETER in request.raw_query:
        language = request.language
        return [f"{LANGUAGE_COOKIE}={language}; Max-Age={YEAR_SEC}; Path={PREFIX}; Secure; SameSite=Lax"]
    return []


def clear_cookie(name: str) -> str:
    """A Set-Cookie value that removes a cookie."""
    return set_cookie(name, "", 0)


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
