"""Who asks: tokens read from a request, and tokens given back as cookies or to an app.

Whatever is wrong with a token (forged, expired, of another zone, run or audience), it counts as no token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waiting_room.domain.errors import BadToken
from waiting_room.domain.places import Place, Session
from waiting_room.domain.zones import Zone
from waiting_room.http.cookies import clear_cookie, cookie_name, evictions, set_cookie
from waiting_room.http.request import Request
from waiting_room.ports import Clock, Tokens

VISITOR_TOKEN_SEC = 86_400
"""How long a place can be proved without a visit; every visit in the second half gives a new token."""

LANE = "general"


@dataclass(frozen=True)
class Visitor:
    """What a valid visitor token says. `seq` is None before joining; `gen` is the token's own, never the place's."""

    visitor_id: str
    gen: int = 0
    seq: int | None = None
    expires_at_sec: int = 0


@dataclass(frozen=True)
class Placed:
    """A position in a lane, as a visitor's token proves it."""

    visitor_id: str
    lane: str
    position: int


@dataclass(frozen=True)
class Pass:
    """What an access token says."""

    zone_id: str
    run: int
    visitor_id: str
    sid: str
    expires_at_sec: int


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
        return Visitor(claims["sub"], claims.get("gen", 0), claims.get("seq"), claims["exp"])

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

    def find_pass(self, request: Request, zone: Zone) -> Pass | None:
        """The access token of a request, or None. One past its end still says which session is meant."""
        claims = self._claims(request, zone, "access", allow_expired=True)
        return None if claims is None else _pass(claims)

    def read_pass(self, token: str) -> Pass:
        """The access token a site's server hands on, expired or not; raises BadToken."""
        claims = self._tokens.verify(token, "access", now_sec=self._now_sec(), allow_expired=True)
        if claims is None:
            raise BadToken("The access token is not valid.")
        return _pass(claims)

    def is_current(self, held: Pass) -> bool:
        """Whether an access token has not run out."""
        return self._now_sec() < held.expires_at_sec

    def visitor_token(self, zone: Zone, visitor: Visitor, place: Place | None = None) -> str:
        """A visitor token; with the place once it is known, so that the browser can compute everything else."""
        now_sec = self._now_sec()
        claims: dict[str, Any] = {
            "zone": zone.zone_id,
            "run": zone.run,
            "sub": visitor.visitor_id,
            "lane": place.lane if place else LANE,
            "gen": visitor.gen,
            "iat": now_sec,
            "exp": now_sec + VISITOR_TOKEN_SEC,
        }
        if place is not None:
            claims |= {"shard": place.shard, "seq": place.seq}
            if place.position is not None:
                claims["position"] = place.position
        return self._tokens.sign("visitor", claims)

    def needs_token(self, visitor: Visitor, place: Place) -> bool:
        """Whether the visitor's token is not up to date: another place by now, or half its life is over."""
        half_sec = VISITOR_TOKEN_SEC // 2
        return visitor.seq != place.seq or visitor.expires_at_sec - self._now_sec() < half_sec

    def link_token(self, zone: Zone, visitor: Visitor, life_sec: int) -> str:
        """A token that moves the visitor's place, as long as it is of the generation it has now."""
        now_sec = self._now_sec()
        claims = {"zone": zone.zone_id, "run": zone.run, "lane": LANE, "sub": visitor.visitor_id, "gen": visitor.gen}
        return self._tokens.sign("link", {**claims, "iat": now_sec, "exp": now_sec + life_sec})

    def read_link(self, zone: Zone, token: str) -> Visitor | None:
        """Whose place a link moves, and of which generation; None for anything that is no link of this zone's run."""
        claims = self._tokens.verify(token, "link", now_sec=self._now_sec())
        if claims is None or claims["zone"] != zone.zone_id or claims["run"] != zone.run:
            return None
        return Visitor(claims["sub"], claims["gen"])

    def access_token(self, session: Session) -> str:
        """The access token of a session. It never outlives the lease, so its end is rounded down."""
        claims = {
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
        return self._tokens.sign("access", claims)

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


def _pass(claims: Mapping[str, Any]) -> Pass:
    return Pass(claims["zone"], claims["run"], claims["sub"], claims["sid"], claims["exp"])
