"""What the changes of places come to, counted once each however often and in whatever order they are delivered.

Each second of a run has an item with sums and the ids of the changes in them: one conditional write adds both or
neither. Changes that are counted are at most some hundreds a second, for that is how fast sessions are given.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.retention import Retention

AT_ONCE = 90
"""Changes in one write, three operators and 30 bytes each: an expression may have 300 operators and 4 KB."""
TRIES = 6
SECOND_RETENTION_SEC = 2 * 86400
"""Longer than a stream keeps its records: none comes after that."""
SEEN, CHANGES = "seen", "changes"

Added = Mapping[str, Mapping[str, int]]
"""By id of the change, what it adds to which sum."""


class Tallies:
    """Sums by run and second, and of each minute a row with their total."""

    def __init__(self, clients: Clients, table_name: str, retention: Retention | None = None) -> None:
        self._table = Table(clients, "counters", table_name)
        self._retention = retention or Retention()

    def add(self, zone_id: str, run: int, second: int, added: Added) -> None:
        """Count changes of one second, those that are not counted yet; raises Overloaded: then call it again."""
        for ids in _parts(sorted(added)):
            self._add(zone_id, run, second, {tag_of(event_id): added[event_id] for event_id in ids})

    def sums(self, zone_id: str, run: int, minute: int) -> dict[str, int]:
        """The sums of a minute (consistent); minutes and seconds are counted from the epoch."""
        sums: Counter[str] = Counter()
        hidden = {SEEN, self._table.partition_key, self._table.sort_key, self._table.ttl}
        for item in self._table.query(_seconds(zone_id, run), between=(minute * 60, minute * 60 + 59)):
            sums.update({name: value for name, value in item.items() if name not in hidden})
        return dict(sums)

    def put_minute(self, zone_id: str, run: int, minute: int, changes: int, row: Mapping[str, Any]) -> None:
        """Keep the measures of a minute, unless there are some of more changes; raises Overloaded."""
        stored = {**row, CHANGES: changes, self._table.ttl: minute * 60 + self._retention.minutes_sec}
        writing(
            self._table.clients.repeating.put_item,
            TableName=self._table.name,
            Item=self._table.key(_minutes(zone_id, run), minute) | encode(stored),
            ConditionExpression="attribute_not_exists(#changes) OR #changes < :changes",
            ExpressionAttributeNames={"#changes": CHANGES},
            ExpressionAttributeValues=encode({":changes": changes}),
        )

    def minutes(self, zone_id: str, run: int, first: int, last: int) -> dict[int, dict[str, Any]]:
        """The measures of minutes, by minute; one without changes is not in the answer."""
        hidden = {CHANGES, self._table.partition_key, self._table.sort_key, self._table.ttl}
        return {
            item[str(self._table.sort_key)]: {name: value for name, value in item.items() if name not in hidden}
            for item in self._table.query(_minutes(zone_id, run), between=(first, last))
        }

    def _add(self, zone_id: str, run: int, second: int, added: Added) -> None:
        left = dict(added)
        for _ in range(TRIES):
            if not left or self._write(zone_id, run, second, left) is Answer.YES:
                return
            # Somebody else counted some of them, or this very write went through and its answer was lost.
            item = self._table.get(_seconds(zone_id, run), second) or {}
            seen = set(item.get(SEEN, ()))
            left = {tag: sums for tag, sums in left.items() if tag not in seen}
        if left:
            raise Overloaded

    def _write(self, zone_id: str, run: int, second: int, added: Added) -> Answer:
        sums: Counter[str] = Counter()
        for one in added.values():
            sums.update(one)
        numbered = list(enumerate(sums.items()))
        names = {"#seen": SEEN, "#ttl": self._table.ttl} | {f"#s{at}": name for at, (name, _) in numbered}
        values = {f":s{at}": value for at, (_, value) in numbered} | {":ttl": second + SECOND_RETENTION_SEC}
        tags = list(added)
        tagged: dict[str, Any] = {f":t{at}": {"S": tag} for at, tag in enumerate(tags)}
        return writing(
            self._table.clients.repeating.update_item,
            TableName=self._table.name,
            Key=self._table.key(_seconds(zone_id, run), second),
            UpdateExpression=f"SET #ttl = :ttl ADD #seen :seen, {', '.join(f'#s{at} :s{at}' for at, _ in numbered)}",
            ConditionExpression=" AND ".join(f"NOT contains(#seen, {name})" for name in tagged),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=encode(values) | tagged | {":seen": {"SS": tags}},
        )


def tag_of(event_id: str) -> str:
    """What is remembered of a change: 64 bits, of at most some thousand in an item."""
    return hashlib.sha256(event_id.encode()).hexdigest()[:16]


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def _seconds(zone_id: str, run: int) -> str:
    return f"counted#{zone_id}#{run}"


def _minutes(zone_id: str, run: int) -> str:
    return f"visits#{zone_id}#{run}"
