"""All visitors of one zone, and when they come."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from scripts.simulation.kernel import START_MS
from scripts.simulation.venue import Venue
from scripts.simulation.visitors import Visitor
from scripts.visitors.arrivals import Curve
from scripts.visitors.habits import Habits


class Crowd:
    """Brings groups of visitors to a venue, each at its time."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.visitors: list[Visitor] = []

    def come(self, curve: Curve, habits: Habits) -> None:
        """Let a group arrive along a curve."""
        dice = random.Random(self.venue.dice.random())  # noqa: S311 - a run that can be repeated, nothing secret
        self._next(curve(dice), habits)

    def unserved(self) -> Sequence[Visitor]:
        """Who is there and has neither been in nor been told the last word."""
        return [visitor for visitor in self.visitors if visitor.comes and not visitor.served]

    def _next(self, times: Iterator[float], habits: Habits) -> None:
        at_sec = next(times, None)
        if at_sec is None:
            return

        def arrive() -> None:
            visitor = Visitor(self.venue, f"v{len(self.visitors):021d}", habits)
            self.visitors.append(visitor)
            self.venue.kernel.start(visitor.arrive)
            self._next(times, habits)

        self.venue.kernel.at(START_MS + round(at_sec * 1000), arrive)
