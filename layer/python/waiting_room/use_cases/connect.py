"""Connect: note how to reach a visitor near the front, who then hears of the call without asking (PROTOCOL, Push)."""

from __future__ import annotations

from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.user_connections import SOCKET, Listener, UserConnections
from waiting_room.domain.admission.calls import is_near
from waiting_room.domain.errors import Forbidden
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock


class Connect:
    """One write for each connection, and none for anybody who need not have one."""

    def __init__(self, connections: UserConnections, copies: GateCopies, clock: Clock) -> None:
        self._connections = connections
        self._copies = copies
        self._clock = clock

    def __call__(self, zone: Zone, visitor_id: str, lane: str, position: int, connection_id: str) -> None:
        """Note the connection of a visitor whose token proves this position.

        Raises Forbidden outside the push window: far back, or called already. Raises NotReady and Overloaded.
        """
        if not is_near(position, self._copies.recent(zone).lane(lane), zone.push_window):
            raise Forbidden("Only visitors near the front are told by WebSocket; everybody else reads the status.")
        now_ms = self._clock.now_ms()
        self._connections.add(
            Listener(zone.zone_id, zone.run, lane, position, visitor_id, SOCKET, connection_id, now_ms)
        )
