"""The audit log in the counters table: one item for each action of an operator, by zone and moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.record.audit import Entry

RETENTION_SEC = 400 * 86400
"""A year and a month: last year's event can be looked at while this year's is prepared."""
TRIES = 50


class AuditLog:
    """Entries of zones. What was written is never changed."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "counters", table_name)

    def add(self, entry: Entry) -> Entry:
        """Write an entry; at a moment that is taken, a millisecond later. Returns it as written; raises Overloaded."""
        attributes = {
            "action": entry.action,
            "by": entry.by,
            "run": entry.run,
            "reason": entry.reason,
            "changes": json.dumps(entry.changes, separators=(",", ":")),
            "details": json.dumps(entry.details, separators=(",", ":")),
        }
        for at_ms in range(entry.at_ms, entry.at_ms + TRIES):
            item = self._table.key(_partition(entry.zone_id), at_ms)
            item |= encode({**attributes, self._table.ttl: at_ms // 1000 + RETENTION_SEC})
            answer = writing(
                self._table.clients.once.put_item,
                TableName=self._table.name,
                Item=item,
                ConditionExpression="attribute_not_exists(#action)",
                ExpressionAttributeNames={"#action": "action"},
            )
            if answer is not Answer.NO:
                # Not sure is as good as written: noted twice would be worse than a gap that the function's log fills.
                return entry.at(at_ms)
        raise Overloaded

    def latest(self, zone_id: str, count: int) -> list[Entry]:
        """The newest entries of a zone, oldest first; also of a zone that was deleted."""
        items = self._table.query(_partition(zone_id), newest=count)
        return [self._entry(zone_id, item) for item in reversed(items)]

    def _entry(self, zone_id: str, item: Mapping[str, Any]) -> Entry:
        return Entry(
            zone_id=zone_id,
            at_ms=item[str(self._table.sort_key)],
            action=item["action"],
            by=item["by"],
            run=item.get("run"),
            reason=item["reason"],
            changes=json.loads(item["changes"]),
            details=json.loads(item["details"]),
        )


def _partition(zone_id: str) -> str:
    return f"audit#{zone_id}"
