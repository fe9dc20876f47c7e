"""Whose number it is in a run, and how much was sent to it: under a keyed hash, in the counters table."""

from __future__ import annotations

from dataclasses import dataclass

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Unsure
from waiting_room.domain.phones import number_tag
from waiting_room.retention import Retention


@dataclass(frozen=True)
class Limit:
    """At most so many of what `counter` names, in `slot` (an hour, or 0 for the whole run)."""

    counter: str
    most: int
    slot: int = 0


class Phones:
    """Numbers of all runs. `key` is what their hashes are made with; without one nothing can be looked up."""

    def __init__(self, clients: Clients, table_name: str, key: str, retention: Retention | None = None) -> None:
        self._table = Table(clients, "counters", table_name)
        self._key = key
        self._kept_sec = (retention or Retention()).places_sec

    def tag(self, zone_id: str, run: int, number: str) -> str:
        """What stands for a number in a run; raises ValueError without a key."""
        if not self._key:
            raise ValueError("The hashes of numbers need a key.")
        return number_tag(self._key, zone_id, run, number)

    def take(self, limit: Limit, from_ms: int) -> bool:
        """Count one more, unless there are as many already. Kept from `from_ms` on as long as places are.

        Raises Overloaded, and Unsure when the answer was lost: one may be counted, and nothing may be sent for it.
        """
        answer = writing(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(limit.counter, limit.slot),
            UpdateExpression="SET #ttl = :ttl ADD #n :one",
            ConditionExpression="attribute_not_exists(#n) OR #n < :most",
            ExpressionAttributeNames={"#n": "n", "#ttl": self._table.ttl},
            ExpressionAttributeValues=encode({":one": 1, ":most": limit.most, ":ttl": self._expires_sec(from_ms)}),
        )
        if answer is Answer.UNSURE:
            raise Unsure
        return answer is Answer.YES

    def give_back(self, limit: Limit) -> None:
        """Count one less: nothing was sent for it. Where the answer is lost it stays as it is. Raises Overloaded."""
        writing(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(limit.counter, limit.slot),
            UpdateExpression="ADD #n :less",
            ConditionExpression="#n > :none",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues=encode({":less": -1, ":none": 0}),
        )

    def codes_sent(self, zone_id: str, run: int) -> int:
        """How many passcodes of a run were counted; a little late. Raises Overloaded."""
        item = self._table.get(codes_counter(zone_id, run), 0, consistent=False)
        return int(item["n"]) if item else 0

    def owner(self, zone_id: str, run: int, tag: str) -> str | None:
        """The visitor a number belongs to (consistent), or None. Raises Overloaded."""
        item = self._table.get(_phone(zone_id, run, tag), 0)
        found: str | None = (item or {}).get("visitor_id")
        return found

    def bind(self, zone_id: str, run: int, tag: str, visitor_id: str, from_ms: int, *, instead_of: str = "") -> bool:
        """Give a number to a visitor: where nobody has it, or whom `instead_of` names. Done twice it is the same.

        Raises Overloaded, and Unsure when the answer was lost.
        """
        answer = writing(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(_phone(zone_id, run, tag), 0),
            UpdateExpression="SET #owner = :mine, #ttl = :ttl",
            ConditionExpression="attribute_not_exists(#owner) OR #owner = :mine OR #owner = :other",
            ExpressionAttributeNames={"#owner": "visitor_id", "#ttl": self._table.ttl},
            ExpressionAttributeValues=encode(
                {":mine": visitor_id, ":other": instead_of, ":ttl": self._expires_sec(from_ms)}
            ),
        )
        if answer is Answer.UNSURE:
            raise Unsure
        return answer is Answer.YES

    def release(self, zone_id: str, run: int, tag: str, visitor_id: str) -> None:
        """Take a number from a visitor who is erased; done twice it is the same. Raises Overloaded."""
        writing(
            self._table.clients.repeating.update_item,
            TableName=self._table.name,
            Key=self._table.key(_phone(zone_id, run, tag), 0),
            UpdateExpression="REMOVE #owner",
            ConditionExpression="#owner = :mine",
            ExpressionAttributeNames={"#owner": "visitor_id"},
            ExpressionAttributeValues=encode({":mine": visitor_id}),
        )

    def _expires_sec(self, from_ms: int) -> int:
        return from_ms // 1000 + self._kept_sec


def codes_counter(zone_id: str, run: int, what: str = "") -> str:
    """The counter of a run's passcodes, or of those of a place, a number or a network in it."""
    return f"codes_of#{zone_id}#{run}#{what}" if what else f"codes#{zone_id}#{run}"


def _phone(zone_id: str, run: int, tag: str) -> str:
    return f"phone#{zone_id}#{run}#{tag}"
