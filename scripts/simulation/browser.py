"""A browser that asks until it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from scripts.simulation.deployment import Bouncer, DoorShut
from scripts.simulation.kernel import Crash
from scripts.simulation.venue import Venue
from scripts.visitors.habits import Habits
from waiting_room.domain.errors import NotReady, Overloaded, Unsure
from waiting_room.domain.zone.zones import Zone

T = TypeVar("T")
LONGEST_BACKOFF_SEC = 30.0
_TRY_AGAIN = (Overloaded, Unsure, NotReady, Crash, DoorShut)


class Browser:
    """Requests of one visitor; each meets any instance of the token service."""

    __slots__ = ("habits", "name", "venue")

    def __init__(self, venue: Venue, name: str, habits: Habits) -> None:
        self.venue = venue
        self.name = name
        self.habits = habits

    def ask(self, verb: Callable[[Bouncer, Zone], T], pause: Callable[[float], None] | None = None) -> T:
        """Send a request until it is answered; a repeat may follow one that went through.

        `pause` waits about as many seconds as it is told before the next repeat.
        """
        venue, failures = self.venue, 0
        while True:
            try:
                bouncer = venue.deployment.api.bouncer()
                answer = verb(bouncer, bouncer.zones.get(venue.zone_id))
            except _TRY_AGAIN:
                failures += 1
            else:
                if not self.habits.lost_answer_share or venue.rng.random() >= self.habits.lost_answer_share:
                    return answer
                failures += 1
            pause_sec = min(LONGEST_BACKOFF_SEC, 2.0 ** (failures - 1)) * (1 + venue.rng.random() / 2)
            (pause or venue.kernel.sleep)(pause_sec)
