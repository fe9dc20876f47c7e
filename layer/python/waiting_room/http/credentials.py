"""Who asks: tokens read from a request, and tokens given back as cookies or to an app.

Whatever is wrong with a token (forged, expired, of another zone, run or audience), it counts as no token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waiting_room.domain.errors import BadToken, LinkExpired, LinkVoid, Moved
from waiting_room.domain.lanes import GENERAL
from waiting_room.domain.line.places import Known, Place, Session
from waiting_room.domain.networks import network_tag
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.frame.cookies import clear_cookie, cookie_name, evictions, set_cookie
from waiting_room.http.frame.request import Request
from waiting_room.ports import Clock, Tokens

VISITOR_TOKEN_SEC = 86_400
"""How long a place can be proved without a visit; every visit in the second half gives a new token."""


JOIN_CLAIM_HEADER = "x-waiting-room-join-claim"
JOIN_CLAIM_COOKIE = "wr-join-claim"
"""Set by the site's login on its own host; apps send the header."""


@dataclass(frozen=True)
class Visitor:
    """What a valid visitor token says. `seq` is None before joining; `gen` is the token's own, never the place's.

    `lane` is the place's, or before joining the one the visitor was invited into. `account` says that the id is that of
    an account of the site's login, wherever the place is moved to. `device` tells the browsers of one
    account apart; it is empty where each browser is a visitor of its own.
    """

    visitor_id: str
    gen: int = 0
    lane: str = GENERAL
    shard: int | None = None
    seq: int | None = None
    position: int | None = None
    arrival: int | None = None
    expires_at_sec: int = 0
    account: bool = False
    device: str = ""

    @property
    def known(self) -> Known | None:
        """What the token proves of the place, if there is one."""
        if self.shard is None or self.seq is None:
            return None
        return Known(self.lane, self.shard, self.seq, self.position, self.arrival)

    @property
    def issued_at_sec(self) -> int:
        """When the token was given; one that proves no place yet is the first of its visitor."""
        return self.expires_at_sec - VISITOR_TOKEN_SEC

    @property
    def invited(self) -> str:
        """The lane of an invitation that was accepted before there was a place; empty without one."""
        return self.lane if self.seq is None and self.lane != GENERAL else ""


@dataclass(frozen=True)
class Invited:
    """What an invitation says."""

    invitation_id: str
    lane: str


@dataclass(frozen=True)
class Placed:
    """A position in a lane, as a visitor's token proves it."""

    visitor_id: str
    lane: str
    position: int


@dataclass(frozen=True)
class AccessPass:
    """What an access token says."""

    zone_id: str
    run: int
    visitor_id: str
    sid: str
    expires_at_sec: int
    network: str = ""


class Credentials:
    """Reads and gives tokens of one deployment."""

    def __init__(self, tokens: Tokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    def find_visitor(self, request: Request, zone: Zone) -> Visitor | None:
        """The visitor of a request, or None."""
        claims = self._claims(request, zone, "visitor")
        if claims is None:
            return None
        place: dict[str, Any] = {name: claims.get(name) for name in ("shard", "seq", "position", "arrival")}
        return Visitor(
            claims["sub"],
            claims.get("gen", 0),
            claims["lane"],
            **place,
            expires_at_sec=claims["exp"],
            account=claims.get("account", False),
            device=claims.get("device", ""),
        )

    def find_placed(self, request: Request, zone: Zone) -> Placed | None:
        """The position a request's visitor token proves, or None while the token knows of none."""
        claims = self._claims(request, zone, "visitor")
        if claims is None or "position" not in claims:
            return None
        return Placed(claims["sub"], claims["lane"], claims["position"])

    def visitor(self, request: Request, zone: Zone) -> Visitor:
        """The visitor of a request; raises BadToken."""
        found = self.find_visitor(request, zone)
        if found is None:
            raise BadToken("Send the visitor token of this zone's current run: join the line first.")
        return found

    def read_invitation(self, token: str, zone: Zone) -> Invited:
        """What an invitation says; raises LinkVoid for one of another zone, run or lane, and LinkExpired."""
        claims = self._linked(token, "invitation", zone)
        if claims["lane"] not in zone.lanes:
            raise LinkVoid("The line has no such lane any more.")
        return Invited(claims["jti"], claims["lane"])

    def bypass_cookies(self, token: str, zone: Zone) -> list[str]:
        """Set-Cookie values for a bypass token; raises LinkVoid for one of another zone or run, and LinkExpired."""
        claims = self._linked(token, "bypass", zone)
        return [set_cookie(cookie_name("bypass", zone.zone_id), token, claims["exp"] - self._now_sec())]

    def join_claim(self, request: Request) -> str | None:
        """What the site's login says of who wants to join, unread."""
        return request.headers.get(JOIN_CLAIM_HEADER) or request.cookies.get(JOIN_CLAIM_COOKIE)

    def find_pass(self, request: Request, zone: Zone) -> AccessPass | None:
        """The access token of a request, or None. One past its end still says which session is meant."""
        claims = self._claims(request, zone, "access", allow_expired=True)
        return None if claims is None else _pass(claims)

    def read_pass(self, token: str) -> AccessPass:
        """The access token a site's server hands on, expired or not; raises BadToken."""
        claims = self._tokens.verify(token, "access", now_sec=self._now_sec(), allow_expired=True)
        if claims is None:
            raise BadToken("The access token is not valid.")
        return _pass(claims)

    def is_current(self, held: AccessPass) -> bool:
        """Whether an access token has not run out."""
        return self._now_sec() < held.expires_at_sec

    def visitor_token(self, zone: Zone, visitor: Visitor, place: Place | None = None) -> str:
        """A visitor token; with the place once it is known, so that the browser can compute everything else."""
        now_sec = self._now_sec()
        claims: dict[str, Any] = {
            "zone": zone.zone_id,
            "run": zone.run,
            "sub": visitor.visitor_id,
            "lane": place.lane if place else visitor.lane,
            "gen": visitor.gen,
            "iat": now_sec,
            "exp": now_sec + VISITOR_TOKEN_SEC,
            **_account(visitor),
        }
        if visitor.device:
            claims["device"] = visitor.device
        if place is not None:
            claims |= {"shard": place.shard, "seq": place.seq}
            known = {"position": place.position, "arrival": place.arrival}
            claims |= {name: value for name, value in known.items() if value is not None}
        return self._tokens.sign("visitor", claims)

    def needs_token(self, visitor: Visitor, place: Place) -> bool:
        """Whether the token is not up to date: another place by now, one known only now, or half its life is over."""
        half_sec = VISITOR_TOKEN_SEC // 2
        same = (visitor.lane, visitor.shard, visitor.seq) == (place.lane, place.shard, place.seq)
        told = place.position in (None, visitor.position) and place.arrival in (None, visitor.arrival)
        return not same or not told or visitor.expires_at_sec - self._now_sec() < half_sec

    def link_token(self, zone: Zone, visitor: Visitor, life_sec: int) -> str:
        """A token that moves the visitor's place, as long as it is of the generation it has now."""
        now_sec = self._now_sec()
        place = {"zone": zone.zone_id, "run": zone.run, "lane": visitor.lane, "sub": visitor.visitor_id}
        told = {"gen": visitor.gen, "iat": now_sec, "exp": now_sec + life_sec, **_account(visitor)}
        return self._tokens.sign("link", {**place, **told})

    def read_link(self, zone: Zone, token: str) -> Visitor | None:
        """Whose place a link moves, and of which generation; None for anything that is no link of this zone's run."""
        claims = self._tokens.verify(token, "link", now_sec=self._now_sec())
        if claims is None or claims["zone"] != zone.zone_id or claims["run"] != zone.run:
            return None
        return Visitor(claims["sub"], claims["gen"], claims["lane"], account=claims.get("account", False))

    def access_token(self, session: Session, zone: Zone, request: Request) -> str:
        """The access token of a session, bound to the network that asks if the zone wants that.

        It never outlives the lease, so its end is rounded down.
        """
        claims: dict[str, Any] = {
            "zone": session.zone_id,
            "run": session.run,
            "sub": session.visitor_id,
            "lane": session.lane,
            "sid": session.sid,
            "bucket": session.bucket,
            "hard_end": session.hard_end_at_ms // 1000,
            "iat": self._now_sec(),
            "exp": session.expires_at_ms // 1000,
        }
        network = "" if zone.network_binding == "off" else network_tag(session.sid, request.client_ip)
        if network:
            claims["net"] = network
        return self._tokens.sign("access", claims)

    def elsewhere(self, held: AccessPass, request: Request) -> bool:
        """Whether an access token comes from another network than it was given to."""
        return bool(held.network) and network_tag(held.sid, request.client_ip) != held.network

    def visitor_cookies(self, request: Request, zone: Zone, token: str) -> list[str]:
        """Set-Cookie values for a visitor token; the zones used longest ago make room."""
        name = cookie_name("visitor", zone.zone_id)
        return [set_cookie(name, token, VISITOR_TOKEN_SEC), *evictions(request.cookies, zone.zone_id)]

    def access_cookies(self, session: Session, token: str) -> list[str]:
        """Set-Cookie values for an access token."""
        name = cookie_name("access", session.zone_id)
        return [set_cookie(name, token, session.expires_at_ms // 1000 - self._now_sec())]

    def no_access_cookies(self, zone: Zone) -> list[str]:
        """Set-Cookie values that take the access token away."""
        return [clear_cookie(cookie_name("access", zone.zone_id))]

    def _linked(self, token: str, audience: str, zone: Zone) -> Mapping[str, Any]:
        claims = self._tokens.verify(token, audience, now_sec=self._now_sec(), allow_expired=True)
        if claims is None:
            raise LinkVoid("This is no link of ours, or a part of it is missing.")
        if claims["zone"] != zone.zone_id or claims["run"] != zone.run:
            raise LinkVoid("It belongs to another line, or to an earlier one.")
        if claims["exp"] <= self._now_sec():
            raise LinkExpired
        return claims

    def _claims(
        self, request: Request, zone: Zone, audience: str, *, allow_expired: bool = False
    ) -> Mapping[str, Any] | None:
        token = request.bearer or request.cookies.get(cookie_name(audience, zone.zone_id))
        if not token:
            return None
        claims = self._tokens.verify(token, audience, now_sec=self._now_sec(), allow_expired=allow_expired)
        if claims is None or claims["zone"] != zone.zone_id or claims["run"] != zone.run:
            return None
        return claims

    def _now_sec(self) -> int:
        return self._clock.now_ms() // 1000


def _pass(claims: Mapping[str, Any]) -> AccessPass:
    return AccessPass(claims["zone"], claims["run"], claims["sub"], claims["sid"], claims["exp"], claims.get("net", ""))


def _account(visitor: Visitor) -> dict[str, bool]:
    return {"account": True} if visitor.account else {}


def refuse_moved(visitor: Visitor, gen: int) -> None:
    """Raise Moved for a visitor whose place is of a later generation by now: it lives on another device."""
    if gen > visitor.gen:
        raise Moved
