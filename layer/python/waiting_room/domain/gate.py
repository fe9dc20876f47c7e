"""What becomes of a request at the edge (DESIGN 4.6): a pure function of request, snapshot and time.

Everything that is not clearly allowed is refused. Nothing here reads a database or writes anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from waiting_room.domain.gate_paths import BadPath, fold, readings
from waiting_room.domain.gate_request import GateRequest
from waiting_room.domain.gate_rules import guards
from waiting_room.domain.gate_snapshot import GateSnapshot, GateZone
from waiting_room.domain.locations import enter_url, page_url, renew_url
from waiting_room.domain.redirects import PREFIX

__all__ = [
    "BadRequest",
    "Decision",
    "NewCookie",
    "NotFound",
    "Pass",
    "Redirect",
    "Refuse",
    "Verify",
    "decide",
    "open_pass",
]

HEADER_PREFIX = "x-waiting-room-"
TRY_SEC = 10
"""How long after a renewal was tried by redirect no other is: a browser that loses cookies must not go in circles."""
MOST_TOKENS = 3
"""Tokens of one kind looked at in one request; a browser sends one."""

_REROUTING = frozenset({"x-original-uri", "x-original-url", "x-rewrite-uri", "x-rewrite-url"})
"""Headers by which some servers take another path than the one asked for, which the gate would not have looked at."""

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]")


class Verify(Protocol):
    """Checks a token: its claims, or None for anything but a valid token of this audience."""

    def __call__(self, token: str, audience: str, *, now_sec: int) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class NewCookie:
    """A cookie to set; `max_age_sec` as in Set-Cookie."""

    kind: str
    zone_id: str
    value: str
    max_age_sec: int


@dataclass(frozen=True)
class Pass:
    """On to the site: headers to add, names of headers to take away, the query to send; our cookies go in any case.

    `would_wait` is what the gate would have said in earnest, in a zone that only observes.
    """

    query: str
    add: Mapping[str, str] = field(default_factory=dict)
    strip: frozenset[str] = frozenset()
    zone_id: str = ""
    would_wait: bool = False


@dataclass(frozen=True)
class Redirect:
    """303 See Other to a path of this host."""

    location: str
    cookies: tuple[NewCookie, ...] = ()


@dataclass(frozen=True)
class Refuse:
    """An error for programs: 429 to those who may enter and try again, 503 to browsers that only guess."""

    status: int
    problem: str
    title: str
    detail: str
    zone_id: str
    enter_url: str = ""


@dataclass(frozen=True)
class BadRequest:
    """400: the path has no safe reading."""

    detail: str


@dataclass(frozen=True)
class NotFound:
    """404: a path under the prefix, which only CloudFront's own behaviours may answer."""


Decision = Pass | Redirect | Refuse | BadRequest | NotFound


@dataclass(frozen=True)
class _Badge:
    """What a valid token proves: headers for the site, and when lease and session end (epoch seconds)."""

    headers: Mapping[str, str]
    token: str
    expires_at_sec: int = 0
    hard_end_sec: int = 0
    bearer: bool = False
    exempt: bool = False


def decide(request: GateRequest, snapshot: GateSnapshot, verify: Verify, now_ms: int) -> Decision:
    """Decide about one request. `verify` knows the keys of the snapshot; raises nothing, whatever the request."""
    try:
        paths = readings(request.path)
    except BadPath as error:
        return BadRequest(str(error))
    if any((fold(path) + "/").startswith(PREFIX + "/") for path in paths):
        return NotFound()
    zone_ids = guards(snapshot.rules, request.hosts, paths, request.methods)
    gates = [_Gate(request, snapshot, snapshot.zones[zone_id], verify, now_ms // 1000) for zone_id in zone_ids]
    decisions = [gate.decide() for gate in gates]
    refusal = next((decision for decision in decisions if not isinstance(decision, Pass)), None)
    if refusal is not None:
        return refusal
    return decisions[0] if decisions else open_pass(request)


def open_pass(request: GateRequest) -> Pass:
    """Let a request through to a part of the site that nothing guards: without our headers, cookies and tokens."""
    return Pass(query=request.query_without_bypass, strip=_reserved(request.headers))


@dataclass(frozen=True)
class _Gate:
    """One request before one zone."""

    request: GateRequest
    snapshot: GateSnapshot
    zone: GateZone
    verify: Verify
    now_sec: int

    def decide(self) -> Decision:
        if self.request.bypass_links and self.request.method in ("GET", "HEAD"):
            return self._follow_link()
        badge = self._exemption() or self._admission()
        # Staff may look whether all is well again while everybody else is locked out.
        holds = badge is not None and (self.zone.control != "lock" or badge.exempt)
        allowed = holds or self.zone.control == "pass" or self.request.is_preflight
        if self.zone.observe:
            return self._let_in(badge, would_wait=not allowed)
        if not allowed:
            return self._refuse()
        return self._renewal(badge) or self._let_in(badge)

    def _follow_link(self) -> Decision:
        """Move a bypass token from the URL into a cookie; a bad one is only taken out of the URL."""
        clean = self.request.return_path
        if clean is None:
            return BadRequest("The link's path cannot be followed.")
        token = self.request.bypass_links[0]
        claims = self._bypass_claims(token)
        if claims is None:
            return Redirect(clean)
        return Redirect(clean, (NewCookie("bypass", self.zone.zone_id, token, claims["exp"] - self.now_sec),))

    def _exemption(self) -> _Badge | None:
        for token in self.request.tokens.get(("bypass", self.zone.zone_id), ())[:MOST_TOKENS]:
            claims = self._bypass_claims(token)
            if claims is not None:
                return _Badge({"exempt": claims["jti"], "lane": claims["lane"]}, token, exempt=True)
        return None

    def _bypass_claims(self, token: str) -> Mapping[str, Any] | None:
        claims = self._claims(token, "bypass")
        return None if claims is None or claims["jti"] in self.snapshot.revoked_bypasses else claims

    def _admission(self) -> _Badge | None:
        cookies = self.request.tokens.get(("access", self.zone.zone_id), ())[:MOST_TOKENS]
        bearers = self.request.bearers[:MOST_TOKENS]
        for token, bearer in [*((cookie, False) for cookie in cookies), *((token, True) for token in bearers)]:
            claims = self._claims(token, "access")
            if claims is None or claims["sid"] in self.snapshot.revoked_sids:
                continue
            if claims["sub"] not in self.snapshot.revoked_visitors:
                headers = {"visitor": claims["sub"], "lane": claims["lane"], "session": claims["sid"]}
                return _Badge(headers, token, claims["exp"], claims["hard_end"], bearer)
        return None

    def _claims(self, token: str, audience: str) -> Mapping[str, Any] | None:
        claims = self.verify(token, audience, now_sec=self.now_sec)
        if claims is None or claims["zone"] != self.zone.zone_id or claims["run"] != self.zone.run:
            return None
        return claims

    def _let_in(self, badge: _Badge | None, *, would_wait: bool = False) -> Pass:
        names = {"zone": self.zone.zone_id, **(badge.headers if badge else {})}
        strip = _reserved(self.request.headers)
        if badge is not None and self.zone.forward_token and not badge.exempt:
            names["token"] = badge.token
        elif badge is not None and badge.bearer:
            strip |= {"authorization"}
        return Pass(
            query=self.request.query_without_bypass,
            add={HEADER_PREFIX + name: value for name, value in names.items()},
            strip=strip,
            zone_id=self.zone.zone_id,
            would_wait=would_wait,
        )

    def _renewal(self, badge: _Badge | None) -> Redirect | None:
        """A detour to renew a lease in its last third, for whole pages only and never twice in TRY_SEC."""
        if badge is None or badge.bearer or badge.exempt:
            return None
        if self.zone.session_kind != "navigation" or self.zone.control == "pass":
            return None
        left_sec = badge.expires_at_sec - self.now_sec
        if left_sec > self.zone.idle_sec / 3 or badge.expires_at_sec >= badge.hard_end_sec:
            return None
        if not self.request.wants_document or self.request.is_prefetch or ("try", "") in self.request.tokens:
            return None
        to = self.request.return_path
        return Redirect(renew_url(self.zone.zone_id, to), (NewCookie("try", "", "1", TRY_SEC),)) if to else None

    def _refuse(self) -> Redirect | Refuse:
        zone_id = self.zone.zone_id
        if self.request.is_prefetch:
            detail = "This page is not fetched ahead of time."
            return Refuse(503, "no-prefetch", "Not now", detail, zone_id)
        to = self.request.return_path
        if self.request.wants_page and self.request.method in ("GET", "POST"):
            # Nobody is let in now: the API has nothing to say that the page does not, and would send people back here.
            shut = self.zone.control in ("lock", "end")
            return Redirect(page_url(zone_id, to) if shut or self.zone.entry == "page" else enter_url(zone_id, to))
        detail = "Enter the waiting room at enter_url, then ask again with the access token."
        return Refuse(
            429, "waiting", "There is a waiting room before this page", detail, zone_id, enter_url(zone_id, to)
        )


def _reserved(headers: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Headers no client may send. Servers turn every odd character of a name into `_`, so all count as `-`."""
    prefix = HEADER_PREFIX.rstrip("-")
    spelled = {name: _NOT_IN_NAMES.sub("-", name) for name in headers if name.startswith("x")}
    return frozenset(name for name, plain in spelled.items() if plain.startswith(prefix) or plain in _REROUTING)
