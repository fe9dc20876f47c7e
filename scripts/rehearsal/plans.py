"""What visitors set out to do, and the place they are given."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Literal

from .script import Habits

Ending = Literal["checkout", "button", "silent"]


@dataclass(frozen=True)
class Plan:
    """What a visitor will do. `patience_sec` None: waits for ever."""

    comes: bool
    ending: Ending
    stay_sec: float
    patience_sec: float | None


@dataclass(frozen=True)
class Place:
    """A place in line as the server told it."""

    run: int
    lane: str
    position: int | None
    status: str
    told_at_ms: int

    def is_called(self, status: dict[str, Any]) -> bool:
        """Whether it is this visitor's turn, by what the server told or by the status document."""
        if self.status in ("called", "admitted"):
            return True
        lane = status["lanes"].get(self.lane)
        if lane is None or self.position is None or status["phase"] != "open":
            return False
        return bool(self.position < max(lane["serving"], lane["ahead"]))

    def is_dropped(self, status: dict[str, Any]) -> bool:
        """Whether the line has passed this place over."""
        lane = status["lanes"].get(self.lane)
        passed = lane is not None and self.position is not None and self.position < lane["floor"]
        return bool(passed) and self.status not in ("called", "admitted")


def draw_plan(habits: Habits, dice: random.Random) -> Plan:
    """One visitor's plan."""
    comes = dice.random() >= habits.absent_share
    patience_sec = dice.uniform(*habits.patience_sec) if dice.random() < habits.give_up_share else None
    fate, stay_sec = dice.random(), dice.uniform(*habits.stay_sec)
    if fate < habits.silent_share:
        return Plan(comes, "silent", stay_sec, patience_sec)
    ending: Ending = "button" if fate < habits.silent_share + habits.button_share else "checkout"
    return Plan(comes, ending, stay_sec, patience_sec)
