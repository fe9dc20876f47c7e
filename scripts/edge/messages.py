"""Requests and responses as the edge passes them on: header names lower-case, values and paths as they arrived."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

Headers = tuple[tuple[str, str], ...]

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to one connection (RFC 9110, 7.6.1) and are never passed on."""


@dataclass(frozen=True)
class EdgeRequest:
    """One viewer request. `path` is the raw path as sent, escapes and all; text is Latin-1, so no byte is lost."""

    method: str
    path: str
    query: str
    headers: Headers
    client_ip: str
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def head_bytes(self) -> int:
        """Bytes of path, query and headers as they are sent over HTTP/1.1."""
        return len(self.path) + len(self.query) + sum(len(key) + len(value) + 4 for key, value in self.headers)

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> EdgeRequest:
        """Return the same request with other headers."""
        return replace(self, headers=tuple(headers))


@dataclass(frozen=True)
class EdgeResponse:
    """One response. A body that is not bytes is still arriving from the origin and can be read once."""

    status: int
    headers: Headers
    body: bytes | AsyncIterator[bytes] = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    def with_header(self, name: str, value: str) -> EdgeResponse:
        """Return the same response with one header replaced."""
        return replace(self, headers=(*without(self.headers, {name}), (name, value)))


def without(headers: Headers, names: frozenset[str] | set[str]) -> Iterator[tuple[str, str]]:
    """Yield the headers whose lower-case name is not among `names`."""
    return ((key, value) for key, value in headers if key not in names)


def with_cookies(
    headers: Iterable[tuple[str, str]], names: Sequence[re.Pattern[str]] | None
) -> Iterator[tuple[str, str]]:
    """Yield the headers with no cookies but those whose whole name fits one of `names`; None lets all through."""
    for key, value in headers:
        if key != "cookie" or names is None:
            yield key, value
            continue
        cookies = (cookie.strip() for cookie in value.split(";"))
        kept = [cookie for cookie in cookies if any(name.match(cookie.partition("=")[0]) for name in names)]
        if kept:
            yield key, "; ".join(kept)


def problem(status: int, name: str, detail: str) -> EdgeResponse:
    """Return an answer of the edge itself as RFC 9457 problem+json, never cached."""
    document = {"type": f"urn:foyer:problem:{name}", "title": name, "status": status, "detail": detail}
    body = json.dumps(document).encode()
    return EdgeResponse(
        status,
        (
            ("content-type", "application/problem+json"),
            ("cache-control", "no-store"),
            ("content-length", str(len(body))),
        ),
        body,
    )
