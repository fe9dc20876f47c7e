"""Metrics: the minute rows of a zone's run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waiting_room.adapters.counters import Minutes
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.tallies import Tallies
from waiting_room.domain.errors import UnknownZone
from waiting_room.ports import Clock
from waiting_room.use_cases.bypass import Exempt, exempt_of

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Rows:
    """Minute rows, oldest first, each with its `minute_at_ms`; their numbers are cumulative over the run.

    `exempt` is how it stands now, so it is told with the current run alone.
    """

    zone_id: str
    run: int
    minutes: list[dict[str, Any]]
    exempt: Exempt | None = None


class ReadMetrics:
    """Reads what exchangers wrote; counts nothing itself."""

    def __init__(self, zones: ProtectedZones, minutes: Minutes, tallies: Tallies, clock: Clock) -> None:
        self._zones = zones
        self._minutes = minutes
        self._tallies = tallies
        self._clock = clock

    def __call__(self, zone_id: str, count: int, run: int | None = None) -> Rows:
        """The newest `count` rows, of the current run or another; raises UnknownZone.

        `visits` of a row is what the recorder counted in that minute, by lane; absent where it counted nothing.
        """
        exempt = None
        if run is None:
            zone = self._zones.get(zone_id)
            if zone is None:
                raise UnknownZone
            run, exempt = zone.run, exempt_of(self._zones, zone, self._clock.now_ms())
        stored = self._minutes.latest(zone_id, run, count)
        if not stored:
            return Rows(zone_id, run, [], exempt)
        visits = self._tallies.minutes(zone_id, run, stored[0]["minute"], stored[-1]["minute"])
        return Rows(zone_id, run, [_told(row, visits.get(row["minute"])) for row in stored], exempt)


def _told(stored: Mapping[str, Any], visits: Mapping[str, Any] | None) -> dict[str, Any]:
    numbers = {name: value for name, value in stored.items() if name != "minute"}
    counted = {} if visits is None else {"visits": visits["lanes"]}
    return {"minute_at_ms": stored["minute"] * MINUTE_MS, **numbers, **counted}
