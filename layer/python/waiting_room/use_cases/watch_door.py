"""Watch the door: look at it from outside every few seconds while a zone is ticked (PROTOCOL, The door)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from waiting_room.adapters.refusals import Refusals
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import Clock, DoorProbe

LOOK_MS = 2_000

logger = logging.getLogger(__name__)


@dataclass
class _Looks:
    """One run's: when the last look began, what it told and nobody took yet, the numbers of claims when it began."""

    began_at_ms: int = 0
    busy: bool = False
    told: bool | None = None
    refused: int | None = None
    claimed: int = 0


class WatchDoor:
    """Tells what looks found out. `start` begins a look and does not wait for it: no tick is late for a slow door."""

    def __init__(
        self, probe: DoorProbe, refusals: Refusals, clock: Clock, start: Callable[[Callable[[], None]], object]
    ) -> None:
        self._probe = probe
        self._refusals = refusals
        self._clock = clock
        self._start = start
        self._looks: dict[tuple[str, int], _Looks] = {}

    def __call__(self, zone_id: str, run: int, claimed: int) -> bool | None:
        """What the last look found, told once; None for no news. Begins the next one where it is time.

        `claimed` are the claims of the run so far.
        """
        looks = self._looks.setdefault((zone_id, run), _Looks())
        told, looks.told = looks.told, None
        if not looks.busy and self._clock.now_ms() - looks.began_at_ms >= LOOK_MS:
            looks.busy, looks.began_at_ms = True, self._clock.now_ms()
            self._start(lambda: self._look(zone_id, run, claimed, looks))
        return told

    def _look(self, zone_id: str, run: int, claimed: int, looks: _Looks) -> None:
        try:
            through = self._probe.gets_through(zone_id)
            looks.told = through and not self._mostly_refused(zone_id, run, claimed, looks)
        except Exception:
            logger.exception("the door could not be looked at", extra={"zone_id": zone_id})
        finally:
            looks.busy = False

    def _mostly_refused(self, zone_id: str, run: int, claimed: int, looks: _Looks) -> bool:
        """Whether since the last look more claims were refused by a fault of ours than served."""
        try:
            refused = self._refusals.total(zone_id, run)
        except Overloaded:
            logger.warning("refused claims could not be read", extra={"zone_id": zone_id})
            return True
        before, looks.refused = looks.refused, refused
        served, looks.claimed = claimed - looks.claimed, claimed
        return before is not None and refused - before > served
