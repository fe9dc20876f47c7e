"""Erase: everything that is stored of one visitor, when that person asks for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from waiting_room.adapters.phones import Phones
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import NotReady, UnknownVisitor, UnknownZone, Unsure
from waiting_room.domain.zone.zones import Zone
from waiting_room.use_cases.leave import TRIES, EndPlace

MOST_RUNS = 50
"""The newest runs looked at; places of older ones have expired."""

OVER = {"left", "completed", "revoked"}


class Erase:
    """Ends the place, so that its room goes to the next visitor, and deletes it, in every run there may be one.

    With the place go how often it was taken again, and the hashes of account, network and browser. What stays for a
    day at most is a revocation, if the visitor was barred: an id and a reason, no person. Counts of a network stay with
    the hashes of its last four places, which lead nowhere once the place is gone.
    """

    def __init__(
        self,
        zones: ProtectedZones,
        queue: Queue,
        end_place: EndPlace,
        cancel_alerts: Callable[[Zone, str], None],
        phones: Phones,
    ) -> None:
        self._zones = zones
        self._queue = queue
        self._end_place = end_place
        self._cancel_alerts = cancel_alerts
        self._phones = phones

    def __call__(self, zone_id: str, visitor_id: str) -> int:
        """How many places were erased; done twice it is the same. Raises UnknownZone, Unsure."""
        zone = self._zones.get(zone_id)
        if zone is None:
            raise UnknownZone
        # While the place is there to say where they are filed; those of earlier runs have expired.
        with contextlib.suppress(NotReady):
            self._cancel_alerts(zone, visitor_id)
        with contextlib.suppress(UnknownVisitor):
            self._end_place(zone, visitor_id, self._queue.leave, OVER)
        return sum(self._erased(zone, run, visitor_id) for run in range(max(1, zone.run - MOST_RUNS + 1), zone.run + 1))

    def _erased(self, zone: Zone, run: int, visitor_id: str) -> bool:
        for _ in range(TRIES):
            item = self._queue.get(zone.zone_id, run, visitor_id)
            if item is None:
                return False
            if run == zone.run and item.status not in OVER:
                # Back in line meanwhile: ended once more, for a lease must not be counted for nobody.
                self._end_place(zone, visitor_id, self._queue.leave, OVER)
            else:
                if item.phone:
                    self._phones.release(zone.zone_id, run, item.phone, visitor_id)
                if self._queue.erase(item) is Answer.YES:
                    return True
        raise Unsure
