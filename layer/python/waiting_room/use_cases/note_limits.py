"""Note limits: what was refused to whom it was too much, and what would have been, by reason. Nobody is named.

Reasons are the `counts_as` of errors: `again` (a place taken again too soon), `network`, `machine:CLASS`,
`proof`, `identity`, `purchases`; `machine_claim:CLASS` is only observed. Whoever adds a limit gives its error such a
word, and calls `observed` where it only looks.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from waiting_room.adapters.limit_counts import SLOTS, LimitCounts
from waiting_room.domain.errors import Overloaded, WaitingRoomError
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids

NOTE_MS = 2_000
"""How often an instance writes down what it counted, at most: being refused must not be a way to write."""

logger = logging.getLogger(__name__)


class NoteLimits:
    """Counts in the instance, and writes down now and then: the numbers are never too high, and may be a little low."""

    def __init__(self, counts: LimitCounts, clock: Clock, ids: Ids) -> None:
        self._counts = counts
        self._clock = clock
        self._slot = int(ids.jitter() * SLOTS)
        self._counted: dict[tuple[str, int], Counter[tuple[str, str]]] = {}
        self._noted_at_ms: dict[tuple[str, int], int] = {}

    @contextmanager
    def around(self, zone: Zone) -> Iterator[None]:
        """Around what may refuse somebody: counts an error that enforces a limit."""
        try:
            yield
        except WaitingRoomError as error:
            if error.counts_as:
                self._count(zone, "refused", [error.counts_as])
            raise

    def observed(self, zone: Zone, reasons: Iterable[str]) -> None:
        """Count what would have been refused if the zone did more than look."""
        self._count(zone, "observed", reasons)

    def _count(self, zone: Zone, done: str, reasons: Iterable[str]) -> None:
        key, now_ms = (zone.zone_id, zone.run), self._clock.now_ms()
        counted = self._counted.setdefault(key, Counter())
        counted.update((done, reason) for reason in reasons)
        if not counted or 0 <= now_ms - self._noted_at_ms.get(key, -NOTE_MS) < NOTE_MS:
            return
        self._noted_at_ms[key] = now_ms
        try:
            self._counts.add(*key, self._slot, counted, now_ms)
        except Overloaded:
            logger.warning("enforced limits could not be noted", extra={"zone_id": zone.zone_id})
        else:
            counted.clear()
