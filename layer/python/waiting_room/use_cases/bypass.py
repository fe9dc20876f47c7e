"""Bypass: a token that lets one named person past the line, counted and audited apart."""

from __future__ import annotations

from dataclasses import dataclass

from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import InvalidInput, Overloaded, UnknownZone
from waiting_room.domain.gate.paths import readings
from waiting_room.domain.gate.redirects import safe_path
from waiting_room.domain.gate.rules import Rule, guards
from waiting_room.domain.lanes import GENERAL
from waiting_room.domain.locations import bypass_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids, Tokens

BYPASS_ITEM = "bypass#"
REVOKED_BYPASS = "revocation#bypass#"
MOST_AN_HOUR = 100
"""Bypass tokens of one zone made in an hour: a whole staff, and no way to sell places past the line."""
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Bypass:
    """A bypass token that was made. The token itself is stored nowhere."""

    bypass_id: str
    token: str
    link: str
    expires_at_ms: int


class MakeBypass:
    """Signs a bypass token and notes for whom."""

    def __init__(self, zones: ProtectedZones, tokens: Tokens, clock: Clock, ids: Ids) -> None:
        self._zones = zones
        self._tokens = tokens
        self._clock = clock
        self._ids = ids

    def __call__(self, zone_id: str, name: str, expires_in_sec: int, by: str) -> Bypass:
        """A token for the current run of the zone.

        Raises UnknownZone, InvalidInput where the link could lead nowhere, NotReady without signing keys, Overloaded
        after MOST_AN_HOUR of them.
        """
        zone = self._zones.get(zone_id)
        if zone is None:
            raise UnknownZone
        guarded_path(zone)
        now_ms = self._clock.now_ms()
        self._refuse_flood(zone_id, now_ms)
        bypass_id, expires_at_sec = self._ids.session_id(), now_ms // 1000 + expires_in_sec
        claims = {
            "zone": zone_id,
            "run": zone.run,
            "sub": "bypass",
            "jti": bypass_id,
            "name": name,
            "lane": GENERAL,
            "iat": now_ms // 1000,
            "exp": expires_at_sec,
        }
        token = self._tokens.sign("bypass", claims)
        record = {"name": name, "run": zone.run, "created_by": by, "created_at_ms": now_ms}
        record["expires_at_ms"] = expires_at_sec * 1000
        self._zones.put_record(zone_id, BYPASS_ITEM + bypass_id, record, expires_at_sec)
        return Bypass(bypass_id, token, bypass_url(zone_id, token), expires_at_sec * 1000)

    def _refuse_flood(self, zone_id: str, now_ms: int) -> None:
        records = self._zones.records(zone_id, BYPASS_ITEM)
        newest_ms = sorted((record["created_at_ms"] for record in records), reverse=True)[:MOST_AN_HOUR]
        if len(newest_ms) == MOST_AN_HOUR and now_ms - newest_ms[-1] < HOUR_MS:
            left_sec = (HOUR_MS - (now_ms - newest_ms[-1])) // 1000 + 1
            raise Overloaded(f"{MOST_AN_HOUR} bypass tokens an hour are made for a zone, no more.", left_sec)


@dataclass(frozen=True)
class Exempt:
    """Who passes the gate of a zone without a place in line: `links` to staff that are in force, those that were
    `revoked` before their time, and `rules` that know others by a secret or their address."""

    links: int
    revoked: int
    rules: int


def exempt_of(zones: ProtectedZones, zone: Zone, now_ms: int) -> Exempt:
    """How many are exempt from a zone's line now. A link counts in the run it was made for."""
    made = {
        bypass_id
        for bypass_id, record in zones.named(zone.zone_id, BYPASS_ITEM).items()
        if record["expires_at_ms"] > now_ms and record.get("run", zone.run) == zone.run
    }
    revoked = zones.named(zone.zone_id, REVOKED_BYPASS).keys()
    return Exempt(links=len(made - revoked), revoked=len(made & revoked), rules=len(zone.exempt))


def guarded_path(zone: Zone) -> str:
    """A path at which the zone's gate stands, for whoever has a bypass to be led to: the landing path, if guarded.

    Else the beginning of a rule; raises InvalidInput when no rule has a path that can be linked to.
    """
    rules = [Rule.parse(zone.zone_id, rule) for rule in zone.rules]
    patterns = [pattern.removeprefix("=").replace("*", "-") for rule in zone.rules for pattern in rule["paths"]]
    for path in (zone.landing_path, *patterns):
        try:
            safe = safe_path(path).partition("#")[0]
        except InvalidInput:
            continue
        if guards(rules, None, readings(safe.partition("?")[0]), ("GET",)):
            return safe
    raise InvalidInput("No rule of the zone has a path that a link could lead to: set landing_path to one.")
