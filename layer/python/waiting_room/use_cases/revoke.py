"""Revoke: make a session, a visitor or a bypass token worthless, at the edge within about 10 s."""

from __future__ import annotations

from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.queue import Queue
from waiting_room.domain.errors import Forbidden, InvalidInput, UnknownVisitor, UnknownZone
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock
from waiting_room.use_cases.bypass import BYPASS_ITEM, REVOKED_BYPASS
from waiting_room.use_cases.leave import REVOKED_SID, REVOKED_VISITOR, Bar, Leave

LONGEST_TOKEN_SEC = 86_400
"""No session lasts longer and no visitor token is valid longer: after that nothing is left to be refused."""


class Revoke:
    """Writes the record the gate's snapshot is made from, and ends what the revoked one holds."""

    def __init__(self, zones: ProtectedZones, queue: Queue, bar: Bar, clock: Clock) -> None:
        self._zones = zones
        self._queue = queue
        self._bar = bar
        self._clock = clock

    def session(self, zone_id: str, sid: str, reason: str, by: str) -> int:
        """Refuse a session. Its lease ends at the bouncer's next sight of it, at the latest with its bucket.

        Like the others: returns when the record may go, in epoch milliseconds; raises UnknownZone.
        """
        zone = self._zone(zone_id)
        return self._record(zone, REVOKED_SID + sid, self._now_sec() + LONGEST_TOKEN_SEC, reason, by)

    def visitor(self, zone_id: str, visitor_id: str, reason: str, by: str) -> int:
        """Bar a visitor from the current run; a session ends at once. Raises UnknownVisitor."""
        zone = self._zone(zone_id)
        if self._queue.get(zone_id, zone.run, visitor_id) is None:
            raise UnknownVisitor
        ends_at_ms = self._record(zone, REVOKED_VISITOR + visitor_id, self._now_sec() + LONGEST_TOKEN_SEC, reason, by)
        self._bar(zone, visitor_id)
        return ends_at_ms

    def bypass(self, zone_id: str, bypass_id: str, reason: str, by: str) -> int:
        """Refuse a bypass token; raises InvalidInput (pointer `/bypass_id`) for one that was never made."""
        zone = self._zone(zone_id)
        made = self._zones.record(zone_id, BYPASS_ITEM + bypass_id)
        if made is None:
            raise InvalidInput("There is no such bypass token in this zone, or it has expired.", "/bypass_id")
        return self._record(zone, REVOKED_BYPASS + bypass_id, made["expires_at_ms"] // 1000, reason, by)

    def _record(self, zone: Zone, item: str, expires_at_sec: int, reason: str, by: str) -> int:
        attributes = {"revoked_at_ms": self._clock.now_ms(), "revoked_by": by, "reason": reason, "run": zone.run}
        self._zones.put_record(zone.zone_id, item, attributes, expires_at_sec)
        return expires_at_sec * 1000

    def _zone(self, zone_id: str) -> Zone:
        zone = self._zones.get(zone_id)
        if zone is None:
            raise UnknownZone
        return zone

    def _now_sec(self) -> int:
        return self._clock.now_ms() // 1000


class RefuseRevoked:
    """A session that an operator revoked gets no new token: its place ends, its room goes to the next visitor."""

    def __init__(self, zones: ProtectedZones, leave: Leave) -> None:
        self._zones = zones
        self._leave = leave

    def __call__(self, zone: Zone, visitor_id: str, sid: str) -> None:
        """Raise Forbidden for a revoked session, after ending it; one read otherwise."""
        if self._zones.record(zone.zone_id, REVOKED_SID + sid) is None:
            return
        self._leave(zone, visitor_id, sid)
        raise Forbidden("This session was revoked.")
