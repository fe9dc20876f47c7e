"""Claim: a called visitor exchanges the place for a session, never beyond the cap (PROTOCOL, Claim)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.phones import Phones
from waiting_room.adapters.queue import Queue
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import (
    AlreadyCompleted,
    Forbidden,
    HardEnd,
    Lapsed,
    Moved,
    PhoneNeeded,
    RunOver,
    SoldOut,
    UnknownVisitor,
    Unsure,
)
from waiting_room.domain.leases import lease_bucket
from waiting_room.domain.line.places import Known, QueueItem, Session, may_return, session_of, status_now
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.lines import Lines
from waiting_room.use_cases.renew import Renew
from waiting_room.use_cases.wake import Wake

LONGEST_RETRY_SEC = 15


@dataclass(frozen=True)
class Waiting:
    """Not yet: ask again after `retry_after_sec`. `position` is None while it is not known."""

    status: str
    position: int | None
    retry_after_sec: int


class Claim:
    """Answers with a session, or with how long to wait before asking again."""

    def __init__(
        self,
        gates: Gates,
        queue: Queue,
        copies: GateCopies,
        lines: Lines,
        renew: Renew,
        wake: Wake,
        clock: Clock,
        ids: Ids,
        phones: Phones,
    ) -> None:
        self._gates = gates
        self._queue = queue
        self._copies = copies
        self._lines = lines
        self._renew = renew
        self._wake = wake
        self._clock = clock
        self._ids = ids
        self._phones = phones

    def __call__(self, zone: Zone, visitor_id: str, gen: int, known: Known | None = None) -> Session | Waiting:
        """The visitor's session (asked again: the same one) or Waiting. `known` is what the visitor's token proves.

        Raises UnknownVisitor, Forbidden (revoked), Moved, Lapsed, HardEnd, RunOver, SoldOut, AlreadyCompleted,
        PhoneNeeded for one who is called and has confirmed no number, and Unsure when the answer of a write was lost:
        asking again is safe.
        """
        item = self._queue.get(zone.zone_id, zone.run, visitor_id)
        if item is None:
            raise UnknownVisitor
        if item.gen > gen:
            raise Moved
        gate = self._copies.recent(zone)
        self._wake(zone, gate)
        if item.status == "admitted":
            return self._again(zone, item)
        return self._first(zone, self._lines.placed(item, gate, known), gate)

    def _first(self, zone: Zone, item: QueueItem, gate: GateItem) -> Session | Waiting:
        now_ms = self._clock.now_ms()
        _refuse_ended(zone, item, gate, now_ms)
        hard_end_at_ms = now_ms + zone.session.max_sec * 1000
        kind = zone.session.kind
        bucket = lease_bucket(now_ms, zone.lease_sec(kind, first=True), hard_end_at_ms, gate.width_sec)
        if item.position is None or not gate.can_claim(item.lane, item.position, bucket):
            return self._wait(zone, item, gate)
        if zone.phone is not None:
            self._refuse_without_phone(zone, item)
        answer = self._gates.claim(zone.zone_id, zone.run, bucket, item.lane, item.position)
        if answer is Answer.UNSURE:
            raise Unsure
        if answer is Answer.NO:
            gate = self._copies.current(zone)
            _refuse_ended(zone, item, gate, now_ms)
            return self._wait(zone, item, gate)
        attempt, sid = self._ids.attempt_id(), self._ids.session_id()
        with self._gates.counted(zone.zone_id, zone.run, bucket):
            won = self._queue.admit(
                item, sid=sid, bucket=bucket, hard_end_at_ms=hard_end_at_ms, kind=kind, attempt=attempt, now_ms=now_ms
            )
        stored = replace(
            item,
            status="admitted",
            sid=sid,
            bucket=bucket,
            hard_end_at_ms=hard_end_at_ms,
            lease_kind=kind,
            admitted_at_ms=now_ms,
            attempt=attempt,
        )
        return self._settle(zone, stored, won, gate.width_sec, "claim")

    def _refuse_without_phone(self, zone: Zone, item: QueueItem) -> None:
        """Whose a number is, its own record says and not the place: it may have gone to another place meanwhile."""
        owner = self._phones.owner(zone.zone_id, zone.run, item.phone) if item.phone else None
        if owner != item.visitor_id:
            if item.phone:
                # From now on the place says so itself, and the page asks.
                attempt, now_ms = self._ids.attempt_id(), self._clock.now_ms()
                self._queue.verify_phone(item, phone="", attempt=attempt, now_ms=now_ms)
            raise PhoneNeeded("Confirm a phone number on the waiting page before the time for this place has run out.")

    def _again(self, zone: Zone, item: QueueItem) -> Session | Waiting:
        """A visitor who is in, or was: the same session, with a new lease if the old one has ended."""
        try:
            return self._renew(zone, item.visitor_id, item.sid or "", early=False)
        except Lapsed:
            pass
        gate, now_ms = self._copies.current(zone), self._clock.now_ms()
        current = self._queue.get(zone.zone_id, zone.run, item.visitor_id)
        if current is None or current.status != "admitted":
            raise Lapsed
        if current.lease > gate.closed_to:
            return session_of(current, gate.width_sec)
        if now_ms >= (current.hard_end_at_ms or 0):
            raise HardEnd
        if not may_return(current, gate, zone.claim.grace_sec, now_ms):
            raise Lapsed
        if zone.control in ("end", "pause", "lock", "pass") or gate.claimed >= gate.limit:
            return self._wait(zone, current, gate)
        lease = zone.lease_sec(current.lease_kind, first=False)
        bucket = lease_bucket(now_ms, lease, current.hard_end_at_ms or 0, gate.width_sec)
        answer = self._gates.claim(zone.zone_id, zone.run, bucket, lane=None, position=0)
        if answer is Answer.UNSURE:
            raise Unsure
        if answer is Answer.NO:
            return self._wait(zone, current, self._copies.current(zone))
        attempt = self._ids.attempt_id()
        with self._gates.counted(zone.zone_id, zone.run, bucket):
            won = self._queue.readmit(current, bucket=bucket, attempt=attempt, now_ms=now_ms)
        return self._settle(zone, replace(current, bucket=bucket, attempt=attempt), won, gate.width_sec, "readmit")

    def _settle(self, zone: Zone, mine: QueueItem, won: Answer, width_sec: int, verb: str) -> Session:
        """What a claim ends in once a lease is counted for it: mine, or the session that was faster."""
        if won is Answer.YES or (won is Answer.UNSURE and self._queue.arrived(mine, mine.attempt)):
            return session_of(mine, width_sec)
        if won is Answer.UNSURE:
            # The write may still arrive, so its lease stays counted; it ends with its bucket.
            self._gates.phantom(zone.zone_id, zone.run, mine.lease, verb=verb)
            raise Unsure
        self._gates.release(zone.zone_id, zone.run, mine.lease)
        stored = self._queue.get(zone.zone_id, zone.run, mine.visitor_id)
        if stored is None:
            raise Unsure
        if stored.gen > mine.gen:
            raise Moved
        if stored.status != "admitted":
            raise Lapsed
        return session_of(stored, width_sec)

    def _wait(self, zone: Zone, item: QueueItem, gate: GateItem) -> Waiting:
        """Not now. The more are called and not in, the longer the pause, each a little different."""
        status = status_now(item, gate, zone.claim.grace_sec, self._clock.now_ms())
        base = max(1.0, gate.state.door_sec() / 2)
        retry_after_sec = min(LONGEST_RETRY_SEC, math.ceil(base * (0.75 + self._ids.jitter() / 2)))
        return Waiting("called" if status == "admitted" else status, item.position, retry_after_sec)


def _refuse_ended(zone: Zone, item: QueueItem, gate: GateItem, now_ms: int) -> None:
    if item.status == "revoked":
        raise Forbidden("This visitor may not take part.")
    if item.status == "completed":
        raise AlreadyCompleted
    if item.status == "left" or status_now(item, gate, zone.claim.grace_sec, now_ms) == "lapsed":
        raise Lapsed
    if zone.control == "end":
        raise RunOver
    if gate.state.phase == "sold_out":
        raise SoldOut
