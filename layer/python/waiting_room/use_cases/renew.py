"""Renew: lengthen a lease, never shorten one, never revive one that was given away (PROTOCOL, Renew)."""

from __future__ import annotations

from dataclasses import replace

from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import AlreadyCompleted, Forbidden, HardEnd, Lapsed, Unsure
from waiting_room.domain.leases import lease_bucket
from waiting_room.domain.line.places import QueueItem, Session, session_of
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids


class Renew:
    """Counts the lease in its new bucket first, then moves it, then stops counting the old: never too few."""

    def __init__(self, gates: Gates, queue: Queue, copies: GateCopies, clock: Clock, ids: Ids) -> None:
        self._gates = gates
        self._queue = queue
        self._copies = copies
        self._clock = clock
        self._ids = ids

    def __call__(self, zone: Zone, visitor_id: str, sid: str, *, early: bool = True) -> Session:
        """The session with a lease from now; 3 write units. A retry gets the lease it already has.

        With `early` False a lease in its first two thirds is left as it is. A lease past its end is renewed as long
        as its bucket is still counted. Raises Lapsed, HardEnd, Forbidden, AlreadyCompleted, Unsure.
        """
        item = _live(self._queue.get(zone.zone_id, zone.run, visitor_id), sid)
        width_sec = self._copies.recent(zone).width_sec
        session, now_ms = session_of(item, width_sec), self._clock.now_ms()
        if now_ms >= session.hard_end_at_ms:
            raise HardEnd
        lease_sec = zone.lease_sec(item.lease_kind, first=False)
        bucket = max(item.lease, lease_bucket(now_ms, lease_sec, session.hard_end_at_ms, width_sec))
        fresh_enough = session.expires_at_ms - now_ms > lease_sec * 1000 / 3
        if bucket == item.lease or (fresh_enough and not early):
            if now_ms < session.expires_at_ms:
                return session
            raise Lapsed
        return self._move(zone, item, bucket, now_ms, width_sec)

    def _move(self, zone: Zone, item: QueueItem, bucket: int, now_ms: int, width_sec: int) -> Session:
        held = self._gates.hold(zone.zone_id, zone.run, bucket, while_open=item.lease, verb="renew")
        if held is Answer.NO:
            raise Lapsed
        if held is Answer.UNSURE:
            raise Unsure
        attempt = self._ids.attempt_id()
        with self._gates.counted(zone.zone_id, zone.run, bucket):
            moved = self._queue.move_lease(item, bucket=bucket, attempt=attempt, now_ms=now_ms)
        if moved is Answer.NO:
            # Another tab was faster: its lease is counted, so this one must not be.
            self._gates.release(zone.zone_id, zone.run, bucket)
            stored = self._queue.get(zone.zone_id, zone.run, item.visitor_id)
            return session_of(_live(stored, item.sid or ""), width_sec)
        if moved is Answer.UNSURE and not self._queue.arrived(item, attempt):
            # Whichever of the two the place has in the end, one of them is counted in vain.
            self._gates.phantom(zone.zone_id, zone.run, bucket, verb="renew")
            raise Unsure
        self._gates.release(zone.zone_id, zone.run, item.lease)
        return session_of(replace(item, bucket=bucket), width_sec)


def _live(item: QueueItem | None, sid: str) -> QueueItem:
    """The item, if it is this session and has not ended."""
    if item is not None and item.status == "revoked":
        raise Forbidden("This session was revoked.")
    if item is None or item.sid != sid:
        raise Lapsed
    if item.status == "completed":
        raise AlreadyCompleted
    if item.status != "admitted":
        raise Lapsed
    return item
