"""How to reach those near the front: open WebSockets by position. Dead ones are found by a refused push, or expire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.domain.admission.calls import POSITIONS_PER_PARTITION, Calls, partitions
from waiting_room.domain.answers import Answer

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
    slot: str = ""
    """Which of the place's connections it is: their number is bounded by these."""


class UserConnections:
    """Listeners by position."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "user_connections", table_name)

    def of_place(self, zone_id: str, run: int, lane: str, position: int) -> list[Listener]:
        """The connections noted for one place (consistent). Raises Overloaded."""
        place = Listener(zone_id, run, lane, position, "", SOCKET, "", 0)
        partition, entry = _key(place)
        return [
            _listener(place, item, self._table.sort_key) for item in self._table.query(partition, begins_with=entry)
        ]

    def take(self, listener: Listener, instead_of: Listener | None = None) -> Answer:
        """Note a listener in its slot, which is free or has `instead_of` in it. Raises Overloaded."""
        partition, entry = _key(listener)
        noted = {
            "visitor_id": listener.visitor_id,
            "connection_id": listener.address,
            "connected_at_ms": listener.connected_at_ms,
            self._table.ttl: listener.connected_at_ms // 1000 + RETENTION_SEC,
        }
        condition, values = "attribute_not_exists(#entry)", {}
        if instead_of is not None:
            condition, values = "#connected = :connected", {":connected": instead_of.connected_at_ms}
        request: dict[str, Any] = {"ExpressionAttributeValues": encode(values)} if values else {}
        return writing(
            self._table.clients.repeating.put_item,
            TableName=self._table.name,
            Item=self._table.key(partition, entry) | encode(noted),
            ConditionExpression=condition,
            ExpressionAttributeNames={"#connected": "connected_at_ms"} if values else {"#entry": self._table.sort_key},
            **request,
        )

    def called(self, calls: Calls) -> Iterator[Listener]:
        """Everybody who listens at one of the called positions, in their order. Raises Overloaded."""
        between = (f"{calls.first:0{_DIGITS}d}", f"{calls.end:0{_DIGITS}d}")
        line = f"{calls.zone_id}#{calls.run}#{calls.lane}"
        called = Listener(calls.zone_id, calls.run, calls.lane, 0, "", SOCKET, "", 0)
        for number in partitions(calls.first, calls.end):
            for item in self._table.query(f"{line}#{number}", between=between):
                yield _listener(called, item, self._table.sort_key)

    def remove(self, listener: Listener) -> None:
        """Forget a listener, unless another one has its slot by now; raises Overloaded. Repeated it changes nothing."""
        partition, entry = _key(listener)
        writing(
            self._table.clients.repeating.delete_item,
            TableName=self._table.name,
            Key=self._table.key(partition, entry),
            ConditionExpression="#connected = :connected",
            ExpressionAttributeNames={"#connected": "connected_at_ms"},
            ExpressionAttributeValues=encode({":connected": listener.connected_at_ms}),
        )


def _listener(of: Listener, item: Mapping[str, Any], sort_key: str | None) -> Listener:
    """Who is stored; `of` says where. An item of an earlier release has the connection's id for a slot."""
    place, channel = item[str(sort_key)].split("#", 1)
    kind, slot = channel.split(":", 1)
    return replace(
        of,
        position=int(place),
        visitor_id=item["visitor_id"],
        channel=kind,
        address=item.get("connection_id", slot),
        connected_at_ms=item["connected_at_ms"],
        slot=slot,
    )


def _key(listener: Listener) -> tuple[str, str]:
    line = f"{listener.zone_id}#{listener.run}#{listener.lane}#{listener.position // POSITIONS_PER_PARTITION}"
    return line, f"{listener.position:0{_DIGITS}d}#{listener.channel}:{listener.slot}"
