"""Limit joins: so many places for one network in a run, or only a note of who would have got none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from waiting_room.adapters.networks import Networks
from waiting_room.domain.errors import TooManyPlaces
from waiting_room.domain.networks import network_tag
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock

UNKNOWN = "unknown"
"""Stands for all addresses that cannot be read: one network of its own."""


@dataclass(frozen=True)
class NetworkPlace:
    """A place as its network's count knows it. `tag` names the network to nobody and is empty without a limit."""

    tag: str = ""
    mark: str = ""
    counted: bool = False
    over: bool = False


class LimitJoins:
    """Counts a place before it is stored; one write unit, and none in a zone without the limit."""

    def __init__(self, networks: Networks, clock: Clock) -> None:
        self._networks = networks
        self._clock = clock

    def tag(self, zone: Zone, client_ip: str) -> str:
        """What stands for the network of an address in this run."""
        return network_tag(f"{zone.zone_id}|{zone.run}|{zone.site_key_sha256}", client_ip) or UNKNOWN

    def count(self, zone: Zone, client_ip: str, visitor_id: str, times: int) -> NetworkPlace:
        """Count the position that is a visitor's `times`-th; asked again about the same one it is not counted again.

        Raises TooManyPlaces for one more than the limit; where the zone only observes, it is `over`.
        """
        if zone.network_limit is None:
            return NetworkPlace()
        tag, most = self.tag(zone, client_ip), zone.network_limit["places"]
        # A few bits of a hash will do: all that is asked of them is not to be those of the place before.
        mark = hashlib.sha256(f"{zone.zone_id}|{zone.run}|{visitor_id}|{times}".encode()).hexdigest()[:16]
        counted = self._networks.count(zone.zone_id, zone.run, tag, mark, most, self._clock.now_ms())
        if counted == "full" and zone.network_limit["mode"] != "observe":
            raise TooManyPlaces("Too many places were taken from your network. Another connection may help.")
        return NetworkPlace(tag, mark, counted=counted == "counted", over=counted == "full")

    def give_back(self, zone: Zone, place: NetworkPlace) -> None:
        """Take back what was counted for a place that was surely not stored."""
        if place.counted:
            self._networks.give_back(zone.zone_id, zone.run, place.tag, place.mark)
