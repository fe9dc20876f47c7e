"""Gauges: what is told of a whole zone once a minute, and when its door shuts or opens, from its minute row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from waiting_room.domain.admission.gate_item import ControllerState
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import MetricPoint, Metrics

logger = logging.getLogger(__name__)

MINUTE_MS = 60_000


def is_new_minute(before_ms: int, now_ms: int) -> bool:
    """Whether a tick is the first of its minute, `before_ms` being the last one's: of all that tick, one wins it."""
    return before_ms // MINUTE_MS != now_ms // MINUTE_MS


def is_told(before: ControllerState, after: ControllerState, now_ms: int) -> bool:
    """Whether a tick tells the gauges: the first of a minute, and one in which the door shut or opened."""
    return is_new_minute(before.ticked_at_ms, now_ms) or before.door.shut != after.door.shut


def zone_point(zone_id: str, run: int, now_ms: int, row: Mapping[str, Any]) -> MetricPoint:
    """What a minute row says of the whole zone, as a point of its minute."""
    departures = row.get("departures", {}).values()
    gone = sum(each["away"] - each["back"] for each in departures)
    values = {
        "queue_length": max(0, row["joined"] - row["called"]),
        "in_zone": row["active"],
        "show_up_share": row["show_up_share"],
        "sold": row["sold"],
        "door_shut": row["door_shut"],
        "gone": gone,
    }
    if gone > 0:
        values["wait_before_gone_sec"] = round(sum(each["wait_sec"] for each in departures) / gone, 1)
    return MetricPoint(zone_id, run, None, now_ms // MINUTE_MS * MINUTE_MS, now_ms, values)


class BackgroundMetrics:
    """Tells points beside the work at hand: whoever hands them over waits for no backend.

    Points that are not taken are lost to the backend; the minute rows have them.
    """

    def __init__(self, metrics: Metrics, start: Callable[[Callable[[], None]], object]) -> None:
        self._metrics = metrics
        self._start = start

    def put(self, points: Sequence[MetricPoint]) -> None:
        """Begin to tell the points; never raises for the backend."""
        self._start(lambda: self._put(points))

    def _put(self, points: Sequence[MetricPoint]) -> None:
        try:
            self._metrics.put(points)
        except Overloaded:
            logger.warning("gauges could not be told", extra={"zone_id": points[0].zone_id})
