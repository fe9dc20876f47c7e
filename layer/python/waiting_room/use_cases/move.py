"""Move: a place goes to another device of its visitor. The link works once, for it names the place's generation."""

from __future__ import annotations

from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Lapsed, LinkUsed, Moved, UnknownVisitor, Unsure
from waiting_room.domain.line.places import QueueItem
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids

LINK_SEC = 600
"""How long a link can be opened: long enough to find the other device, short enough to be forgotten in a chat."""


class Move:
    """Raises the generation of a place: from then on tokens of earlier ones are refused."""

    def __init__(self, queue: Queue, clock: Clock, ids: Ids) -> None:
        self._queue = queue
        self._clock = clock
        self._ids = ids

    def check(self, zone: Zone, visitor_id: str, gen: int) -> None:
        """See that a visitor still has the place, on this device and waiting, so that it can be moved.

        Raises UnknownVisitor, Moved, and Lapsed for a place that does not wait any more.
        """
        item = self._waiting(zone, visitor_id)
        if item.gen > gen:
            raise Moved

    def __call__(self, zone: Zone, visitor_id: str, gen: int) -> int:
        """Move the place that was of this generation when the link was made; returns its new generation.

        Raises LinkUsed, UnknownVisitor, Lapsed, and Unsure when the answer was lost: the link may have been used up.
        """
        item = self._waiting(zone, visitor_id)
        if item.gen != gen:
            raise LinkUsed
        attempt = self._ids.attempt_id()
        answer = self._queue.move(item, attempt=attempt, now_ms=self._clock.now_ms())
        if answer is Answer.YES:
            return gen + 1
        stored = self._waiting(zone, visitor_id)
        if stored.attempt == attempt:
            return stored.gen
        if answer is Answer.UNSURE or stored.gen == gen:
            raise Unsure
        raise LinkUsed

    def _waiting(self, zone: Zone, visitor_id: str) -> QueueItem:
        item = self._queue.get(zone.zone_id, zone.run, visitor_id)
        if item is None:
            raise UnknownVisitor
        if item.status != "waiting":
            raise Lapsed("Only a place that waits can be moved.")
        return item
