"""Zones as the visitors' requests see them: read at most every two seconds, whatever the crowd."""

from __future__ import annotations

from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import UnknownZone
from waiting_room.domain.zone.zones import ZONE_ID, Zone
from waiting_room.ports import Clock

COPY_MS = 2_000
"""How old a copy may be. The cap does not depend on it: a change of limits is fenced in the gate item itself."""


class ZoneCopies:
    """A cache that is only a cache. Unknown zones are asked for again: guessing must not fill the memory."""

    def __init__(self, zones: ProtectedZones, clock: Clock) -> None:
        self._zones = zones
        self._clock = clock
        self._copies: dict[str, tuple[int, Zone]] = {}

    def get(self, zone_id: str) -> Zone:
        """The zone; raises UnknownZone."""
        now_ms = self._clock.now_ms()
        read_at_ms, zone = self._copies.get(zone_id, (0, None))
        if zone is not None and 0 <= now_ms - read_at_ms < COPY_MS:
            return zone
        found = self._read(zone_id, consistent=False)
        self._copies[zone_id] = (now_ms, found)
        return found

    def fresh(self, zone_id: str) -> Zone:
        """The zone as it is now (consistent), for the rare request that must not miss a change; raises UnknownZone."""
        return self._read(zone_id, consistent=True)

    def _read(self, zone_id: str, *, consistent: bool) -> Zone:
        found = self._zones.get(zone_id, consistent=consistent) if ZONE_ID.match(zone_id) else None
        if found is None:
            self._copies.pop(zone_id, None)
            raise UnknownZone
        return found
