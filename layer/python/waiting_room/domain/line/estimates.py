"""How long until the call: a range, from the measured speed of the line."""

from __future__ import annotations

import math

from waiting_room.domain.line.places import Estimate

SPREAD = 0.2
"""What the speed itself is uncertain by: so that in every simulated sale about four of five true waits are inside."""


def estimate(ahead: int, speed_per_sec: float) -> Estimate | None:
    """Seconds until `ahead` more positions are called, or None while the speed is unknown.

    The range is the uncertainty of the speed plus two standard deviations of a Poisson count of `ahead` calls.
    """
    if ahead < 0 or speed_per_sec <= 0:
        return None
    count = ahead + 1
    wait = count / speed_per_sec
    spread = min(0.9, SPREAD + 2 / math.sqrt(count) / 2)
    return Estimate(low_sec=math.floor(wait * (1 - spread)), high_sec=math.ceil(wait * (1 + spread)))
