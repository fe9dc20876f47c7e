"""Mark away: note when a waiting visitor hid the page, to learn when people give up."""

from __future__ import annotations

from waiting_room.adapters.queue import Queue
from waiting_room.domain.zones import Zone
from waiting_room.ports import Clock


class MarkAway:
    """Best effort: a lost note changes nothing for the visitor."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock

    def __call__(self, zone: Zone, visitor_id: str) -> None:
        """Store the moment if the visitor waits; of somebody unknown, nothing."""
        item = self._queue.get(zone.zone_id, zone.run, visitor_id)
        if item is not None and item.status == "waiting":
            self._queue.mark_away(item, self._clock.now_ms())
