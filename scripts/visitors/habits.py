"""What kind of people a crowd is of, and what one of them sets out to do."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from waiting_room.domain.lanes import GENERAL

Ending = Literal["checkout", "button", "silent"]


@dataclass(frozen=True)
class Habits:
    """How the visitors of a crowd behave; shares and chances are of 1, times in seconds, from and to.

    Unless told otherwise they all come, stay, buy and go. The demo's crowd, a rehearsal and the simulator each name the
    habits of their own people. The last five are played by the simulator alone.
    """

    absent_share: float = 0.0
    """Do not come when called."""
    give_up_share: float = 0.0
    """Leave the line when their patience is over, and the page says so."""
    silent_share: float = 0.0
    """Go without a word once in."""
    button_share: float = 0.0
    """Say good-bye instead of buying; everybody does where nothing can be bought."""
    reload_share: float = 0.0
    """Chance at each look at the line to load the page again."""
    stay_sec: tuple[float, float] = (20.0, 60.0)
    """In the zone. The simulator spreads its stays wider, exponentially about the middle of the two."""
    patience_sec: tuple[float, float] = (15.0, 120.0)
    late_share: float = 0.0
    """Of those who are away when called: come back some time after all."""
    late_sec: tuple[float, float] = (20.0, 110.0)
    second_tab_share: float = 0.0
    """Open a second tab once in."""
    lost_answer_share: float = 0.0
    """Chance that an answer does not reach the browser: it asks again."""
    lane: str = GENERAL
    """The lane they hold an invitation to."""

    @property
    def away_share(self) -> float:
        """Nobody is at the page when called: the absent, and those who gave up before."""
        return self.absent_share + (1 - self.absent_share) * self.give_up_share

    @property
    def checkout_share(self) -> float:
        """Buy, of all who come in."""
        return 1 - self.silent_share - self.button_share

    @property
    def mean_stay_sec(self) -> float:
        """The mean time in the zone."""
        return sum(self.stay_sec) / 2


@dataclass(frozen=True)
class Plan:
    """What a visitor will do. `comes` False: does not come when called. `patience_sec` None: waits for ever."""

    comes: bool
    ending: Ending
    stay_sec: float
    patience_sec: float | None


def draw_plan(habits: Habits, dice: random.Random) -> Plan:
    """One visitor's plan."""
    comes = dice.random() >= habits.absent_share
    patience_sec = dice.uniform(*habits.patience_sec) if dice.random() < habits.give_up_share else None
    fate, stay_sec = dice.random(), dice.uniform(*habits.stay_sec)
    if fate < habits.silent_share:
        return Plan(comes, "silent", stay_sec, patience_sec)
    ending: Ending = "button" if fate < habits.silent_share + habits.button_share else "checkout"
    return Plan(comes, ending, stay_sec, patience_sec)
