"""What becomes of a request at the edge (PROTOCOL, Order of decision): decided by request, snapshot and time alone.

Everything that is not clearly allowed is refused. Nothing here reads a database or writes anything. What a gate
remembers of one snapshot (routes, badges) it would find again in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from waiting_room.domain.gate.decisions import (
    BadRequest,
    Decision,
    NewCookie,
    NotFound,
    Pass,
    Redirect,
    Refuse,
    Unavailable,
)
from waiting_room.domain.gate.exit_list import exit_id
from waiting_room.domain.gate.request import HEADER_PREFIX, GateRequest
from waiting_room.domain.gate.routes import Routes
from waiting_room.domain.gate.snapshot import OPEN, GateSnapshot, GateZone
from waiting_room.domain.locations import enter_url, page_url, renew_url
from waiting_room.domain.networks import network_tag

__all__ = [
    "BadRequest",
    "Decision",
    "Ended",
    "Gate",
    "NewCookie",
    "NotFound",
    "Pass",
    "Redirect",
    "Refuse",
    "Unavailable",
    "Verify",
    "blind_pass",
    "decide",
    "nobody_ended",
    "open_pass",
]

TRY_SEC = 10
"""How long after a renewal was tried by redirect no other is: a browser that loses cookies must not go in circles."""
MOST_TOKENS = 3
"""Tokens of one kind looked at in one request; a browser sends one."""
MOST_EXAMINED = 4
"""Tokens not known yet that are examined in one request, each for the price of ten requests. One that is not counts as
none."""
REMEMBERED = 1000
"""Badges kept for one snapshot: about 2 MB."""

_NOWHERE = (BadRequest, NotFound)

OTHER_NETWORK = "other network"
WOULD_WAIT = "would wait"


class Ended(Protocol):
    """Whether a session of a zone's run, by the number of its `exit_id`, is on the zone's exit list.

    None while nobody can tell.
    """

    def __call__(self, zone: GateZone, number: int, now_sec: int, /) -> bool | None: ...


def nobody_ended(_zone: GateZone, _number: int, _now_sec: int) -> bool:
    """Where no exit list is read: a token is good until it runs out."""
    return False


class Verify(Protocol):
    """Checks a token: its claims, or None for anything but a valid token of this audience."""

    def __call__(self, token: str, audience: str, *, now_sec: int) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class _Badge:
    """What a valid token proves, as long as the snapshot is the same: headers for the site, and when it ends."""

    audience: str
    zone_id: str
    headers: Mapping[str, str]
    expires_at_sec: int
    hard_end_sec: int = 0
    sid: str = ""
    network: str = ""
    exempt: bool = False
    exit_number: int = 0


_UNSURE = _Badge("unsure", "", {}, 0)
"""Of a token that is good unless its session has ended, and nobody can tell."""


def decide(request: GateRequest, snapshot: GateSnapshot, verify: Verify, now_ms: int) -> Decision:
    """Decide about one request. `verify` knows the keys of the snapshot; raises nothing, whatever the request."""
    return Gate(snapshot, verify).decide(request, now_ms)


def open_pass(request: GateRequest) -> Pass:
    """Let a request through to a part of the site that nothing guards: without our headers, cookies and tokens."""
    return Pass(request.query_without_bypass, strip=request.names.reserved)


def blind_pass(request: GateRequest) -> Pass:
    """Let a request through because nothing is known of any zone, and tell the site so."""
    return Pass(request.query_without_bypass, {OPEN: "no-snapshot"}, request.names.reserved)


class Gate:
    """The gate as one snapshot has it. `verify` knows the keys of the snapshot. Safe to call from threads."""

    def __init__(self, snapshot: GateSnapshot, verify: Verify, ended: Ended = nobody_ended) -> None:
        self._snapshot = snapshot
        self._verify = verify
        self._ended = ended
        self._routes = Routes(snapshot)
        self._badges: dict[str, _Badge] = {}

    def decide(self, request: GateRequest, now_ms: int) -> Decision:
        """Decide about one request; raises nothing, whatever the request.

        Of several zones that may be meant each must let it in.
        """
        route = self._routes.of(request)
        if isinstance(route, _NOWHERE):
            return route
        if not route:
            return open_pass(request)
        request.examined = 0
        now_sec = now_ms // 1000
        first = self._before(route[0], request, now_sec)
        if len(route) == 1:
            return first
        all_of_them = [first, *(self._before(zone, request, now_sec) for zone in route[1:])]
        return next((decision for decision in all_of_them if type(decision) is not Pass), first)

    def _before(self, zone: GateZone, request: GateRequest, now_sec: int) -> Decision:
        if request.query and request.method in ("GET", "HEAD") and request.bypass_links:
            return _not_ahead(zone) if request.is_prefetch else self._follow_link(zone, request, now_sec)
        badge, bearer, noticed = self._badge_of(zone, request, now_sec)
        unsure, badge = badge is _UNSURE, None if badge is _UNSURE else badge
        control = zone.control
        if badge is not None and badge.exempt:
            # Staff may look whether all is well again while everybody else is locked out.
            return _let_in(zone, request, badge, bearer)
        allowed = (badge is not None and control != "lock") or control == "pass"
        if zone.observe:
            noticed = noticed if allowed or request.is_preflight else WOULD_WAIT
            return _let_in(zone, request, badge, bearer, noticed, "observe")
        if badge is not None and allowed:
            return _renewal(zone, request, badge, bearer, now_sec) or _let_in(zone, request, badge, bearer, noticed)
        if allowed or request.is_preflight:
            return _let_in(zone, request, badge, bearer, why="pass" if allowed else "preflight")
        return Unavailable(zone.zone_id) if unsure and control != "lock" else _refuse(zone, request, noticed)

    def _follow_link(self, zone: GateZone, request: GateRequest, now_sec: int) -> Decision:
        """Move a bypass token from the URL into a cookie; a bad one is only taken out of the URL."""
        clean = request.return_path
        if clean is None:
            return BadRequest("The link's path cannot be followed.")
        token = request.bypass_links[0]
        badge = self._badge(request, token, "bypass", zone, now_sec)
        if badge is None:
            return Redirect(clean)
        return Redirect(clean, (NewCookie("bypass", zone.zone_id, token, badge.expires_at_sec - now_sec),))

    def _badge_of(self, zone: GateZone, request: GateRequest, now_sec: int) -> tuple[_Badge | None, str, str]:
        """What the request shows, the bearer token if that was it, and what is to be noticed."""
        tokens, noticed, unsure = request.tokens, "", None
        shown: list[tuple[str, str]] = []
        if tokens:
            for token in tokens.get(("bypass", zone.zone_id), ())[:MOST_TOKENS]:
                badge = self._badge(request, token, "bypass", zone, now_sec)
                if badge is not None:
                    return badge, "", ""
            shown = [(token, "") for token in tokens.get(("access", zone.zone_id), ())[:MOST_TOKENS]]
        if "authorization" in request.headers:
            shown += [(token, token) for token in request.bearers[:MOST_TOKENS]]
        for token, bearer in shown:
            badge = self._badge(request, token, "access", zone, now_sec)
            if badge is None:
                continue
            ended = self._ended(zone, badge.exit_number, now_sec)
            if ended is None:
                unsure = _UNSURE
            elif not ended:
                noticed = _other_network(zone, request, badge)
                if not noticed or zone.network_binding != "refuse":
                    return badge, bearer, noticed
        for exemption in zone.exempt:
            if exemption.fits(request):
                return _Badge("exempt", zone.zone_id, _headers(zone, exempt=exemption.name), 0, exempt=True), "", ""
        return unsure, "", noticed

    def _badge(self, request: GateRequest, token: str, audience: str, zone: GateZone, now_sec: int) -> _Badge | None:
        badge = self._badges.get(token)
        if badge is None:
            if request.examined >= MOST_EXAMINED:
                return None
            request.examined += 1
            badge = self._examined(token, audience, zone, now_sec)
            if badge is None:
                return None
            if len(self._badges) >= REMEMBERED:
                self._badges.clear()
            self._badges[token] = badge
        if badge.audience != audience or badge.zone_id != zone.zone_id or now_sec >= badge.expires_at_sec:
            return None
        return badge

    def _examined(self, token: str, audience: str, zone: GateZone, now_sec: int) -> _Badge | None:
        """What a token proves that was not seen under this snapshot yet."""
        claims = self._verify(token, audience, now_sec=now_sec)
        if claims is None or claims["zone"] != zone.zone_id or claims["run"] != zone.run:
            return None
        known, lane = self._snapshot, claims["lane"]
        if audience == "bypass":
            if claims["jti"] in known.revoked_bypasses:
                return None
            return _Badge(
                audience, zone.zone_id, _headers(zone, exempt=claims["jti"], lane=lane), claims["exp"], exempt=True
            )
        if claims["sid"] in known.revoked_sids or claims["sub"] in known.revoked_visitors:
            return None
        told = {"visitor": claims["sub"], "lane": lane, "session": claims["sid"]}
        if zone.forward_token:
            told["token"] = token
        return _Badge(
            audience,
            zone.zone_id,
            _headers(zone, **told),
            claims["exp"],
            hard_end_sec=claims["hard_end"],
            sid=claims["sid"],
            exit_number=int.from_bytes(exit_id(claims["sid"]), "big"),
            network=claims.get("net", ""),
        )


def _headers(zone: GateZone, **told: str) -> dict[str, str]:
    return {HEADER_PREFIX + name: value for name, value in {"zone": zone.zone_id, **told}.items()}


def _other_network(zone: GateZone, request: GateRequest, badge: _Badge) -> str:
    """OTHER_NETWORK for a token that is used from another network than it was given to."""
    if zone.network_binding == "off" or not badge.network:
        return ""
    return "" if network_tag(badge.sid, request.client_ip) == badge.network else OTHER_NETWORK


def _let_in(
    zone: GateZone, request: GateRequest, badge: _Badge | None, bearer: str, noticed: str = "", why: str = ""
) -> Pass:
    """On to the site; `why` a request passes without a badge."""
    strip = request.names.reserved
    if bearer and not zone.forward_token:
        strip |= {"authorization"}
    headers = zone.open_headers[why] if badge is None else badge.headers
    # Of who was not admitted the site hears no more than a preflight needs.
    query = request.query_without_bypass if request.query and why != "preflight" else ""
    return Pass(query, headers, strip, zone.zone_id, noticed)


def _renewal(zone: GateZone, request: GateRequest, badge: _Badge, bearer: str, now_sec: int) -> Redirect | None:
    """A detour to renew a lease in its last third, for whole pages only and never twice in TRY_SEC."""
    if badge.expires_at_sec - now_sec > zone.idle_sec / 3 or badge.expires_at_sec >= badge.hard_end_sec:
        return None
    if bearer or zone.session_kind != "navigation" or zone.control == "pass":
        return None
    if not request.wants_document or request.is_prefetch or ("try", "") in request.tokens:
        return None
    to = request.return_path
    return Redirect(renew_url(zone.zone_id, to), (NewCookie("try", "", "1", TRY_SEC),)) if to else None


def _not_ahead(zone: GateZone) -> Refuse:
    return Refuse(503, "no-prefetch", "Not now", "This page is not fetched ahead of time.", zone.zone_id)


def _refuse(zone: GateZone, request: GateRequest, noticed: str) -> Redirect | Refuse:
    zone_id = zone.zone_id
    if request.is_prefetch:
        return _not_ahead(zone)
    to = request.return_path
    if request.wants_page and request.method in ("GET", "POST"):
        # Nobody is let in now: the API has nothing to say that the page does not, and would send people back here.
        shut = zone.control in ("lock", "end")
        url = page_url(zone_id, to) if shut or (zone.entry == "page" and not noticed) else enter_url(zone_id, to)
        return Redirect(url, zone_id=zone_id, noticed=noticed)
    detail = "Enter the waiting room at enter_url, then ask again with the access token."
    title = "There is a waiting room before this page"
    return Refuse(429, "waiting", title, detail, zone_id, enter_url(zone_id, to), noticed)
