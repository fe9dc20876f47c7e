"""Limit joins: so many places for one network in a run, or only a note of who would have got none."""

from __future__ import annotations

from waiting_room.adapters.networks import Networks
from waiting_room.domain.errors import Forbidden
from waiting_room.domain.networks import network_tag
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock


class LimitJoins:
    """Asked before a newcomer takes a place; one write unit, and none in a zone without the limit."""

    def __init__(self, networks: Networks, clock: Clock) -> None:
        self._networks = networks
        self._clock = clock

    def __call__(self, zone: Zone, client_ip: str) -> str:
        """Empty, or `over` for a place more than the limit in a zone that only observes; raises Forbidden in earnest.

        An address that is not known counts as a network of its own.
        """
        if zone.network_limit is None:
            return ""
        tag = network_tag(f"{zone.zone_id}|{zone.run}|{zone.site_key_sha256}", client_ip) or "unknown"
        if self._networks.count(zone.zone_id, zone.run, tag, self._clock.now_ms()) <= zone.network_limit["places"]:
            return ""
        if zone.network_limit["mode"] == "observe":
            return "over"
        raise Forbidden("Too many places were taken from your network. Another connection may help.")
