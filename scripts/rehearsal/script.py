"""What a rehearsal is to play: who comes, when, to which zone of which host, and within which bounds."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ..visitors.arrivals import flash, waves
from ..visitors.guest import Errand
from ..visitors.habits import Habits

MOST_VISITORS = 20_000
"""Of one machine: each has a connection of its own. More are simulated (`make simulate`), or several machines."""
MOST_REQUESTS_PER_SEC = 1_000
"""What one process sends without measuring itself."""
MOST_MINUTES = 120
USUAL = Habits(absent_share=0.12, give_up_share=0.05, silent_share=0.10, button_share=0.25, reload_share=0.02)
"""Of a crowd at a sale, unless `wr rehearse` is told others."""

Moments = list[float]


@dataclass(frozen=True)
class Script:
    """Everything the engine is told. `hosts` are all that may ever be asked, the site first; times in seconds."""

    hosts: tuple[str, ...]
    zone_id: str
    path: str
    visitors: int
    checkout_path: str | None = None
    arrival: str = "flash"
    over_sec: float = 10.0
    lasts_sec: int = 900
    seed: int = 1
    in_flight: int = 100
    """Requests to functions under way at a time; the status document is not one."""
    requests_per_sec: float = 200.0
    held_sec: int = 60
    """How long a called place is kept."""
    heartbeat_sec: int | None = None
    """Of a site that embeds the script; None: sessions are renewed by looking at pages."""
    habits: Habits = USUAL

    @property
    def errand(self) -> Errand:
        """What each visitor comes for."""
        return Errand(self.zone_id, self.path, self.checkout_path, self.held_sec, self.heartbeat_sec)

    def moments(self) -> Moments:
        """Seconds after the beginning at which each visitor arrives, in order."""
        dice = random.Random(self.seed)  # noqa: S311 - a crowd that can be repeated, nothing secret
        return ARRIVALS[self.arrival].moments(self.visitors, self.over_sec, dice)

    def to_json(self) -> str:
        """As it is handed to the engine."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Script:
        """The script `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        habits: Any = {name: tuple(told) if isinstance(told, list) else told for name, told in values["habits"].items()}
        return cls(**{**values, "hosts": tuple(values["hosts"]), "habits": Habits(**habits)})


@dataclass(frozen=True)
class Arrival:
    """A way for a crowd to come."""

    about: str
    over_sec: float
    """How long it takes unless said."""
    moments: Callable[[int, float, random.Random], Moments]


def _flash(count: int, over_sec: float, dice: random.Random) -> Moments:
    return list(flash(count, over_sec)(dice))


def _steady(count: int, over_sec: float, dice: random.Random) -> Moments:
    # So many strangers within a time, each for himself: a Poisson stream of which the sum is known.
    return sorted(dice.uniform(0, over_sec) for _ in range(count))


def _two_waves(count: int, over_sec: float, dice: random.Random) -> Moments:
    half = count // 2
    first = waves(count - half, over_sec * 0.4, (0.0,))(dice)
    second = waves(half, over_sec * 0.4, (over_sec * 0.6,))(dice)
    return [*first, *second]


def _surge(count: int, over_sec: float, dice: random.Random) -> Moments:
    return sorted(dice.triangular(0, over_sec, over_sec) for _ in range(count))


ARRIVALS = {
    "flash": Arrival("all at once: a link goes round", 10.0, _flash),
    "steady": Arrival("strangers who come independently of each other", 120.0, _steady),
    "two-waves": Arrival("half of them, a pause, and the other half", 180.0, _two_waves),
    "surge": Arrival("more and more until the end, as before a start", 120.0, _surge),
}
