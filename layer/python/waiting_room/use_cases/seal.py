"""Seal: turn the numbers taken since the last epoch into positions (PROTOCOL, Epochs)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from waiting_room.adapters.counters import Joins
from waiting_room.adapters.gates import Gates
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.line.epochs import SEAL_MS, Epoch, before_all, next_epoch
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock

TRIES = 4
"""Epochs lost to another exchanger before closing the early joiners is left to the next tick."""
COLD_START_MS = 2_000
"""An exchanger that was woken ticks by then."""

logger = logging.getLogger(__name__)


class Seal:
    """Seals the lanes of a run. Of several exchangers one writes each epoch; the others take over what it wrote."""

    def __init__(self, joins: Joins) -> None:
        self._joins = joins
        self._last: dict[tuple[str, int, str], Epoch] = {}

    def __call__(
        self, zone_id: str, run: int, lanes: Iterable[str], shards: int, *, close: bool = False
    ) -> dict[str, Epoch]:
        """The epoch stored last, by lane, after sealing what was joined.

        A lane that somebody else has sealed meanwhile, who may have looked at its counters earlier, is sealed again.
        With `close` every lane's early joiners are counted then, once and for all; raises Overloaded when a
        counter could not be read, or others were faster each time and none of them closed.
        """
        sealed: dict[str, Epoch] = {}
        left = list(lanes)
        for attempt in range(TRIES):
            # Last epoch first, counters second: whatever is read of a counter is new to that epoch or in it.
            lasts = {lane: self._latest(zone_id, run, lane, shards) for lane in left}
            taken, complete = self._joins.taken(zone_id, run, left, shards)
            if close and not complete:
                # Somebody early whose counter was not read would be counted among the late.
                raise Overloaded
            lost = []
            for lane, last in lasts.items():
                epoch = next_epoch(last, taken[lane], close=close)
                sealed[lane] = self._one(zone_id, run, lane, last, epoch)
                if epoch is not None and sealed[lane] != epoch:
                    lost.append(lane)
            again = lost if attempt == 0 else []
            left = [lane for lane in left if sealed[lane].early is None] if close else again
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


class SealMeanwhile:
    """Seals a line from the moment an exchanger is woken until it ticks: its cold start lasts several epochs.

    Whoever woke it does so, within their own request and for COLD_START_MS at most: nobody else waits.
    """

    def __init__(self, joins: Joins, gates: Gates, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._joins = joins
        self._gates = gates
        self._clock = clock
        self._sleep = sleep

    def __call__(self, zone: Zone) -> None:
        """Seal the lanes of the zone's run every SEAL_MS. What fails is logged and left to the exchanger."""
        try:
            self._seal(zone)
        except Overloaded:
            logger.warning("nobody seals until the exchanger is up", extra={"zone_id": zone.zone_id})

    def _seal(self, zone: Zone) -> None:
        seal, began_at_ms = Seal(self._joins), self._clock.now_ms()
        woken = gate = self._gates.read(zone.zone_id, zone.run)
        # The number of turns bounds it as well, for a clock may stand still or be set back.
        for _ in range(COLD_START_MS // SEAL_MS):
            if woken is None or gate is None or gate.tick != woken.tick or gate.awaits_draw:
                return
            if self._clock.now_ms() - began_at_ms >= COLD_START_MS:
                return
            seal(zone.zone_id, zone.run, zone.lanes, gate.shards)
            self._sleep(SEAL_MS / 1000)
            gate = self._gates.read(zone.zone_id, zone.run)
