"""CloudFront viewer-request events: read into what the domain decides on, and changed into what goes to the site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waiting_room.domain.gate import Pass
from waiting_room.domain.gate_request import GateRequest
from waiting_room.http.cookies import cookie_name

__all__ = ["TRY_COOKIE", "forwarded", "read_request"]

TRY_COOKIE = "__Host-wr-try"
"""Says that a renewal by redirect was just tried; it belongs to no zone."""

_OWN_COOKIES = "__host-wr-"
_KINDS = ("access", "bypass")

Headers = Mapping[str, list[dict[str, str]]]


def read_request(cf: Mapping[str, Any]) -> GateRequest:
    """The request of an event's `cf` part."""
    request = cf["request"]
    headers = {name.lower(): tuple(entry["value"] for entry in entries) for name, entries in request["headers"].items()}
    return GateRequest(
        method=request["method"].upper(),
        path=request["uri"],
        query=request.get("querystring", ""),
        headers=headers,
        tokens=_tokens(headers.get("cookie", ())),
        distribution_host=cf["config"]["distributionDomainName"],
    )


def forwarded(request: Mapping[str, Any], decision: Pass) -> dict[str, Any]:
    """The event's request as it goes on to the site; the path stays as the viewer sent it."""
    headers: dict[str, list[dict[str, str]]] = {}
    for name, entries in request["headers"].items():
        if name.lower() == "cookie":
            entries = _foreign_cookies(entries)
        if entries and name.lower() not in decision.strip:
            headers[name] = entries
    for name, value in decision.add.items():
        headers[name] = [{"key": name, "value": value}]
    return {**request, "headers": headers, "querystring": decision.query}


def _tokens(cookie_headers: tuple[str, ...]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Our own cookies by kind and zone id; several of a name are kept, the first one first."""
    tokens: dict[tuple[str, str], tuple[str, ...]] = {}
    for header in cookie_headers:
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            key = _kind_and_zone(name)
            if key is not None:
                tokens[key] = (*tokens.get(key, ()), value)
    return tokens


def _kind_and_zone(name: str) -> tuple[str, str] | None:
    if name == TRY_COOKIE:
        return "try", ""
    for kind in _KINDS:
        start = cookie_name(kind, "")
        if name.startswith(start):
            return kind, name[len(start) :]
    return None


def _foreign_cookies(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    """Cookie headers without our cookies; a header that held nothing else goes altogether."""
    kept = []
    for entry in entries:
        pairs = [pair for pair in entry["value"].split(";") if not pair.strip().lower().startswith(_OWN_COOKIES)]
        value = ";".join(pairs).strip()
        if value:
            kept.append({**entry, "value": value})
    return kept
