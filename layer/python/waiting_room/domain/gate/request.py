"""What the gate knows of a request, and how a browser shows what it wants with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.gate.exempt import MOST_VALUES
from waiting_room.domain.gate.redirects import safe_path
from waiting_room.domain.gate.rules import host_name
from waiting_room.domain.prefetch import PREFETCH_HEADERS, is_prefetch

__all__ = ["BYPASS_PARAMETER", "HEADER_PREFIX", "GateRequest", "HeaderNames", "header_names"]

HEADER_PREFIX = "x-waiting-room-"
BYPASS_PARAMETER = "wr_bypass"
"""Query parameter of the links that are handed to staff."""

_FORWARDED_HOSTS = ("x-forwarded-host", "x-forwarded-server", "x-host", "x-original-host")
_FORWARDED_HOST = re.compile(r"host\s*=\s*\"?([^\s\";,]+)", re.IGNORECASE)
_METHOD_OVERRIDES = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
_NOT_IN_PREFLIGHTS = frozenset({"cookie", "authorization", "proxy-authorization", "transfer-encoding", "content-type"})
_PAGES = ("document", "iframe", "frame")


_NAME = "".join(f"(?:{each}|%{ord(each):02x}|%{ord(each):02X})" for each in BYPASS_PARAMETER)
_BLANKS = "(?:[+ ]|%20|%09)*"
_BYPASS = re.compile(rf"(?:\A|&){_BLANKS}{_NAME}{_BLANKS}(?:=([^&]*)|(?=&|\Z))")
"""The bypass parameter, however it is encoded."""
_REROUTING = frozenset({"x-original-uri", "x-original-url", "x-rewrite-uri", "x-rewrite-url"})
"""Headers by which some servers take another path than the one asked for, which the gate would not have looked at."""
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]")
_REHOSTING = frozenset({"forwarded", *_FORWARDED_HOSTS})
MOST_TOLD_HOSTS = 20
"""Hosts that a request may name; with more, any may be meant."""
LONGEST_TOLD = 1000
"""Characters of all headers that name them."""


class HeaderNames(NamedTuple):
    """What the names of a request's headers tell: which no client may send, and which change what is meant."""

    reserved: frozenset[str]
    tell_other_host: tuple[str, ...]
    tells_other_method: bool
    lower_case: bool


@lru_cache(maxsize=256)
def header_names(names: tuple[str, ...]) -> HeaderNames:
    """Look at names in lower case. Browsers of one kind all send the same ones, so this is remembered."""
    # Servers turn every odd character of a name into `_`, so all count as `-`.
    spelled = {name: _NOT_IN_NAMES.sub("-", name) for name in names if name.startswith(("x", "forwarded"))}
    prefix = HEADER_PREFIX.rstrip("-")
    return HeaderNames(
        reserved=frozenset(name for name, plain in spelled.items() if plain.startswith(prefix) or plain in _REROUTING),
        tell_other_host=tuple(name for name, plain in spelled.items() if plain in _REHOSTING),
        tells_other_method=not _METHOD_OVERRIDES.isdisjoint(spelled.values()),
        lower_case=all(name == name.lower() for name in names),
    )


@dataclass(slots=True)
class GateRequest:
    """One request as it arrived. Path and query are raw; header names are in lower case. Nothing changes it.

    But for `examined`, the tokens that were looked at and not known yet: each costs a signature.

    `tokens` are our own cookies by kind (`access`, `bypass`, `try`) and zone id; `distribution_host` is the name
    under which the site also answers, whatever hosts its rules name.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tokens: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    distribution_host: str = ""
    client_ip: str = ""
    known_names: HeaderNames | None = field(default=None, init=False, repr=False, compare=False)
    examined: int = field(default=0, init=False, repr=False, compare=False)

    @property
    def names(self) -> HeaderNames:
        """What the names of the headers tell."""
        return self.known_names or header_names(tuple(self.headers))

    @property
    def place(self) -> tuple[str, str, tuple[str, ...], str] | None:
        """All that decides which zones are meant, where that is not told by further headers; else None."""
        _, other_host, other_method, _ = self.names
        if other_host or other_method:
            return None
        return self.path, self.method, self.headers.get("host", ()), self.distribution_host

    def values(self, place: str, name: str) -> list[str]:
        """Values of a name in a place: `header`, `cookie` or `query`."""
        if place == "header":
            return list(self.headers.get(name, ()))
        if place == "cookie":
            return [value.rstrip() for header in self.headers.get("cookie", ()) for value in _values(header, ";", name)]
        return [unquote(value.replace("+", " ")) for value in _values(self.query, "&", name)]

    @property
    def hosts(self) -> tuple[str, ...] | None:
        """Hosts that may be meant; None when rules cannot be told apart by host: no name, or the distribution's own.

        A server behind proxies may believe a forwarded host rather than Host, so a guarded one in either counts.
        """
        hosts = [host_name(value) for value in self.headers.get("host", ())[:MOST_TOLD_HOSTS]]
        if not 0 < len(hosts) < MOST_TOLD_HOSTS or "" in hosts or host_name(self.distribution_host) in hosts:
            return None
        told = [(name, value) for name in self.names.tell_other_host for value in self.headers.get(name, ())]
        if sum(len(value) for _, value in told) > LONGEST_TOLD:
            return None
        for name, value in told:
            hosts += map(host_name, _FORWARDED_HOST.findall(value) if name == "forwarded" else value.split(","))
        return None if "" in hosts or len(hosts) > MOST_TOLD_HOSTS else tuple(hosts)

    @property
    def methods(self) -> tuple[str, ...] | None:
        """The method; None when a header asks the server to take another one instead."""
        return None if self.names.tells_other_method else (self.method,)

    @property
    def bearers(self) -> tuple[str, ...]:
        """Tokens of `Authorization: Bearer`; they may as well be the site's own."""
        pairs = (value.strip().partition(" ") for value in self.headers.get("authorization", ())[:MOST_VALUES])
        return tuple(token.strip() for scheme, _, token in pairs if scheme.lower() == "bearer")

    @property
    def wants_page(self) -> bool:
        """Whether the answer is to be shown to a person: a navigation, not what a script or an image tag asks for."""
        destinations = self.headers.get("sec-fetch-dest", ())
        if destinations:
            return destinations[0].lower() in _PAGES
        return any("text/html" in value.lower() for value in self.headers.get("accept", ()))

    @property
    def wants_document(self) -> bool:
        """Whether it is a whole page fetched with GET, which a redirect cannot harm."""
        return (
            self.method == "GET"
            and self.wants_page
            and self.headers.get("sec-fetch-dest", ("document",))[0] == "document"
        )

    @property
    def is_prefetch(self) -> bool:
        """Whether the browser asks on a guess: nobody may be on the way."""
        return is_prefetch(value for name in PREFETCH_HEADERS for value in self.headers.get(name, ()))

    @property
    def is_preflight(self) -> bool:
        """Whether it is the question a browser asks before a cross-origin request, which says nothing of who asks.

        Browsers send no cookies, no authorization and no body with it (Fetch standard, CORS-preflight fetch).
        """
        if self.method != "OPTIONS" or self.names.tells_other_method or not _NOT_IN_PREFLIGHTS.isdisjoint(self.headers):
            return False
        asks = "origin" in self.headers and "access-control-request-method" in self.headers
        return asks and self.headers.get("content-length", ("0",)) == ("0",)

    @property
    def bypass_links(self) -> tuple[str, ...]:
        """Values of the bypass parameter in the query."""
        if _surely_without_bypass(self.query):
            return ()
        return tuple(unquote(found[1] or "") for found in islice(_BYPASS.finditer(self.query), MOST_VALUES))

    @property
    def query_without_bypass(self) -> str:
        """The query with everything but the bypass parameter, byte for byte."""
        if _surely_without_bypass(self.query):
            return self.query
        left = _BYPASS.sub("", self.query)
        return left.removeprefix("&") if _BYPASS.match(self.query) else left

    @property
    def return_path(self) -> str | None:
        """Where the visitor wants to be after waiting, checked; None when that cannot be said safely.

        For GET it is the path asked for, for a form the page that held it, if that was a page of this host.
        """
        if self.method in ("GET", "HEAD"):
            return _checked(self.path, self.query_without_bypass)
        own = [value.lower() for value in self.headers.get("host", ())]
        for referer in self.headers.get("referer", ())[:MOST_VALUES]:
            try:
                parts = urlsplit(referer)
            except ValueError:
                continue
            if parts.scheme in ("https", "http") and parts.netloc.lower() in own:
                return _checked(parts.path or "/", parts.query)
        return None


def _checked(path: str, query: str) -> str | None:
    """Path and query as a safe return path; without the query when it is too long."""
    for to in (f"{path}?{query}", path) if query else (path,):
        try:
            return safe_path(to)
        except InvalidInput:
            continue
    return None


def _surely_without_bypass(query: str) -> bool:
    """Whether no part of a query can be the bypass parameter, not even in disguise."""
    return BYPASS_PARAMETER not in query and "%" not in query


def _values(text: str, separator: str, name: str) -> list[str]:
    """The first few values of a name among pairs, found without taking all of them apart."""
    pairs = re.finditer(rf"(?:\A|{separator})[ \t]*{re.escape(name)}=([^{separator}]*)", text)
    return [found[1] for found in islice(pairs, MOST_VALUES)]
