"""Alerts asked for, by position: in the user_connections table, apart from open connections; and how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from waiting_room.adapters.dynamodb import Clients, Table, encode, reading, writing
from waiting_room.domain.alerts import CHANNELS, Alert
from waiting_room.domain.answers import Answer

POSITIONS_PER_PARTITION = 100_000
"""Far more than of connections: alerts are few, and those of a quarter of an hour ahead are looked for at once."""
RETENTION_SEC = 86_400
"""After the start, or after it was asked for: an alert whose turn never came is forgotten with its number."""

_DIGITS = 12


class Alerts:
    """Alerts of all runs."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "user_connections", table_name)

    def file(self, alert: Alert, *, until_sec: int) -> bool:
        """Keep an alert, instead of one over the same channel; whether there was none. Raises Overloaded."""
        told = {
            "visitor_id": alert.visitor_id,
            "destination": alert.sealed,
            "language": alert.language,
            "consent_at_ms": alert.consent_at_ms,
            self._table.ttl: until_sec,
        }
        answer = reading(
            self._table.clients.repeating.put_item,
            TableName=self._table.name,
            Item=self._key(alert) | encode(told),
            ReturnValues="ALL_OLD",
        )
        return "Attributes" not in answer

    def due(self, zone_id: str, run: int, lane: str, first: int, end: int) -> Iterator[Alert]:
        """Alerts at positions `first` to `end` - 1, in their order. Raises Overloaded."""
        between = (f"{first:0{_DIGITS}d}", f"{end:0{_DIGITS}d}")
        line = f"{zone_id}#{run}#{lane}"
        for number in range(first // POSITIONS_PER_PARTITION, max(end - 1, first) // POSITIONS_PER_PARTITION + 1):
            for item in self._table.query(f"{line}#alerts{number}", between=between):
                place, channel = item[str(self._table.sort_key)].split("#", 1)
                yield _alert(zone_id, run, lane, item, channel, int(place))

    def early(self, zone_id: str, run: int, lane: str, most: int) -> list[Alert]:
        """Alerts asked for before the place was known, `most` of them. Raises Overloaded."""
        items = self._table.query(f"{zone_id}#{run}#{lane}#prequeue", newest=most)
        channels = [item[str(self._table.sort_key)].split("#", 1)[1] for item in items]
        return [_alert(zone_id, run, lane, item, channel) for item, channel in zip(items, channels, strict=True)]

    def take(self, alert: Alert) -> bool:
        """Remove an alert, number and all; True for the one who did, who alone may send it. Raises Overloaded.

        When the answer is lost nobody sends it: better no message than two.
        """
        answer = writing(
            self._table.clients.once.delete_item,
            TableName=self._table.name,
            Key=self._key(alert),
            ConditionExpression="attribute_exists(#sk)",
            ExpressionAttributeNames={"#sk": str(self._table.sort_key)},
        )
        return answer is Answer.YES

    def forget(self, zone_id: str, run: int, lane: str, visitor_id: str, position: int | None) -> None:
        """Remove whatever a visitor asked for; raises Overloaded. Repeating it changes nothing."""
        for place in {None, position}:
            for channel in CHANNELS:
                alert = Alert(zone_id, run, lane, visitor_id, channel, b"", "", 0, place)
                reading(self._table.clients.repeating.delete_item, TableName=self._table.name, Key=self._key(alert))

    def _key(self, alert: Alert) -> dict[str, Any]:
        line = f"{alert.zone_id}#{alert.run}#{alert.lane}"
        if alert.position is None:
            return self._table.key(f"{line}#prequeue", f"{alert.visitor_id}#{alert.channel}")
        partition = f"{line}#alerts{alert.position // POSITIONS_PER_PARTITION}"
        return self._table.key(partition, f"{alert.position:0{_DIGITS}d}#{alert.channel}")


class AlertCounts:
    """How many alerts were asked for in a run: what they cost at most is the organiser's to decide."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "counters", table_name)

    def take(self, zone_id: str, run: int, most: int, until_sec: int) -> bool:
        """Count one more, unless there are `most`. One whose answer is lost counts all the same. Raises Overloaded."""
        answer = writing(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(f"alerts#{zone_id}#{run}", 0),
            UpdateExpression="SET #ttl = :ttl ADD #n :one",
            ConditionExpression="attribute_not_exists(#n) OR #n < :most",
            ExpressionAttributeNames={"#n": "n", "#ttl": self._table.ttl},
            ExpressionAttributeValues=encode({":one": 1, ":most": most, ":ttl": until_sec}),
        )
        return answer is not Answer.NO


def _alert(zone_id: str, run: int, lane: str, item: dict[str, Any], channel: str, position: int | None = None) -> Alert:
    known = {name: item[name] for name in ("visitor_id", "language", "consent_at_ms")}
    kind = next(each for each in CHANNELS if each == channel)
    return Alert(zone_id, run, lane, channel=kind, sealed=item["destination"], position=position, **known)
