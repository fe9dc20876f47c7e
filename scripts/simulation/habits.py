"""What kind of visitors they are."""

from __future__ import annotations

from dataclasses import dataclass

from waiting_room.domain.lanes import GENERAL


@dataclass(frozen=True)
class Habits:
    """What kind of visitors they are: shares are of all, times in seconds."""

    lane: str = GENERAL
    """The lane they hold an invitation to."""
    absent: float = 0.0
    """Goes away while waiting and does not come when called."""
    late: float = 0.0
    """Of those who are away when called: comes back some time after all."""
    late_sec: tuple[float, float] = (20.0, 110.0)
    silent: float = 0.5
    """Leaves the zone without a word; of the others, `buys` complete a purchase and the rest press "leave"."""
    buys: float = 0.5
    stay_sec: float = 180.0
    """The mean of an exponential time in the zone."""
    second_tab: float = 0.0
    reloads: float = 0.0
    """Chance at each poll to load the page again."""
    lost_answers: float = 0.0
    """Chance that an answer does not reach the browser: it asks again."""
