"""Seal: turn the numbers taken since the last epoch into positions (PROTOCOL, Epochs)."""

from __future__ import annotations

from collections.abc import Iterable

from waiting_room.adapters.counters import Joins
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.line.epochs import Epoch, before_all, next_epoch

TRIES = 4
"""Epochs lost to another exchanger before closing the early joiners is left to the next tick."""


class Seal:
    """Seals the lanes of a run. Of several exchangers one writes each epoch; the others take over what it wrote."""

    def __init__(self, joins: Joins) -> None:
        self._joins = joins
        self._last: dict[tuple[str, int, str], Epoch] = {}

    def __call__(
        self, zone_id: str, run: int, lanes: Iterable[str], shards: int, *, close: bool = False
    ) -> dict[str, Epoch]:
        """The epoch stored last, by lane, after sealing what was joined.

        With `close` every lane's early joiners are counted then, once and for all; raises Overloaded when a
        counter could not be read, or others were faster each time and none of them closed.
        """
        sealed: dict[str, Epoch] = {}
        left = list(lanes)
        for _ in range(TRIES):
            # Last epoch first, counters second: whatever is read of a counter is new to that epoch or in it.
            lasts = {lane: self._latest(zone_id, run, lane, shards) for lane in left}
            taken, complete = self._joins.taken(zone_id, run, left, shards)
            if close and not complete:
                # Somebody early whose counter was not read would be counted among the late.
                raise Overloaded
            for lane, last in lasts.items():
                epoch = next_epoch(last, taken[lane], close=close)
                sealed[lane] = self._one(zone_id, run, lane, last, epoch)
            left = [lane for lane in left if close and sealed[lane].early is None]
            if not left:
                return sealed
        raise Overloaded

    def _one(self, zone_id: str, run: int, lane: str, last: Epoch, epoch: Epoch | None) -> Epoch:
        if epoch is None:
            return last
        if self._joins.seal(zone_id, run, lane, last, epoch) is Answer.YES:
            self._last[zone_id, run, lane] = epoch
            return epoch
        # Somebody else's epoch, or our own whose answer was lost: what is stored counts.
        self._last.pop((zone_id, run, lane), None)
        return self._latest(zone_id, run, lane, len(last.cuts))

    def _latest(self, zone_id: str, run: int, lane: str, shards: int) -> Epoch:
        """The epoch stored last. A copy that is older by now only costs the write that finds it out."""
        key = (zone_id, run, lane)
        if key not in self._last:
            self._last[key] = self._joins.latest_epoch(zone_id, run, lane) or before_all(shards)
        return self._last[key]
