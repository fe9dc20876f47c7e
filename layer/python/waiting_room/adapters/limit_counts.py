"""How often a limit was enforced in a run, or would have been: by reason, in the counters table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.retention import Retention

SLOTS = 8
"""Over so many items, so that none is hot when a thousand instances note what they refuse."""

Counts = Mapping[str, Mapping[str, int]]
"""By what was done (`refused`, `observed`) and then by reason."""


class LimitCounts:
    """Numbers that only grow. Statistics: a lost answer is not looked into."""

    def __init__(self, clients: Clients, table_name: str, retention: Retention | None = None) -> None:
        self._table = Table(clients, "counters", table_name)
        self._kept_sec = (retention or Retention()).minutes_sec

    def add(self, zone_id: str, run: int, slot: int, counts: Mapping[tuple[str, str], int], now_ms: int) -> None:
        """Add to the numbers of a run, by what was done and reason. Raises Overloaded."""
        numbered = list(enumerate(counts.items()))
        names = {f"#n{at}": f"{done}#{reason}" for at, ((done, reason), _) in numbered}
        values = {f":n{at}": count for at, (_, count) in numbered}
        writing(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(f"limits#{zone_id}#{run}", slot % SLOTS),
            UpdateExpression=f"SET #ttl = :ttl ADD {', '.join(f'#n{at} :n{at}' for at, _ in numbered)}",
            ExpressionAttributeNames={"#ttl": self._table.ttl, **names},
            ExpressionAttributeValues=encode({":ttl": now_ms // 1000 + self._kept_sec, **values}),
        )

    def totals(self, zone_id: str, run: int) -> Counts:
        """The numbers of a run so far. Raises Overloaded."""
        sums: dict[str, Counter[str]] = {"refused": Counter(), "observed": Counter()}
        for slot in self._table.query(f"limits#{zone_id}#{run}", consistent=False):
            for name, count in slot.items():
                done, _, reason = name.partition("#")
                if reason and done in sums:
                    sums[done][reason] += count
        return {done: dict(sorted(found.items())) for done, found in sums.items()}
