"""The joins table, with join numbers and epochs; and of the counters table sales, minute rows and exchangers' locks."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from waiting_room.adapters import varints
from waiting_room.adapters.dynamodb import Clients, Table, decode, encode, reading, writing
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Unsure
from waiting_room.domain.line.epochs import Epoch
from waiting_room.retention import DAY_SEC, Retention

SOLD_SLOTS = 128
"""Of the sales of a run. Two transactions on one item refuse each other: at 200 sales a second that take 20 ms each, a
try meets another in about 6 of 100 cases, and four tries in a row fail once in 70,000. A tick reads them all: at most
three read units."""
AWAY_SLOTS = 8
INVITATION_RETENTION_SEC = 90 * DAY_SEC
"""Longer than an invitation is good for: until then it must be known who used it."""
LOCK_SEC = 5
"""A lock not renewed for this long is free; renewed every other second."""
WAKING_SEC = 10
"""One wake-up call in this time is enough: a cold exchanger is up by then."""


EPOCH_BLOCK = 256
"""Epochs of a block. The last of each is also kept as a mark, so that a number is found in three reads."""
COUNTERS_PER_COPY = 100
"""For every so many join counters the epochs are kept once more: 10,000 joins a second, and later as many who ask for
their places, perhaps all at once, while a partition serves 3,000 read units a second."""


class Joins:
    """Join counters by zone, run, lane and shard, and the epochs that make one line of several counters."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "joins", table_name)

    def next(self, zone_id: str, run: int, lane: str, shard: int) -> int:
        """Take the next number, from 1. A number whose answer is lost is burned: a visitor who never comes.

        Raises Throttled when none was taken, that is certain, and Overloaded when one may have been.
        """
        answer = reading(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(join_partition(zone_id, run, lane, shard), 0),
            UpdateExpression="ADD #seq :one",
            ExpressionAttributeNames={"#seq": "seq"},
            ExpressionAttributeValues=encode({":one": 1}),
            ReturnValues="UPDATED_NEW",
        )
        return int(decode(answer["Attributes"])["seq"])

    def tail(self, zone_id: str, run: int, lane: str, shard: int) -> int:
        """How many numbers have been taken (consistent)."""
        item = self._table.get(join_partition(zone_id, run, lane, shard), 0)
        return int(item["seq"]) if item else 0

    def taken(
        self, zone_id: str, run: int, lanes: Iterable[str], shards: int
    ) -> tuple[dict[str, dict[int, int]], bool]:
        """Numbers taken by lane and shard (consistent), and whether every counter could be read.

        A counter nobody has used, or one that could not be read, is not in the answer.
        """
        names = {join_partition(zone_id, run, lane, shard): (lane, shard) for lane in lanes for shard in range(shards)}
        items, complete = self._table.batch([(name, 0) for name in names])
        numbers: dict[str, dict[int, int]] = {lane: {} for lane, _ in names.values()}
        for name, item in items.items():
            lane, shard = names[name]
            numbers[lane][shard] = int(item["seq"])
        return numbers, complete

    def latest_epoch(self, zone_id: str, run: int, lane: str) -> Epoch | None:
        """The epoch sealed last (consistent), or None before the first."""
        items = self._table.query(_epoch_partition(zone_id, run, lane), newest=1)
        return self._epoch(items[0]) if items and items[0][str(self._table.sort_key)] > 0 else None

    def epochs(self, zone_id: str, run: int, lane: str, first: int, last: int, shard: int = 0) -> list[Epoch]:
        """Sealed epochs by number, those there are; one read, in which those sealed just now may be missing.

        Epochs never change, so a read that is not consistent is as true, at half the price. It is made from
        the copy for this shard.
        """
        partition = _epoch_partition(zone_id, run, lane, shard // COUNTERS_PER_COPY)
        items = self._table.query(partition, between=(max(1, first), last), consistent=False)
        return [self._epoch(item) for item in items]

    def epoch_marks(self, zone_id: str, run: int, lane: str, after: int, shard: int = 0) -> list[Epoch]:
        """The last epoch of every block that ends after `after` and is followed by another; one read, as `epochs`."""
        farthest, nearest = -(2**40), -(after // EPOCH_BLOCK + 1)
        partition = _epoch_partition(zone_id, run, lane, shard // COUNTERS_PER_COPY)
        items = self._table.query(partition, between=(farthest, nearest), consistent=False)
        return [self._epoch(item, -EPOCH_BLOCK) for item in reversed(items)]

    def seal(self, zone_id: str, run: int, lane: str, last: Epoch, epoch: Epoch) -> Answer:
        """Write the epoch that follows `last`, unless somebody has; the mark of a full block is there before it.

        All its copies are written or none, so that they never differ.
        """
        copies = range(-(-len(epoch.cuts) // COUNTERS_PER_COPY))
        partitions = [_epoch_partition(zone_id, run, lane, copy) for copy in copies]
        if last.number and last.number % EPOCH_BLOCK == 0:
            for partition in partitions:
                mark = self._table.key(partition, -(last.number // EPOCH_BLOCK)) | epoch_attributes(last)
                reading(self._table.clients.repeating.put_item, TableName=self._table.name, Item=mark)
        puts = [
            {
                "TableName": self._table.name,
                "Item": self._table.key(partition, epoch.number) | epoch_attributes(epoch),
                "ConditionExpression": "attribute_not_exists(#base)",
                "ExpressionAttributeNames": {"#base": "base"},
            }
            for partition in partitions
        ]
        once = self._table.clients.once
        if len(puts) == 1:
            return writing(once.put_item, **puts[0])
        return writing(once.transact_write_items, TransactItems=[{"Put": put} for put in puts])

    def _epoch(self, item: Mapping[str, Any], scale: int = 1) -> Epoch:
        number = item[str(self._table.sort_key)] * scale
        return epoch_of(item, number)


class Sales:
    """What was sold in a run, spread over slots so that no item is hot; written with the sale in `Queue`."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "counters", table_name)

    def sold(self, zone_id: str, run: int) -> int:
        """Everything sold so far (consistent)."""
        return sum(int(item["n"]) for item in self._table.query(f"sold#{zone_id}#{run}"))


class Invitations:
    """Who used an invitation, so that it is good for one visitor."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "counters", table_name)

    def holder(self, zone_id: str, run: int, invitation_id: str) -> str | None:
        """Who took it (consistent); None for one that is free."""
        item = self._table.get(_invitation(zone_id, run, invitation_id), 0)
        return None if item is None else str(item["visitor_id"])

    def take(self, zone_id: str, run: int, invitation_id: str, visitor_id: str, now_ms: int) -> str:
        """Note the first visitor who takes it; whoever that was. Raises Unsure."""
        answer = writing(
            self._table.clients.repeating.update_item,
            TableName=self._table.name,
            Key=self._table.key(_invitation(zone_id, run, invitation_id), 0),
            UpdateExpression="SET #visitor = :visitor, #ttl = :ttl",
            ConditionExpression="attribute_not_exists(#visitor) OR #visitor = :visitor",
            ExpressionAttributeNames={"#visitor": "visitor_id", "#ttl": self._table.ttl},
            ExpressionAttributeValues=encode(
                {":visitor": visitor_id, ":ttl": now_ms // 1000 + INVITATION_RETENTION_SEC}
            ),
        )
        if answer is Answer.YES:
            return visitor_id
        holder = None if answer is Answer.UNSURE else self.holder(zone_id, run, invitation_id)
        if holder is None:
            raise Unsure
        return holder


def _invitation(zone_id: str, run: int, invitation_id: str) -> str:
    return f"invitation#{zone_id}#{run}#{invitation_id}"


class Minutes:
    """Minute rows: cumulative numbers of a run as they stood in a minute, so that writing one twice is harmless."""

    def __init__(self, clients: Clients, table_name: str, retention: Retention | None = None) -> None:
        self._table = Table(clients, "counters", table_name)
        self._kept_sec = (retention or Retention()).minutes_sec

    def put(self, zone_id: str, run: int, now_ms: int, row: Mapping[str, Any]) -> None:
        """Write the row of the minute `now_ms` lies in; a later one of the same minute replaces it."""
        item = self._table.key(f"minute#{zone_id}#{run}", now_ms // 60_000)
        item |= encode({**row, self._table.ttl: now_ms // 1000 + self._kept_sec})
        reading(self._table.clients.repeating.put_item, TableName=self._table.name, Item=item)

    def latest(self, zone_id: str, run: int, count: int) -> list[dict[str, Any]]:
        """The newest rows of a run, oldest first; each with its `minute` since the epoch."""
        rows = self._table.query(f"minute#{zone_id}#{run}", newest=count)
        hidden = (self._table.partition_key, self._table.sort_key, self._table.ttl)
        return [
            {"minute": row[str(self._table.sort_key)], **{k: v for k, v in row.items() if k not in hidden}}
            for row in reversed(rows)
        ]


class Departures:
    """How many who waited left the page and came back, by lane, with their waits; over slots so that no item is hot."""

    def __init__(self, clients: Clients, table_name: str, retention: Retention | None = None) -> None:
        self._table = Table(clients, "counters", table_name)
        self._kept_sec = (retention or Retention()).minutes_sec

    def count(
        self, zone_id: str, run: int, lane: str, visitor_id: str, now_ms: int, *, away: int, back: int, wait_sec: int
    ) -> None:
        """Add to the numbers of a lane. A lost answer is not looked into: they are statistics. Raises Overloaded."""
        writing(
            self._table.clients.once.update_item,
            TableName=self._table.name,
            Key=self._table.key(f"away#{zone_id}#{run}#{lane}", zlib.crc32(visitor_id.encode()) % AWAY_SLOTS),
            UpdateExpression="SET #ttl = :ttl ADD #away :away, #back :back, #wait :wait",
            ExpressionAttributeNames={"#ttl": self._table.ttl, "#away": "away", "#back": "back", "#wait": "wait_sec"},
            ExpressionAttributeValues=encode(
                {":ttl": now_ms // 1000 + self._kept_sec, ":away": away, ":back": back, ":wait": wait_sec}
            ),
        )

    def totals(self, zone_id: str, run: int, lane: str) -> dict[str, int]:
        """The numbers of a lane so far."""
        slots = self._table.query(f"away#{zone_id}#{run}#{lane}")
        return {name: sum(int(slot[name]) for slot in slots) for name in ("away", "back", "wait_sec")}


class Locks:
    """Who ticks a zone. Only thrift hangs on it: two exchangers at once are kept apart by the tick's condition."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "counters", table_name)

    def hold(self, zone_id: str, owner: str, now_ms: int) -> bool:
        """Take or keep the lock for LOCK_SEC seconds; False while somebody else has it."""
        return self._write(
            zone_id,
            "SET #until = :until, #owner = :owner",
            "attribute_not_exists(#until) OR #until < :now OR #owner = :owner",
            {"#until": "until", "#owner": "owner"},
            {":until": now_ms + LOCK_SEC * 1000, ":now": now_ms, ":owner": owner},
        )

    def release(self, zone_id: str, owner: str) -> None:
        """Give the lock up, if it is still ours."""
        names = {"#until": "until", "#owner": "owner", "#waking": "waking_until"}
        self._write(
            zone_id, "SET #until = :zero, #waking = :zero", "#owner = :owner", names, {":zero": 0, ":owner": owner}
        )

    def may_wake(self, zone_id: str, now_ms: int) -> bool:
        """Whether this caller, and nobody else, is to start an exchanger now."""
        return self._write(
            zone_id,
            "SET #waking = :until",
            "(attribute_not_exists(#until) OR #until < :now) AND (attribute_not_exists(#waking) OR #waking < :now)",
            {"#until": "until", "#waking": "waking_until"},
            {":until": now_ms + WAKING_SEC * 1000, ":now": now_ms},
        )

    def _write(
        self, zone_id: str, update: str, condition: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> bool:
        answer = writing(
            self._table.clients.repeating.update_item,
            TableName=self._table.name,
            Key=self._table.key(f"lock#{zone_id}", 0),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=encode(values),
        )
        return answer is Answer.YES


def epoch_attributes(epoch: Epoch) -> dict[str, Any]:
    """An epoch as it is stored: the cuts packed, for with hundreds of counters they are what reading it costs."""
    closing = {"close": True} if epoch.close else {}
    return encode({"base": epoch.base, "cuts": varints.pack(epoch.cuts), "early": epoch.early, **closing})


def epoch_of(item: Mapping[str, Any], number: int) -> Epoch:
    """The epoch of a stored item."""
    cuts = tuple(varints.unpack(item["cuts"]))
    return Epoch(number, item["base"], cuts, item.get("close", False), item.get("early"))


def _epoch_partition(zone_id: str, run: int, lane: str, copy: int = 0) -> str:
    return f"epoch#{zone_id}#{run}#{lane}" + (f"#{copy}" if copy else "")


def join_partition(zone_id: str, run: int, lane: str, shard: int) -> str:
    """The partition key of a join counter."""
    return f"join#{zone_id}#{run}#{lane}#{shard}"
