"""Mark away: note when a waiting visitor hides the page and comes back, to learn when people give up."""

from __future__ import annotations

from waiting_room.adapters.counters import Departures
from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.domain.line.places import QueueItem
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock


class MarkAway:
    """Best effort: a lost note changes nothing for the visitor. Of somebody unknown nothing is noted."""

    def __init__(self, queue: Queue, departures: Departures, clock: Clock) -> None:
        self._queue = queue
        self._departures = departures
        self._clock = clock

    def __call__(self, zone: Zone, visitor_id: str) -> None:
        """Note that a visitor who waits left. Told twice it counts once; the wait until then is counted with it."""
        item = self._queue.get(zone.zone_id, zone.run, visitor_id)
        if item is None or item.status != "waiting":
            return
        now_ms = self._clock.now_ms()
        if self._queue.mark_away(item, now_ms) is Answer.YES and not item.away_at_ms:
            waited_sec = (now_ms - item.joined_at_ms) // 1000
            self._count(zone, item, now_ms, away=1, back=0, wait_sec=waited_sec)

    def back(self, zone: Zone, visitor_id: str) -> None:
        """Note that a visitor who had left is here again: that wait was not given up."""
        item = self._queue.get(zone.zone_id, zone.run, visitor_id)
        if item is None or item.status != "waiting" or not item.away_at_ms:
            return
        if self._queue.mark_away(item, 0) is Answer.YES:
            waited_sec = (item.away_at_ms - item.joined_at_ms) // 1000
            self._count(zone, item, self._clock.now_ms(), away=0, back=1, wait_sec=-waited_sec)

    def _count(self, zone: Zone, item: QueueItem, now_ms: int, **numbers: int) -> None:
        self._departures.count(zone.zone_id, zone.run, item.lane, item.visitor_id, now_ms, **numbers)
