"""Confirm: the site's server ties a session to a purchase, and completes it (PROTOCOL, Complete)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from waiting_room.adapters.counters import SOLD_SLOTS
from waiting_room.adapters.exits import Exits
from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Forbidden, Lapsed, ReferenceUsed, Unsure
from waiting_room.domain.leases import pin_bucket
from waiting_room.domain.line.places import QueueItem
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.leave import TRIES


@dataclass(frozen=True)
class Confirmation:
    """What the site's server is told; `status` is `admitted` or `completed`."""

    zone_id: str
    visitor_id: str
    session_id: str
    reference: str
    status: str


class Confirm:
    """One session, one reference. With `checkout` the session is completed, and its exit noted."""

    def __init__(self, gates: Gates, exits: Exits, queue: Queue, copies: GateCopies, clock: Clock, ids: Ids) -> None:
        self._gates = gates
        self._exits = exits
        self._queue = queue
        self._copies = copies
        self._clock = clock
        self._ids = ids

    def __call__(
        self, zone: Zone, visitor_id: str, sid: str, expires_at_sec: int, reference: str, *, checkout: bool
    ) -> Confirmation:
        """Confirm a session by the claims of its access token; the same reference again gets the same answer.

        Raises Lapsed for a session that ended, ReferenceUsed for another reference, Forbidden when revoked,
        Unsure when an answer was lost: asking again is safe.
        """
        for _ in range(TRIES):
            item = self._queue.get(zone.zone_id, zone.run, visitor_id)
            done = self._known(item, sid, reference, checkout=checkout)
            if done is not None:
                return done
            if item is None or self._clock.now_ms() >= expires_at_sec * 1000:
                raise Lapsed
            attempt = self._ids.attempt_id()
            answer = self._complete(zone, item, reference, attempt) if checkout else self._tie(item, reference, attempt)
            if answer is Answer.YES:
                return _confirmation(item, reference, "completed" if checkout else "admitted")
            if answer is Answer.UNSURE:
                raise Unsure
        raise Unsure

    def _known(self, item: QueueItem | None, sid: str, reference: str, *, checkout: bool) -> Confirmation | None:
        """The answer that is known without a write, if there is one."""
        if item is not None and item.status == "revoked":
            raise Forbidden("This session was revoked.")
        if item is None or item.sid != sid or item.status not in ("admitted", "completed"):
            raise Lapsed
        if item.reference not in (None, reference):
            raise ReferenceUsed
        if item.status == "completed" or (item.reference == reference and not checkout):
            return _confirmation(item, reference, item.status)
        return None

    def _tie(self, item: QueueItem, reference: str, attempt: str) -> Answer:
        return self._queue.confirm(item, reference=reference, attempt=attempt, now_ms=self._clock.now_ms())

    def _complete(self, zone: Zone, item: QueueItem, reference: str, attempt: str) -> Answer:
        if zone.inventory is None:
            answer = self._queue.complete(item, reference=reference, attempt=attempt, now_ms=self._clock.now_ms())
            answer = self._know(item, attempt, answer)
            if answer is Answer.YES:
                self._exit(zone, item)
            if answer is Answer.UNSURE:
                self._gates.phantom(zone.zone_id, zone.run, item.lease, verb="complete")
            return answer
        return self._sell(zone, item, reference, attempt)

    def _sell(self, zone: Zone, item: QueueItem, reference: str, attempt: str) -> Answer:
        """Keep the lease counted until the sale is surely counted: a tick must see the one or the other."""
        now_ms = self._clock.now_ms()
        pin = pin_bucket(now_ms, self._copies.recent(zone).width_sec)
        if item.lease >= pin:
            # It is counted as long as a pin would be: nobody releases it while the place is as it was read.
            pin = item.lease
            answer = self._record(item, reference, attempt, now_ms)
        else:
            held = self._gates.hold(zone.zone_id, zone.run, pin, while_open=item.lease, verb="complete")
            if held is Answer.NO:
                raise Lapsed
            if held is Answer.UNSURE:
                return held
            with self._gates.counted(zone.zone_id, zone.run, pin):
                answer = self._record(item, reference, attempt, now_ms)
        answer = self._know(item, attempt, answer)
        if answer is Answer.UNSURE:
            self._gates.phantom(zone.zone_id, zone.run, pin, verb="complete")
        elif pin != item.lease:
            self._gates.release(zone.zone_id, zone.run, pin)
        if answer is Answer.YES:
            self._exit(zone, item)
        return answer

    def _record(self, item: QueueItem, reference: str, attempt: str, now_ms: int) -> Answer:
        slot = zlib.crc32(item.visitor_id.encode()) % SOLD_SLOTS
        return self._queue.complete_with_sale(item, reference=reference, slot=slot, attempt=attempt, now_ms=now_ms)

    def _exit(self, zone: Zone, item: QueueItem) -> None:
        """The session is over, and its token is not: its lease goes on being counted."""
        now_ms = self._clock.now_ms()
        self._exits.add(zone.zone_id, zone.run, item.sid or "", item.lease, now_ms, verb="complete")

    def _know(self, item: QueueItem, attempt: str, answer: Answer) -> Answer:
        """A lost answer is known after all when the item carries this attempt."""
        return Answer.YES if answer is Answer.UNSURE and self._queue.arrived(item, attempt) else answer


def _confirmation(item: QueueItem, reference: str, status: str) -> Confirmation:
    return Confirmation(item.zone_id, item.visitor_id, item.sid or "", reference, status)
