"""The queue table: one item per visitor of a run, changed only by compare-and-set (PROTOCOL, The queue item).

Each compare-and-set stores an attempt id, so that a visitor's own write is known again when its answer was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.line.places import QueueItem
from waiting_room.retention import Retention

logger = logging.getLogger(__name__)

NOBODY = "nobody"
"""No visitor's id: those have 22 characters."""
_NOT_STORED = ("zone_id", "run", "visitor_id", "position", "arrival")
_STORED = [field.name for field in fields(QueueItem) if field.name not in _NOT_STORED]


class Queue:
    """Places by zone, run and visitor."""

    def __init__(
        self, clients: Clients, table_name: str, counters_table_name: str, retention: Retention | None = None
    ) -> None:
        self._table = Table(clients, "queue", table_name)
        self._kept_sec = (retention or Retention()).places_sec
        self._counters = Table(clients, "counters", counters_table_name)
        self._once = clients.once

    def get(self, zone_id: str, run: int, visitor_id: str) -> QueueItem | None:
        """The place as stored (consistent), or None for somebody who never joined this run."""
        item = self._table.get(_partition(zone_id, run, visitor_id))
        if item is None:
            return None
        known = {name: item[name] for name in _STORED if name in item}
        return QueueItem(zone_id=zone_id, run=run, visitor_id=visitor_id, **known)

    def arrived(self, item: QueueItem, attempt: str) -> bool:
        """Whether a write whose answer was lost is there; False settles nothing, for it may still arrive."""
        try:
            stored = self.get(item.zone_id, item.run, item.visitor_id)
        except Overloaded:
            logger.warning("a lost answer stays lost", extra={"zone_id": item.zone_id, "run": item.run})
            return False
        return stored is not None and stored.attempt == attempt

    def add(self, item: QueueItem, replacing: QueueItem | None = None, starts_at_ms: int | None = None) -> Answer:
        """Write a new place: where there is none, or instead of exactly the one that was read.

        A place taken before the start is kept from then on: it must not expire while its visitor waits for the doors.
        """
        partition = _partition(item.zone_id, item.run, item.visitor_id)
        attributes = {name: getattr(item, name) for name in _STORED}
        stored = self._table.key(partition) | encode(
            attributes | self._expiry(max(item.joined_at_ms, starts_at_ms or 0))
        )
        names, values = {"#seq": "seq"}, {}
        condition = "attribute_not_exists(#seq)"
        if replacing is not None:
            condition = "#seq = :seq AND #status = :status AND #attempt = :attempt"
            names |= {"#status": "status", "#attempt": "attempt"}
            values = {":seq": replacing.seq, ":status": replacing.status, ":attempt": replacing.attempt}
        request = {"ConditionExpression": condition, "ExpressionAttributeNames": names}
        if values:
            request["ExpressionAttributeValues"] = encode(values)
        return writing(self._once.put_item, TableName=self._table.name, Item=stored, **request)

    def admit(
        self, item: QueueItem, *, sid: str, bucket: int, hard_end_at_ms: int, kind: str, attempt: str, now_ms: int
    ) -> Answer:
        """Turn a waiting visitor into an admitted one, if the place is still the one that was read."""
        sets = {
            "status": "admitted",
            "sid": sid,
            "bucket": bucket,
            "hard_end_at_ms": hard_end_at_ms,
            "lease_kind": kind,
            "admitted_at_ms": now_ms,
        }
        return self._change(item, sets, {"status": "waiting", "seq": item.seq, "gen": item.gen}, attempt, now_ms)

    def readmit(self, item: QueueItem, *, bucket: int, attempt: str, now_ms: int) -> Answer:
        """Give a session whose lease has ended a new lease; session id and hard end stay."""
        return self.move_lease(item, bucket=bucket, attempt=attempt, now_ms=now_ms)

    def move_lease(self, item: QueueItem, *, bucket: int, attempt: str, now_ms: int) -> Answer:
        """Move an admitted visitor's lease from the bucket that was read to another."""
        return self._change(item, {"bucket": bucket}, _session(item), attempt, now_ms)

    def leave(self, item: QueueItem, *, attempt: str, now_ms: int) -> Answer:
        """End a place, waiting or admitted, as it was read."""
        return self._change(item, {"status": "left"}, _session(item), attempt, now_ms)

    def revoke(self, item: QueueItem, *, attempt: str, now_ms: int) -> Answer:
        """Bar the visitor from this run, whatever the place was when it was read."""
        return self._change(item, {"status": "revoked"}, _session(item), attempt, now_ms)

    def erase(self, item: QueueItem) -> Answer:
        """Delete a place exactly as it was read. Sent twice it is the same: what is gone is gone."""
        partition = _partition(item.zone_id, item.run, item.visitor_id)
        return writing(
            self._once.delete_item,
            TableName=self._table.name,
            Key=self._table.key(partition),
            ConditionExpression="#seq = :seq AND #status = :status AND #attempt = :attempt",
            ExpressionAttributeNames={"#seq": "seq", "#status": "status", "#attempt": "attempt"},
            ExpressionAttributeValues=encode({":seq": item.seq, ":status": item.status, ":attempt": item.attempt}),
        )

    def move(self, item: QueueItem, *, attempt: str, now_ms: int) -> Answer:
        """Give a waiting place its next generation, if nothing about it changed since it was read."""
        as_read = {"status": "waiting", "seq": item.seq, "gen": item.gen}
        return self._change(item, {"gen": item.gen + 1}, as_read, attempt, now_ms)

    def verify_phone(self, item: QueueItem, *, phone: str, attempt: str, now_ms: int) -> Answer:
        """Note what stands for the number of a waiting place, or (empty) that it has none any more.

        Applied if it is still the place, and on the device, that was read.
        """
        as_read = {"status": "waiting", "seq": item.seq, "gen": item.gen}
        return self._change(item, {"phone": phone}, as_read, attempt, now_ms)

    def mark_away(self, item: QueueItem, now_ms: int) -> Answer:
        """Note when a waiting visitor hid the page; 0 when it is seen again."""
        return writing(self._once.update_item, **self._update(item, {"away_at_ms": now_ms}, {"status": "waiting"}))

    def confirm(self, item: QueueItem, *, reference: str, attempt: str, now_ms: int) -> Answer:
        """Tie a session to the site's reference, once."""
        return self._change(item, {"reference": reference}, _session(item), attempt, now_ms, unused_reference=reference)

    def complete(self, item: QueueItem, *, reference: str, attempt: str, now_ms: int) -> Answer:
        """End a session because its visitor bought."""
        sets = self._completion(item, reference, now_ms)
        return self._change(item, sets, _session(item), attempt, now_ms, unused_reference=reference)

    def complete_with_sale(self, item: QueueItem, *, reference: str, slot: int, attempt: str, now_ms: int) -> Answer:
        """The same, and one more sold: both or neither."""
        sets = self._completion(item, reference, now_ms) | {"attempt": attempt} | self._expiry(now_ms)
        sale = {
            "TableName": self._counters.name,
            "Key": self._counters.key(f"sold#{item.zone_id}#{item.run}", slot),
            "UpdateExpression": "ADD #n :one",
            "ExpressionAttributeNames": {"#n": "n"},
            "ExpressionAttributeValues": encode({":one": 1}),
        }
        return writing(
            self._once.transact_write_items,
            TransactItems=[{"Update": self._update(item, sets, _session(item), reference)}, {"Update": sale}],
            ClientRequestToken=attempt,
        )

    def touch(self, zone_id: str, run: int) -> Answer:
        """Write nothing, as a claim would write: NO tells that it could have. Raises Overloaded."""
        return writing(
            self._once.update_item,
            TableName=self._table.name,
            Key=self._table.key(_partition(zone_id, run, NOBODY)),
            UpdateExpression="SET #status = :none",
            ConditionExpression="attribute_exists(#status)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=encode({":none": "none"}),
        )

    def _completion(self, item: QueueItem, reference: str, now_ms: int) -> dict[str, Any]:
        return {
            "status": "completed",
            "reference": reference,
            "completed_at_ms": now_ms,
            "purchases": item.purchases + 1,
        }

    def _expiry(self, now_ms: int) -> dict[str, int]:
        return {self._table.ttl: now_ms // 1000 + self._kept_sec}

    def _change(
        self,
        item: QueueItem,
        sets: Mapping[str, Any],
        as_read: Mapping[str, Any],
        attempt: str,
        now_ms: int,
        *,
        unused_reference: str | None = None,
    ) -> Answer:
        all_sets = {**sets, "attempt": attempt, **self._expiry(now_ms)}
        return writing(self._once.update_item, **self._update(item, all_sets, as_read, unused_reference))

    def _update(
        self,
        item: QueueItem,
        sets: Mapping[str, Any],
        as_read: Mapping[str, Any],
        unused_reference: str | None = None,
    ) -> dict[str, Any]:
        """A compare-and-set: `sets`, if every attribute of `as_read` still has that value."""
        names = {f"#{name}": name for name in {*sets, *as_read}}
        values = {f":new_{name}": value for name, value in sets.items()}
        values |= {f":old_{name}": value for name, value in as_read.items()}
        checks = [f"#{name} = :old_{name}" for name in as_read]
        if unused_reference is not None:
            names["#reference"] = "reference"
            values[":reference"] = unused_reference
            checks.append("(attribute_not_exists(#reference) OR #reference = :reference)")
        return {
            "TableName": self._table.name,
            "Key": self._table.key(_partition(item.zone_id, item.run, item.visitor_id)),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :new_{name}" for name in sets),
            "ConditionExpression": " AND ".join(checks),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": encode(values),
        }


def _session(item: QueueItem) -> dict[str, Any]:
    """The part of an item that makes it the same place, the same session and the same lease."""
    same: dict[str, Any] = {"status": item.status, "seq": item.seq}
    if item.status == "admitted":
        same |= {"sid": item.sid, "bucket": item.bucket}
    return same


def _partition(zone_id: str, run: int, visitor_id: str) -> str:
    return f"{zone_id}#{run}#{visitor_id}"
