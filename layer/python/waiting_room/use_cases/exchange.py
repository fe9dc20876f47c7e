"""Exchange: one exchanger run. Ticks its zones every second until they are idle or its time is up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from waiting_room.adapters.counters import LOCK_SEC, Locks
from waiting_room.domain.line.epochs import SEAL_MS
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.tick import TickZone

RUN_SEC = 90
TICK_MS = 1_000
IDLE_TICKS = 3
"""Idle ticks in a row before a zone is left alone: a join just under way shows in the next."""
LAST_TICKS_SEC = 15
"""How long ticks still under way are waited for at the end; the function is ended by its time-out soon after."""
LOOK_SEC = 0.05
READS_FIRST_MS = 20
"""About so long after its beginning a tick seals: gate item and zone are read before."""
SEALS_ON_MS = 2_000
"""After giving up the lock it is sealed on so long: the next exchanger tries for the lock once a second, and visitors'
copies of the gate item, by which they would wake one, are as old as this at most."""

logger = logging.getLogger(__name__)


class Exchange:
    """Holds each zone's lock while it ticks it; beside a live exchanger it only waits to take over.

    `start` begins a job and need not wait for it. Each zone has its own jobs, one at a time: a zone whose store is
    slow misses its own ticks and delays nobody else's.
    """

    def __init__(
        self,
        tick: TickZone,
        locks: Locks,
        clock: Clock,
        ids: Ids,
        sleep: Callable[[float], None],
        start: Callable[[Callable[[], None]], object] = lambda job: job(),
    ) -> None:
        self._tick = tick
        self._locks = locks
        self._clock = clock
        self._ids = ids
        self._sleep = sleep
        self._start = start

    def __call__(self, zone_ids: Sequence[str], run_sec: int = RUN_SEC) -> int:
        """Tick these zones for at most `run_sec` seconds; returns the number of ticks won."""
        owner = self._ids.attempt_id()
        zones = {
            zone_id: _Turns(zone_id, owner, self._tick, self._locks, self._clock, self._sleep) for zone_id in zone_ids
        }
        ends_at_ms = self._clock.now_ms() + run_sec * 1000
        while _going(zones.values()) and self._clock.now_ms() < ends_at_ms:
            began_at_ms = self._clock.now_ms()
            for zone in _going(zones.values()):
                if not zone.busy:
                    zone.busy = True
                    self._start(zone.take)
            self._sleep(max(0.0, (began_at_ms + TICK_MS - self._clock.now_ms()) / 1000))
        self._wait_for(zones.values())
        for zone in _going(zones.values()):
            zone.busy = True
            self._start(zone.hand_over)
        self._wait_for(zones.values())
        return sum(zone.won for zone in zones.values())

    def _wait_for(self, zones: Iterable[_Turns]) -> None:
        until_ms = self._clock.now_ms() + LAST_TICKS_SEC * 1000
        while any(zone.busy for zone in zones) and self._clock.now_ms() < until_ms:
            self._sleep(LOOK_SEC)


class _Turns:
    """One zone's part of a run."""

    def __init__(
        self,
        zone_id: str,
        owner: str,
        tick: TickZone,
        locks: Locks,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self.zone_id = zone_id
        self.busy = False
        self.done = False
        self.won = 0
        self._owner = owner
        self._tick = tick
        self._locks = locks
        self._clock = clock
        self._sleep = sleep
        self._held_until_ms = 0
        self._idle_ticks = 0
        self._seals = False

    def take(self) -> None:
        """One tick. A failure is logged and costs this zone one tick, the others nothing."""
        try:
            self._take()
        except Exception:
            logger.exception("tick failed", extra={"zone_id": self.zone_id})
        finally:
            self.busy = False

    def _take(self) -> None:
        now_ms = self._clock.now_ms()
        if self._held_until_ms - now_ms < LOCK_SEC * 500:
            if not self._locks.hold(self.zone_id, self._owner, now_ms):
                return
            self._held_until_ms = now_ms + LOCK_SEC * 1000
        ticked = self._tick(self.zone_id)
        self._seals = ticked.seals
        self.won += ticked.won
        self._idle_ticks = self._idle_ticks + 1 if ticked.idle else 0
        if self._idle_ticks >= IDLE_TICKS:
            self._rest()
        elif ticked.seals:
            self._seal_until(now_ms + TICK_MS)

    def _rest(self) -> None:
        """Leave the zone alone, unless somebody joined just before and found the lock held: nobody was woken then."""
        self._locks.release(self.zone_id, self._owner)
        last = self._tick(self.zone_id)
        self.won += last.won
        self.done = last.idle and not self._seal_on()
        self._held_until_ms = self._idle_ticks = 0

    def hand_over(self) -> None:
        """At the end of a run: give the lock to the next exchanger, and let no epoch grow long until it has it."""
        try:
            self._locks.release(self.zone_id, self._owner)
            self._seal_on()
        except Exception:
            logger.exception("zone was not handed over", extra={"zone_id": self.zone_id})
        finally:
            self.busy = False

    def _seal_on(self) -> bool:
        """Seal for a while without the lock; whether anybody joined meanwhile."""
        tails, began_at_ms = set(), self._clock.now_ms()
        for _ in range(SEALS_ON_MS // SEAL_MS if self._seals else 0):
            if self._clock.now_ms() - began_at_ms >= SEALS_ON_MS:
                break
            tails.add(self._tick.seal(self.zone_id))
            self._sleep(SEAL_MS / 1000)
        return len(tails) > 1

    def _seal_until(self, next_tick_ms: int) -> None:
        """Seal as often as fits between two ticks: the next tick seals too, and must not be missed."""
        due_ms = next_tick_ms - TICK_MS + READS_FIRST_MS + SEAL_MS
        while due_ms < next_tick_ms:
            now_ms = self._clock.now_ms()
            if not next_tick_ms - TICK_MS <= now_ms < next_tick_ms - SEAL_MS:
                return
            self._sleep(max(0, due_ms - now_ms) / 1000)
            self._tick.seal(self.zone_id)
            due_ms += SEAL_MS


def _going(zones: Iterable[_Turns]) -> list[_Turns]:
    return [zone for zone in zones if not zone.done]
