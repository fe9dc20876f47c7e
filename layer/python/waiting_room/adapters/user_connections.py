"""How to reach those near the front: open WebSockets by position. Dead ones are found by a refused push, or expire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from waiting_room.adapters.dynamodb import Clients, Table, encode, reading
from waiting_room.domain.admission.calls import POSITIONS_PER_PARTITION, Calls, partitions

RETENTION_SEC = 2 * 3600 + 600
"""API Gateway ends a WebSocket after two hours; whatever is still here then leads nowhere."""

SOCKET = "ws"
_DIGITS = 12


@dataclass(frozen=True)
class Listener:
    """Somebody who can be told: a position in a lane of a run, and the channel that reaches its visitor."""

    zone_id: str
    run: int
    lane: str
    position: int
    visitor_id: str
    channel: str
    address: str
    """The connection's id."""
    connected_at_ms: int
    """When it was noted: before the handshake was answered."""


class UserConnections:
    """Listeners by position."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "user_connections", table_name)

    def add(self, listener: Listener) -> None:
        """Note a listener; raises Overloaded. Repeating it changes nothing."""
        partition, entry = _key(listener)
        noted = {
            "visitor_id": listener.visitor_id,
            "connected_at_ms": listener.connected_at_ms,
            self._table.ttl: listener.connected_at_ms // 1000 + RETENTION_SEC,
        }
        item = self._table.key(partition, entry) | encode(noted)
        reading(self._table.clients.repeating.put_item, TableName=self._table.name, Item=item)

    def called(self, calls: Calls) -> Iterator[Listener]:
        """Everybody who listens at one of the called positions, in their order. Raises Overloaded."""
        between = (f"{calls.first:0{_DIGITS}d}", f"{calls.end:0{_DIGITS}d}")
        line = f"{calls.zone_id}#{calls.run}#{calls.lane}"
        for number in partitions(calls.first, calls.end):
            for item in self._table.query(f"{line}#{number}", between=between):
                place, channel = item[str(self._table.sort_key)].split("#", 1)
                kind, address = channel.split(":", 1)
                who = (item["visitor_id"], kind, address, item["connected_at_ms"])
                yield Listener(calls.zone_id, calls.run, calls.lane, int(place), *who)

    def remove(self, listener: Listener) -> None:
        """Forget a listener; raises Overloaded. Repeating it changes nothing."""
        partition, entry = _key(listener)
        key = self._table.key(partition, entry)
        reading(self._table.clients.repeating.delete_item, TableName=self._table.name, Key=key)


def _key(listener: Listener) -> tuple[str, str]:
    line = f"{listener.zone_id}#{listener.run}#{listener.lane}#{listener.position // POSITIONS_PER_PARTITION}"
    return line, f"{listener.position:0{_DIGITS}d}#{listener.channel}:{listener.address}"
