"""Connect: note how to reach a visitor near the front, who then hears of the call without asking (PROTOCOL, Push)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.user_connections import SOCKET, Listener, UserConnections
from waiting_room.domain.admission.calls import is_near
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Forbidden, Overloaded
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock

MOST_OF_A_PLACE = 5
"""Connections that a place has at a time. A browser has one, and two while it exchanges an old one for a new one; those
of pages that were loaded again are still noted."""
SETTLE_MS = 30_000
"""A connection is not exchanged for a newer one before: whoever opens them in a loop is refused, for one read each."""
TRIES = 3

logger = logging.getLogger(__name__)


class Connect:
    """One read and one write for each connection, and neither for anybody who need not have one."""

    def __init__(
        self, connections: UserConnections, copies: GateCopies, clock: Clock, close: Callable[[str], None]
    ) -> None:
        """`close` ends a connection by its id; what it raises as Overloaded is borne."""
        self._connections = connections
        self._copies = copies
        self._clock = clock
        self._close = close

    def __call__(self, zone: Zone, visitor_id: str, lane: str, position: int, connection_id: str) -> None:
        """Note the connection of a visitor whose token proves this position; the oldest of too many is closed for it.

        Raises Forbidden outside the push window (far back, or called already) and for a place that opens connections
        in a loop. Raises NotReady and Overloaded.
        """
        if not is_near(position, self._copies.recent(zone).lane(lane), zone.push_window):
            raise Forbidden("Only visitors near the front are told by WebSocket; everybody else reads the status.")
        now_ms = self._clock.now_ms()
        new = Listener(zone.zone_id, zone.run, lane, position, visitor_id, SOCKET, connection_id, now_ms)
        for _ in range(TRIES):
            noted = self._connections.of_place(zone.zone_id, zone.run, lane, position)
            if any(each.address == connection_id for each in noted):
                return
            if self._taken(new, noted):
                return
        raise Overloaded("Somebody else opens connections for this place at the same moment.")

    def _taken(self, new: Listener, noted: list[Listener]) -> bool:
        """Whether the connection has a slot now; not where somebody else was faster. Raises Forbidden."""
        free = set(map(str, range(MOST_OF_A_PLACE))) - {each.slot for each in noted}
        if free and len(noted) < MOST_OF_A_PLACE:
            return self._connections.take(replace(new, slot=min(free))) is Answer.YES
        oldest = min(noted, key=lambda each: each.connected_at_ms)
        if new.connected_at_ms - oldest.connected_at_ms < SETTLE_MS:
            raise Forbidden("This place has as many connections as it needs.")
        if self._connections.take(replace(new, slot=oldest.slot), oldest) is not Answer.YES:
            return False
        try:
            self._close(oldest.address)
        except Overloaded:
            logger.warning("a connection that was exchanged stays open", extra={"zone_id": new.zone_id})
        return True
