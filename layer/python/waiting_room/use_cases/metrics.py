"""Metrics: the minute rows of a zone's current run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waiting_room.adapters.counters import Minutes
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import UnknownZone

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Rows:
    """Minute rows, oldest first, each with its `minute_at_ms`; their numbers are cumulative over the run."""

    zone_id: str
    run: int
    minutes: list[dict[str, Any]]


class ReadMetrics:
    """Reads what exchangers wrote; counts nothing itself."""

    def __init__(self, zones: ProtectedZones, minutes: Minutes) -> None:
        self._zones = zones
        self._minutes = minutes

    def __call__(self, zone_id: str, count: int) -> Rows:
        """The newest `count` rows; raises UnknownZone."""
        zone = self._zones.get(zone_id)
        if zone is None:
            raise UnknownZone
        stored = self._minutes.latest(zone_id, zone.run, count)
        return Rows(zone_id, zone.run, [_told(row) for row in stored])


def _told(stored: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: value for name, value in stored.items() if name != "minute"}
    return {"minute_at_ms": stored["minute"] * MINUTE_MS, **numbers}
