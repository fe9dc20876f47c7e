"""Scenarios with positions that nobody stands at any more: an account that leaves and joins, or a thousand of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scripts.simulation.functions import Refused
from scripts.simulation.kernel import Crash
from scripts.simulation.occupancy import queueing
from scripts.simulation.simulation import Action, Scenario, Simulation
from scripts.visitors.arrivals import flash
from scripts.visitors.habits import Habits
from waiting_room.domain.errors import WaitingRoomError

NAME = "account".ljust(22, "-")
PRESENT = Habits(stay_sec=(20, 20))
QUICK_VISITS = Habits(stay_sec=(5, 5))
GONE = Habits(absent_share=1.0)
LIVELY_SEC = 240
"""So long visitors come and go before: the show-up share has learnt that everybody comes."""


@dataclass
class Account:
    """One visitor id that takes places and gives them up, as fast as it is answered."""

    simulation: Simulation
    until_ms: int
    positions: int = 0

    @property
    def broken(self) -> Sequence[str]:
        """Nothing of its own: what it costs others is theirs to tell."""
        return ()

    def figures(self) -> dict[str, float]:
        """How many positions it got."""
        return {"positions_of_account": self.positions}

    def hammer(self) -> None:
        """The job: it heeds no Retry-After."""
        venue, kernel = self.simulation.venue, self.simulation.kernel
        while kernel.now_ms < self.until_ms:
            try:
                place = venue.deployment.request(lambda bouncer: bouncer.join(venue.zone, NAME))
                self.positions += place.new
                venue.deployment.request(lambda bouncer: bouncer.leave(venue.zone, NAME))
            except (WaitingRoomError, Refused, Crash):
                pass
            kernel.sleep(0.1)


def leaves_and_joins(seconds: int) -> Action:
    """One account does nothing else for so long."""

    def act(simulation: Simulation) -> None:
        account = Account(simulation, simulation.kernel.now_ms + seconds * 1000)
        simulation.also_measured.append(account)
        simulation.kernel.start(account.hammer)

    return act


_AFTER_A_LIVELY_HOUR = Scenario(
    name="1,000 phantoms, then one visitor",
    about="room for 5, empty: 60 come and go, then 1,000 positions are taken and left, then one visitor comes",
    zone=queueing(5),
    groups=(
        (flash(60, LIVELY_SEC), QUICK_VISITS),
        (flash(1000, 10, from_sec=LIVELY_SEC + 40), GONE),
        (flash(1, 1, from_sec=LIVELY_SEC + 51), PRESENT),
    ),
    seconds=LIVELY_SEC + 400,
)
PHANTOMS = (
    _AFTER_A_LIVELY_HOUR,
    replace(
        _AFTER_A_LIVELY_HOUR,
        name="1,000 phantoms in a new room, then one visitor",
        about="the same in a room that nobody came to before",
        groups=((flash(1000, 10, from_sec=5), GONE), (flash(1, 1, from_sec=16), PRESENT)),
        seconds=400,
    ),
    Scenario(
        name="one account leaves and joins for ten minutes",
        about="as fast as it is answered, in an empty room for 5; then one visitor comes",
        zone=queueing(5),
        groups=((flash(1, 1, from_sec=605), PRESENT),),
        actions=((5, leaves_and_joins(600)),),
        seconds=800,
    ),
)
