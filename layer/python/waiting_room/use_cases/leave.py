"""Leave and revoke: end a place. Its room goes to the next visitor once its token opens nothing (PROTOCOL, Exits)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from waiting_room.adapters.exits import Exits
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import UnknownVisitor, Unsure
from waiting_room.domain.line.places import QueueItem
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids

TRIES = 4
"""Reads and compare-and-sets before a busy item is given up: each loss means another request of the same visitor."""

REVOKED_SID = "revocation#sid#"
REVOKED_VISITOR = "revocation#visitor#"


class EndPlace:
    """Ends a place by compare-and-set, then notes the exit of its session: in this order, and the second once."""

    def __init__(self, gates: Gates, exits: Exits, queue: Queue, clock: Clock, ids: Ids) -> None:
        self._gates = gates
        self._exits = exits
        self._queue = queue
        self._clock = clock
        self._ids = ids

    def __call__(self, zone: Zone, visitor_id: str, change: Callable[..., Answer], over: set[str]) -> QueueItem | None:
        """Apply `change` (a method of Queue) until the place is in one of the statuses `over`.

        Returns the item as it was read before, or None when it was over already. Raises UnknownVisitor, Unsure.
        """
        for _ in range(TRIES):
            item = self._queue.get(zone.zone_id, zone.run, visitor_id)
            if item is None:
                raise UnknownVisitor
            if item.status in over:
                return None
            attempt = self._ids.attempt_id()
            answer = change(item, attempt=attempt, now_ms=self._clock.now_ms())
            if answer is Answer.UNSURE and not self._queue.arrived(item, attempt):
                if item.status == "admitted":
                    self._gates.phantom(zone.zone_id, zone.run, item.lease, verb="leave")
                raise Unsure
            if answer is not Answer.NO:
                if item.status == "admitted" and item.sid:
                    now_ms = self._clock.now_ms()
                    self._exits.add(zone.zone_id, zone.run, item.sid, item.lease, now_ms, verb="leave")
                return item
        raise Unsure


class Leave:
    """A visitor goes: from the line or from the zone. Done twice it is the same."""

    def __init__(self, end_place: EndPlace, queue: Queue) -> None:
        self._end_place = end_place
        self._queue = queue

    def __call__(self, zone: Zone, visitor_id: str, sid: str | None = None) -> None:
        """End the place; with `sid` only if it is that session."""
        if sid is not None:
            item = self._queue.get(zone.zone_id, zone.run, visitor_id)
            if item is None or item.sid != sid:
                return
        with contextlib.suppress(UnknownVisitor):
            self._end_place(zone, visitor_id, self._queue.leave, {"left", "completed", "revoked"})


class Bar:
    """An operator bars a visitor from the run; a live session ends."""

    def __init__(self, end_place: EndPlace, queue: Queue) -> None:
        self._end_place = end_place
        self._queue = queue

    def __call__(self, zone: Zone, visitor_id: str) -> None:
        """End the place as revoked; raises UnknownVisitor. Done twice it is the same."""
        self._end_place(zone, visitor_id, self._queue.revoke, {"revoked"})
