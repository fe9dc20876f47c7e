"""Claims that reached the token service and could not be served, counted by run in the counters table."""

from __future__ import annotations

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.retention import Retention


class Refusals:
    """Numbers of refused claims; they only grow. Statistics: a lost answer is not looked into."""

    def __init__(self, clients: Clients, table_name: str, retention: Retention | None = None) -> None:
        self._table = Table(clients, "counters", table_name)
        self._kept_sec = (retention or Retention()).minutes_sec

    def count(self, zone_id: str, run: int, refused: int, now_ms: int) -> None:
        """Add to the number of a run. Raises Overloaded."""
        writing(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(f"door#{zone_id}#{run}", 0),
            UpdateExpression="SET #ttl = :ttl ADD #refused :refused",
            ExpressionAttributeNames={"#ttl": self._table.ttl, "#refused": "refused"},
            ExpressionAttributeValues=encode({":ttl": now_ms // 1000 + self._kept_sec, ":refused": refused}),
        )

    def total(self, zone_id: str, run: int) -> int:
        """The number of a run so far. Raises Overloaded."""
        item = self._table.get(f"door#{zone_id}#{run}", 0, consistent=False)
        return int(item["refused"]) if item else 0
