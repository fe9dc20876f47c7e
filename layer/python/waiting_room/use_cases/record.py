"""Record: what became of places in line, into the archive, the sums of each minute and the metrics (once each).

The archive comes first: it is what everything else can be counted again from. Each part may be done again for the same
change: archived rows carry the id of the change, sums remember which changes are in them, metrics take the newest.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from waiting_room.adapters.tallies import Tallies
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.record.changes import Change
from waiting_room.domain.record.visits import added_by, by_lane, total
from waiting_room.ports import Archive, Clock, MetricPoint, Metrics

logger = logging.getLogger(__name__)

SECOND_MS, MINUTE_MS = 1000, 60_000
REST_MS = 30_000
"""A metrics backend that did not answer is left alone for so long: the numbers wait in the minute rows."""


@dataclass(frozen=True)
class Recorded:
    """What was done with some changes, and the positions of those that have to come again."""

    archived: int
    again: frozenset[int]


class Record:
    """Takes changes in any order, any number of times."""

    def __init__(self, archive: Archive, tallies: Tallies, metrics: Metrics, clock: Clock) -> None:
        self._archive = archive
        self._tallies = tallies
        self._metrics = metrics
        self._clock = clock
        self._rests_until_ms = 0

    def __call__(self, changes: Sequence[Change]) -> Recorded:
        """Archive and count; never raises for a service that is down, but says which changes have to come again."""
        missed = self._archive.put([change.row for change in changes])
        uncounted, touched = self._count(changes)
        self._tell(touched)
        return Recorded(archived=len(changes) - len(missed), again=frozenset(missed | uncounted))

    def _count(self, changes: Sequence[Change]) -> tuple[set[int], set[tuple[str, int, int]]]:
        """Add to the sums of each second; the positions that could not be, and the minutes that have changed."""
        seconds: dict[tuple[str, int, int], dict[int, Change]] = {}
        for position, change in enumerate(changes):
            if added_by(change):
                key = (change.zone_id, change.run, change.happened_at_ms // SECOND_MS)
                seconds.setdefault(key, {})[position] = change
        uncounted: set[int] = set()
        touched: set[tuple[str, int, int]] = set()
        for (zone_id, run, second), own in seconds.items():
            try:
                self._tallies.add(zone_id, run, second, {each.event_id: added_by(each) for each in own.values()})
                touched.add((zone_id, run, second // 60))
            except Overloaded:
                uncounted |= own.keys()
        return uncounted, touched

    def _tell(self, touched: set[tuple[str, int, int]]) -> None:
        """Bring minute rows and metrics up to date. What fails here is told with the next change of the minute."""
        points = [point for key in sorted(touched) for point in self._summed(*key)]
        if not points or self._clock.now_ms() < self._rests_until_ms:
            return
        try:
            self._metrics.put(points)
        except Overloaded:
            self._rests_until_ms = self._clock.now_ms() + REST_MS
            logger.warning("metrics could not be told", extra={"points": len(points)})

    def _summed(self, zone_id: str, run: int, minute: int) -> list[MetricPoint]:
        try:
            return self._lanes(zone_id, run, minute)
        except Overloaded:
            logger.warning("a minute could not be summed up", extra={"zone_id": zone_id, "minute": minute})
            return []

    def _lanes(self, zone_id: str, run: int, minute: int) -> list[MetricPoint]:
        sums = self._tallies.sums(zone_id, run, minute)
        lanes, changes = by_lane(sums), total(sums)
        self._tallies.put_minute(zone_id, run, minute, changes, {"lanes": lanes})
        at_ms = minute * MINUTE_MS
        return [MetricPoint(zone_id, run, lane, at_ms, changes, values) for lane, values in lanes.items()]
