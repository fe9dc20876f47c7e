"""Which zones stand before a request, found once for each place of the site that is asked for."""

from __future__ import annotations

from waiting_room.domain.gate.decisions import BadRequest, NotFound
from waiting_room.domain.gate.paths import BadPath, fold, readings
from waiting_room.domain.gate.request import GateRequest
from waiting_room.domain.gate.rules import Rules
from waiting_room.domain.gate.snapshot import GateSnapshot, GateZone
from waiting_room.domain.locations import PREFIX

__all__ = ["Routes"]

REMEMBERED = 1000
LONGEST_REMEMBERED = 300
"""Characters of path and Host: what a site links to is shorter, what wears out the memory of a gate is not."""

Route = tuple[GateZone, ...] | BadRequest | NotFound


class Routes:
    """The rules of one snapshot. Remembers what it found: the same few pages are asked for all the time."""

    def __init__(self, snapshot: GateSnapshot) -> None:
        self._snapshot = snapshot
        self._rules = Rules(snapshot.rules)
        self._found: dict[tuple[str, str, tuple[str, ...], str], Route] = {}

    def of(self, request: GateRequest) -> Route:
        """The zones that guard a request, the most specific first; or why its path leads nowhere."""
        place = request.place
        if place is None:
            return self._find(request)
        found = self._found.get(place)
        if found is None:
            found = self._find(request)
            if len(request.path) + sum(map(len, place[2])) <= LONGEST_REMEMBERED:
                if len(self._found) >= REMEMBERED:
                    self._found.clear()
                self._found[place] = found
        return found

    def _find(self, request: GateRequest) -> Route:
        try:
            paths = readings(request.path)
        except BadPath as error:
            return BadRequest(str(error))
        if any((fold(path) + "/").startswith(PREFIX + "/") for path in paths):
            return NotFound()
        zones = self._snapshot.zones
        return tuple(zones[zone_id] for zone_id in self._rules.guards(request.hosts, paths, request.methods))
