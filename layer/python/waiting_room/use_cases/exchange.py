"""Exchange: one exchanger run. Ticks its zones every second until they are idle or its time is up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from waiting_room.adapters.counters import LOCK_SEC, Locks
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.tick import TickZone

RUN_SEC = 90
TICK_MS = 1_000
IDLE_TICKS = 3
"""Idle ticks in a row before a zone is left alone: a join just under way shows in the next."""

logger = logging.getLogger(__name__)


class Exchange:
    """Holds each zone's lock while it ticks it; beside a live exchanger it only waits to take over."""

    def __init__(self, tick: TickZone, locks: Locks, clock: Clock, ids: Ids, sleep: Callable[[float], None]) -> None:
        self._tick = tick
        self._locks = locks
        self._clock = clock
        self._ids = ids
        self._sleep = sleep

    def __call__(self, zone_ids: Sequence[str], run_sec: int = RUN_SEC) -> int:
        """Tick these zones for at most `run_sec` seconds; returns the number of ticks won."""
        owner = self._ids.attempt_id()
        ends_at_ms = self._clock.now_ms() + run_sec * 1000
        idle_ticks = dict.fromkeys(zone_ids, 0)
        held_until_ms: dict[str, int] = {}
        won = 0
        while idle_ticks and self._clock.now_ms() < ends_at_ms:
            began_at_ms = self._clock.now_ms()
            for zone_id in list(idle_ticks):
                won += self._one(zone_id, owner, idle_ticks, held_until_ms)
            self._sleep(max(0.0, (began_at_ms + TICK_MS - self._clock.now_ms()) / 1000))
        for zone_id in idle_ticks:
            self._locks.release(zone_id, owner)
        return won

    def _one(self, zone_id: str, owner: str, idle_ticks: dict[str, int], held_until_ms: dict[str, int]) -> bool:
        """One zone's part of a round. A failure is logged and costs this zone one tick, the others nothing."""
        try:
            now_ms = self._clock.now_ms()
            if held_until_ms.get(zone_id, 0) - now_ms < LOCK_SEC * 500:
                if not self._locks.hold(zone_id, owner, now_ms):
                    return False
                held_until_ms[zone_id] = now_ms + LOCK_SEC * 1000
            ticked = self._tick(zone_id)
        except Exception:
            logger.exception("tick failed", extra={"zone_id": zone_id})
            return False
        idle_ticks[zone_id] = idle_ticks[zone_id] + 1 if ticked.idle else 0
        if idle_ticks[zone_id] >= IDLE_TICKS:
            del idle_ticks[zone_id]
            self._locks.release(zone_id, owner)
        return ticked.won
