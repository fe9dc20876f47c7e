"""How often a waiting page looks: the pace of lambdas/publisher/site/assets/pace.js, for a page that is seen."""

from __future__ import annotations

from typing import Any, Protocol


class InLine(Protocol):
    """As much of a place as the pace hangs on."""

    @property
    def lane(self) -> str: ...
    @property
    def position(self) -> int | None: ...


STANDSTILL_SEC = 5.0
WAY_BETWEEN_LOOKS = 2 / 3
PUSHED_FACTOR = 2.0
PUSH_BEFORE_START_SEC = 120.0
PUSH_WORTH_SEC = 20.0


def pause_sec(
    status: dict[str, Any], place: InLine, held_sec: int, now_ms: int, chance: float, *, pushed: bool = False
) -> float:
    """Seconds until the status document is read again; `held_sec` is how long a called place is kept.

    Near the front often; further back when two thirds of the way to there should be done; half as often with a
    connection that tells of the call; never so rarely that a call could be missed, and not past a start.
    """
    poll, phase, lane = status["poll"], status["phase"], status["lanes"].get(place.lane)
    far, near = poll["far_sec"] * (1 + chance), poll["near_sec"] * (0.75 + chance / 2)
    if poll["far_sec"] == poll["near_sec"]:
        far = near = poll["near_sec"] * (0.5 + chance / 2)
    ahead = None if lane is None or place.position is None else max(0, place.position - lane["serving"])
    is_near = ahead is None or ahead <= poll["near_ahead"]
    starts_in = ((status["starts_at_ms"] or 0) - now_ms) / 1000
    starting = phase == "before" and bool(status["starts_at_ms"]) and starts_in <= 0
    pause = far
    if (phase == "open" and status.get("door") != "shut") or starting:
        speed = lane["speed_per_sec"] if lane else 0.0
        until_near = 0.0 if is_near or ahead is None else (ahead - poll["near_ahead"]) / (speed or 1e-9)
        pause = near if is_near else min(far, max(near, until_near * WAY_BETWEEN_LOOKS))
    elif is_near and phase != "before":
        pause = min(far, STANDSTILL_SEC * (0.75 + chance / 2))
    if pushed:
        pause *= PUSHED_FACTOR
    pause = min(pause, max(poll["near_sec"], held_sec / 2))
    return float(starts_in + chance * poll["near_sec"] if 0 < starts_in < pause else pause)


def wants_push(status: dict[str, Any], place: InLine, now_ms: int, *, pushed: bool = False) -> bool:
    """Whether a connection is worth having: inside the push window, while the call may come, and not at once.

    `pushed` is whether there is one already: it stays to the end.
    """
    lane, window = status["lanes"].get(place.lane), status["push_window"]
    if lane is None or place.position is None or not 0 <= place.position - lane["serving"] <= window or not window:
        return False
    if not pushed and place.position - lane["serving"] + 1 < lane["speed_per_sec"] * PUSH_WORTH_SEC:
        return False
    if status["phase"] == "before":
        return bool(status["starts_at_ms"] and status["starts_at_ms"] - now_ms < PUSH_BEFORE_START_SEC * 1000)
    return bool(status["phase"] == "open")
