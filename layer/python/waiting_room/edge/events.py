"""CloudFront viewer-request events: read into what the domain decides on, and changed into what goes to the site."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from waiting_room.domain.cookies import COOKIE_PREFIX, cookie_name
from waiting_room.domain.gate.gate import Pass
from waiting_room.domain.gate.request import GateRequest, header_names

__all__ = ["MOST_HEADERS", "TRY_COOKIE", "Arrived", "forwarded", "read_request"]

TRY_COOKIE = COOKIE_PREFIX + "try"
"""Says that a renewal by redirect was just tried; it belongs to no zone."""

MOST_HEADERS = 200
"""Names of headers; browsers send some twenty, and common servers take a hundred."""
MOST_COOKIES = 500
"""Of one header; browsers keep at most 180 of a site. A header with more is none."""
MOST_COOKIE_HEADERS = 50
MOST_OWN_COOKIES = 40
"""Looked at in one header, all are taken away; six zones have at most nineteen."""

_OWN_COOKIE = re.compile(rf"(?:\A|;)\s*({COOKIE_PREFIX}[^;]*)", re.IGNORECASE | re.ASCII)
_KINDS = tuple((kind, cookie_name(kind, "")) for kind in ("access", "bypass"))

Entries = list[dict[str, str]]
Tokens = dict[tuple[str, str], tuple[str, ...]]
Headers = Mapping[str, Entries]

_NO_TOKENS: Tokens = {}


class _Values(Mapping[str, tuple[str, ...]]):
    """Header values by name. Of the twenty headers of a browser a decision looks at two."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return tuple([entry["value"] for entry in self._headers[name]])

    def get(self, name: str, default: Any = ()) -> Any:
        """The values of a header, or the default."""
        entries = self._headers.get(name)
        return default if entries is None else tuple([entry["value"] for entry in entries])

    def __contains__(self, name: object) -> bool:
        return name in self._headers

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)


class Arrived(NamedTuple):
    """An event's request for the domain, its headers by name, and what is left of its cookies without ours.

    `cookies` is None where they stay as they are.
    """

    request: GateRequest
    headers: Headers
    cookies: Entries | None


def read_request(cf: Mapping[str, Any]) -> Arrived:
    """Read an event's `cf` part. Raises KeyError and the like for anything that is no such event."""
    request = cf["request"]
    headers: Headers = request["headers"]
    names = header_names(tuple(headers))
    if not names.lower_case:
        headers = _lower_case(headers)
        names = header_names(tuple(headers))
    cookies = headers.get("cookie")
    tokens, left = (_NO_TOKENS, None) if cookies is None else _own_and_others(cookies)
    asked = GateRequest(
        request["method"].upper(),
        request["uri"],
        request.get("querystring", ""),
        _Values(headers),
        tokens,
        cf["config"]["distributionDomainName"],
        request.get("clientIp", ""),
    )
    asked.known_names = names
    return Arrived(asked, headers, left)


def forwarded(request: Mapping[str, Any], arrived: Arrived, decision: Pass) -> dict[str, Any]:
    """The event's request as it goes on to the site; the path stays as the viewer sent it."""
    headers = dict(arrived.headers)
    if arrived.cookies:
        headers["cookie"] = arrived.cookies
    elif arrived.cookies is not None:
        del headers["cookie"]
    for name in decision.strip:
        headers.pop(name, None)
    for name, value in decision.add.items():
        headers[name] = [{"key": name, "value": value}]
    return {**request, "headers": headers, "querystring": decision.query}


def _lower_case(headers: Headers) -> Headers:
    """CloudFront writes the names in lower case. Should it ever not, no header may hide behind its spelling."""
    merged: dict[str, Entries] = {}
    for name, entries in headers.items():
        merged.setdefault(name.lower(), []).extend(entries)
    return merged


def _own_and_others(cookies: Entries) -> tuple[Tokens, Entries | None]:
    """Our own cookies of all headers, and the headers without them; None where they held none of ours.

    A header that held nothing else goes altogether.
    """
    if len(cookies) == 1:
        tokens, others = _parted(cookies[0]["value"])
        return tokens, None if others is None else [{**cookies[0], "value": others}] if others else []
    if len(cookies) > MOST_COOKIE_HEADERS:
        return _own_and_others([{**cookies[0], "value": ";".join(entry["value"] for entry in cookies)}])
    tokens, left, found = {}, [], False
    for entry in cookies:
        own, others = _parted(entry["value"])
        found = found or others is not None
        for key, values in own.items():
            tokens[key] = tokens.get(key, ()) + values
        if others is None:
            left.append(entry)
        elif others:
            left.append({**entry, "value": others})
    return tokens, left if found else None


@lru_cache(maxsize=128)
def _parted(header: str) -> tuple[Tokens, str | None]:
    """Our own cookies of one header by kind and zone id (several of a name in their order), and what is left of it.

    Nothing is left (None) of a header that held none of ours. A visitor's browser sends the same header with every
    picture of a page, so this is remembered.
    """
    if header.count(";") > MOST_COOKIES:
        return _NO_TOKENS, ""
    first = _OWN_COOKIE.search(header)
    if first is None:
        return _NO_TOKENS, None
    tokens: Tokens = {}
    for found in islice(_OWN_COOKIE.finditer(header), MOST_OWN_COOKIES):
        name, _, value = found[1].strip().partition("=")
        key = _kind_and_zone(name)
        if key is not None:
            tokens[key] = (*tokens.get(key, ()), value)
    left = _OWN_COOKIE.sub("", header)
    return tokens, (left.removeprefix(";") if first.start() == 0 else left).strip()


def _kind_and_zone(name: str) -> tuple[str, str] | None:
    if name == TRY_COOKIE:
        return "try", ""
    for kind, start in _KINDS:
        if name.startswith(start):
            return kind, name[len(start) :]
    return None
