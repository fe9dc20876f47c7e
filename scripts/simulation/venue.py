"""Where a simulated sale takes place: what every visitor of one zone shares."""

from __future__ import annotations

import random

from scripts.simulation.deployment import Deployment
from scripts.simulation.watch import Watch
from waiting_room.domain.admission.status import status_key
from waiting_room.domain.leases import heartbeat_sec
from waiting_room.domain.zone.zones import Zone


class Venue:
    """The deployment, who watches over its rules, the zone, and the dice of its visitors."""

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
        self.leaves_at_ms: dict[str, int] = {}
        self.returns = True
        """Whether those whose session ends while they are there come back."""
        self.told_end_ms: list[int] = []

    def watch_end(self, phase: str) -> None:
        """Somebody waiting was told that nothing is left."""
        if phase == "sold_out":
            self.told_end_ms.append(self.kernel.now_ms)
