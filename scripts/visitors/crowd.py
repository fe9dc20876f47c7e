"""A crowd: visitors who arrive in a flash and then in a trickle, each with a plan drawn from one seed."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from .browser import open_client
from .event_log import EventLog
from .guest import Errand
from .habits import Habits
from .visitor import Visitor

IN_FLIGHT = 4
"""Requests of a crowd in flight. The local engine starts a process for every parallel one: a hundred take minutes."""
HASTY = Habits(
    absent_share=0.12,
    give_up_share=0.05,
    silent_share=0.04,
    button_share=0.25,
    stay_sec=(3.0, 6.0),
    patience_sec=(15.0, 60.0),
)
"""The demo's crowd: whoever watches it sees people come and go."""
LOOK_AROUND_SEC = (1.5, 3.0)
"""Of that crowd: about one more page in so short a stay."""


@dataclass(frozen=True)
class Arrivals:
    """`flash` visitors spread evenly at random over `flash_sec`, then one every `trickle_every_sec`, `trickle` more."""

    flash: int
    flash_sec: float = 5.0
    trickle: int = 0
    trickle_every_sec: float = 5.0

    def moments(self, dice: random.Random) -> list[float]:
        """Seconds after the beginning at which each visitor arrives, in order."""
        flash = sorted(dice.uniform(0, self.flash_sec) for _ in range(self.flash))
        return flash + [self.flash_sec + (number + 1) * self.trickle_every_sec for number in range(self.trickle)]


async def run_crowd(
    edge_url: str,
    errand: Errand,
    arrivals: Arrivals,
    habits: Habits,
    log: EventLog,
    seed: int,
    in_flight: int = IN_FLIGHT,
) -> None:
    """Let a crowd come and wait until the last has gone. Cancelling it sends everybody home at once."""
    dice, slots = _dice(seed), asyncio.Semaphore(in_flight)
    moments = arrivals.moments(dice)
    async with open_client(edge_url) as client, asyncio.TaskGroup() as tasks:
        for number, moment in enumerate(moments):
            name = f"v{number:04d}"
            own_dice = _dice(f"{seed}/{name}")
            visitor = Visitor(name, errand, habits, client, slots, log, own_dice)
            tasks.create_task(_arrive(visitor, moment))


def _dice(seed: int | str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - behaviour that can be repeated, nothing secret


async def _arrive(visitor: Visitor, after_sec: float) -> None:
    await asyncio.sleep(after_sec)
    await visitor.visit()
