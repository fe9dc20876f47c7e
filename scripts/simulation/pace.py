"""How often a waiting page looks: the pace of lambdas/publisher/site/assets/pace.js, for a page that is seen."""

from __future__ import annotations

from typing import Any

from waiting_room.domain.places import Place

STANDSTILL_SEC = 5.0


def pause_sec(status: dict[str, Any], place: Place, held_sec: int, now_ms: int, chance: float) -> float:
    """Seconds until the status document is read again; `held_sec` is how long a called place is kept.

    Near the front often; further back when half of the way to there should be done; never so rarely that a call could
    be missed, and not past a start.
    """
    poll, phase, lane = status["poll"], status["phase"], status["lanes"].get(place.lane)
    far, near = poll["far_sec"] * (1 + chance), poll["near_sec"] * (0.75 + chance / 2)
    if poll["far_sec"] == poll["near_sec"]:
        far = near = poll["near_sec"] * (0.5 + chance / 2)
    ahead = None if lane is None or place.position is None else max(0, place.position - lane["serving"])
    is_near = ahead is None or ahead <= poll["near_ahead"]
    pause = far
    if phase == "open":
        speed = lane["speed_per_sec"] if lane else 0.0
        until_near = 0.0 if is_near or ahead is None else (ahead - poll["near_ahead"]) / (speed or 1e-9)
        pause = near if is_near else min(far, max(near, until_near / 2))
    elif is_near and phase != "before":
        pause = min(far, STANDSTILL_SEC * (0.75 + chance / 2))
    pause = min(pause, max(poll["near_sec"], held_sec / 2))
    starts_in = ((status["starts_at_ms"] or 0) - now_ms) / 1000
    return float(starts_in + chance * poll["near_sec"] if 0 < starts_in < pause else pause)
