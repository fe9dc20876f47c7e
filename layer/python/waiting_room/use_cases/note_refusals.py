"""Note refusals: claims that came in at the door and could not be served by a fault of ours (PROTOCOL, The door)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from waiting_room.adapters.refusals import Refusals
from waiting_room.domain.errors import Overloaded, WaitingRoomError
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock

NOTE_MS = 2_000
"""How often an instance writes down what it counted, at most: a thousand of them must not throttle one item."""
SLOW_MS = 5_000
"""Behind a failure that took longer no further call is made: the answer must not be late as well."""

logger = logging.getLogger(__name__)


class NoteRefusals:
    """Counts in the instance, and writes down now and then."""

    def __init__(self, refusals: Refusals, clock: Clock) -> None:
        self._refusals = refusals
        self._clock = clock
        self._counted: dict[tuple[str, int], int] = {}
        self._noted_at_ms: dict[tuple[str, int], int] = {}

    @contextmanager
    def around(self, zone: Zone) -> Iterator[None]:
        """Around a claim: counts it if it fails for no reason that lies with the visitor or the line."""
        began_at_ms = self._clock.now_ms()
        try:
            yield
        except Exception as error:
            if isinstance(error, Overloaded) or not isinstance(error, WaitingRoomError):
                self._count(zone, began_at_ms)
            raise

    def _count(self, zone: Zone, began_at_ms: int) -> None:
        key, now_ms = (zone.zone_id, zone.run), self._clock.now_ms()
        self._counted[key] = self._counted.get(key, 0) + 1
        if now_ms - began_at_ms > SLOW_MS or 0 <= now_ms - self._noted_at_ms.get(key, -NOTE_MS) < NOTE_MS:
            return
        self._noted_at_ms[key] = now_ms
        try:
            self._refusals.count(*key, self._counted[key], now_ms)
        except Overloaded:
            logger.warning("refused claims could not be noted", extra={"zone_id": zone.zone_id})
        else:
            self._counted[key] = 0
