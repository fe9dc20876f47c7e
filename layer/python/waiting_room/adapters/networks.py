"""How many places were taken from a network in a run: a count under a hash, gone with the run."""

from __future__ import annotations

from waiting_room.adapters.dynamodb import Clients, Table, decode, encode, reading
from waiting_room.retention import Retention


class Networks:
    """Counts by zone, run and the tag of a network."""

    def __init__(self, clients: Clients, table_name: str, retention: Retention | None = None) -> None:
        self._table = Table(clients, "counters", table_name)
        self._kept_sec = (retention or Retention()).places_sec

    def count(self, zone_id: str, run: int, tag: str, now_ms: int) -> int:
        """Count one more place and say how many that makes. One whose answer is lost counts all the same."""
        answer = reading(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(f"network#{zone_id}#{run}#{tag}", 0),
            UpdateExpression="SET #ttl = :ttl ADD #n :one",
            ExpressionAttributeNames={"#n": "n", "#ttl": self._table.ttl},
            ExpressionAttributeValues=encode({":one": 1, ":ttl": now_ms // 1000 + self._kept_sec}),
            ReturnValues="UPDATED_NEW",
        )
        return int(decode(answer["Attributes"])["n"])
