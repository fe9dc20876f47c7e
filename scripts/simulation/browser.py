"""A browser that asks until it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from scripts.simulation.deployment import Bouncer
from scripts.simulation.habits import Habits
from scripts.simulation.kernel import Crash
from waiting_room.domain.errors import NotReady, Overloaded, Unsure
from waiting_room.domain.zones import Zone

if TYPE_CHECKING:
    from scripts.simulation.crowd import Crowd

T = TypeVar("T")
LONGEST_BACKOFF_SEC = 30.0
_TRY_AGAIN = (Overloaded, Unsure, NotReady, Crash)


class Browser:
    """Requests of one visitor; each meets any instance of the token service."""

    __slots__ = ("crowd", "habits", "name")

    def __init__(self, crowd: Crowd, name: str, habits: Habits) -> None:
        self.crowd = crowd
        self.name = name
        self.habits = habits

    def ask(self, verb: Callable[[Bouncer, Zone], T]) -> T:
        """Send a request until it is answered; a repeat may follow one that went through."""
        crowd, failures = self.crowd, 0
        while True:
            bouncer = crowd.deployment.bouncer()
            try:
                answer = verb(bouncer, bouncer.zones.get(crowd.zone_id))
            except _TRY_AGAIN:
                failures += 1
            else:
                if not self.habits.lost_answers or crowd.rng.random() >= self.habits.lost_answers:
                    return answer
                failures += 1
            pause_sec = min(LONGEST_BACKOFF_SEC, 2.0 ** (failures - 1)) * (1 + crowd.rng.random() / 2)
            crowd.kernel.sleep(pause_sec)
