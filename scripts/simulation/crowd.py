"""All visitors of one zone, and when they come."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from scripts.simulation.arrivals import Curve
from scripts.simulation.deployment import Deployment
from scripts.simulation.habits import Habits
from scripts.simulation.kernel import START_MS
from scripts.simulation.visitors import Visitor
from scripts.simulation.watch import Watch
from waiting_room.domain.leases import heartbeat_sec
from waiting_room.domain.status import status_key
from waiting_room.domain.zones import Zone


class Crowd:
    """Brings groups of visitors to a zone, each at its time."""

    def __init__(self, deployment: Deployment, watch: Watch, zone: Zone, seed: int) -> None:
        self.deployment = deployment
        self.kernel = deployment.kernel
        self.watch = watch
        self.zone = zone
        self.zone_id = zone.zone_id
        self.status_key = status_key(zone.zone_id)
        self.held_sec = zone.claim.window_sec
        self.beat_sec = heartbeat_sec(zone.max_active, zone.session.heartbeat_sec)
        self.rng = random.Random(seed)  # noqa: S311 - a run that can be repeated, nothing secret
        self.dice = random.Random(seed + 1)  # noqa: S311 - a run that can be repeated, nothing secret
        self.visitors: list[Visitor] = []
        self.leaves_at_ms: dict[str, int] = {}
        self.returns = True
        self.bought = 0
        self.told_end_ms: list[int] = []

    def come(self, curve: Curve, habits: Habits) -> None:
        """Let a group arrive along a curve."""
        self._next(curve(random.Random(self.dice.random())), habits)  # noqa: S311 - a run that can be repeated, nothing secret

    def watch_end(self, phase: str) -> None:
        """Somebody waiting was told that nothing is left."""
        if phase == "sold_out":
            self.told_end_ms.append(self.kernel.now_ms)

    def unserved(self) -> Sequence[Visitor]:
        """Who is there and has neither been in nor been told the last word."""
        return [visitor for visitor in self.visitors if visitor.comes and not visitor.served]

    def _next(self, times: Iterator[float], habits: Habits) -> None:
        at_sec = next(times, None)
        if at_sec is None:
            return

        def arrive() -> None:
            visitor = Visitor(self, f"v{len(self.visitors):021d}", habits)
            self.visitors.append(visitor)
            self.kernel.start(visitor.arrive)
            self._next(times, habits)

        self.kernel.at(START_MS + round(at_sec * 1000), arrive)
