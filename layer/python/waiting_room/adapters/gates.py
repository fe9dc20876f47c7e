"""The gate item in the counters table: every write the cap depends on (PROTOCOL, The gate item).

Increments, decrements and the tick go through the client that never repeats a call by itself.
"""

from __future__ import annotations

import logging
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.adapters.gate_state import UnreadableState, pack, unpack
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded, Unsure

BUCKET, SERVING, FLOOR, AHEAD, RELEASED = "b", "s", "f", "a", "x"
"""How the names of attributes begin, before a bucket's or a lane's number; no other attribute begins with BUCKET."""
_DIGITS = string.digits + string.ascii_letters

logger = logging.getLogger(__name__)


class Gates:
    """Gate items by zone and run. Buckets are top-level attributes, for ADD takes no other.

    Watermarks go by the number of their lane, in an order that only grows: a lane keeps its number for the whole run.
    """

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "counters", table_name)
        self._once = clients.once
        self._lanes: dict[tuple[str, int], list[str]] = {}

    def read(self, zone_id: str, run: int, *, consistent: bool = True) -> GateItem | None:
        """The item, or None before the run was created. A memory that cannot be read is logged and begins anew.

        None also for a run whose join counters lie where an earlier release had them: here they would begin again at
        1, and two visitors would share a place. Logged; a reset of the zone begins a run that is read.
        """
        item = self._table.get(_partition(zone_id, run), 0, consistent=consistent)
        if item is None:
            return None
        if "joins" not in item:
            logger.error("the run is of an earlier release: reset the zone", extra={"zone_id": zone_id, "run": run})
            return None
        self._lanes[zone_id, run] = _lanes(item)
        return _gate(zone_id, run, item)

    def create(self, gate: GateItem) -> bool:
        """Write the first gate item of a run; False when it exists already."""
        item = self._table.key(_partition(gate.zone_id, gate.run), 0) | encode(
            {
                "claimed": gate.claimed,
                "limit": gate.limit,
                "closed_to": gate.closed_to,
                "tick": gate.tick,
                "width": gate.width_sec,
                "joins": gate.shards,
                "order": gate.order if gate.order != "fifo" else None,
                "lanes": ",".join(gate.lanes),
                "state": pack(gate.state, list(gate.lanes)),
                **_watermark_attributes(gate.lanes, list(gate.lanes)),
            }
        )
        request = {"ConditionExpression": "attribute_not_exists(#tick)", "ExpressionAttributeNames": {"#tick": "tick"}}
        write = self._table.clients.repeating.put_item
        return writing(write, TableName=self._table.name, Item=item, **request) is Answer.YES

    def claim(self, zone_id: str, run: int, bucket: int, lane: str | None, position: int) -> Answer:
        """Take one grant and count a lease, if there is a grant and the position is called.

        `lane` is None for a session that was in before and comes back within its grace: its position was called.
        A lane that no tick has seen yet has no grants.
        """
        names = {"#claimed": "claimed", "#limit": "limit", "#closed": "closed_to", "#bucket": bucket_name(bucket)}
        values: dict[str, int] = {":one": 1, ":bucket": bucket}
        condition = "#claimed < #limit AND #closed < :bucket"
        if lane is not None:
            index = self._index(zone_id, run, lane)
            if index is None:
                return Answer.NO
            names |= {"#floor": f"{FLOOR}{index}", "#serving": f"{SERVING}{index}", "#ahead": f"{AHEAD}{index}"}
            values[":position"] = position
            condition += " AND #floor <= :position AND (:position < #serving OR :position < #ahead)"
        answer = self._update(zone_id, run, "ADD #claimed :one, #bucket :one", condition, names, values)
        return self._counting(answer, zone_id, run, bucket, "readmit" if lane is None else "claim")

    def _index(self, zone_id: str, run: int, lane: str) -> int | None:
        """The number of a lane, as read last; one that was not there then is looked for again."""
        if lane not in self._lanes.get((zone_id, run), []) and self.read(zone_id, run) is None:
            return None
        lanes = self._lanes[zone_id, run]
        return lanes.index(lane) if lane in lanes else None

    def hold(self, zone_id: str, run: int, bucket: int, while_open: int, verb: str) -> Answer:
        """Count a lease in a further bucket, as long as the bucket it is counted in now is open.

        `verb` is what is done; it stands in the log where the answer is lost.
        """
        answer = self._update(
            zone_id,
            run,
            "ADD #bucket :one",
            "#closed < :open",
            {"#bucket": bucket_name(bucket), "#closed": "closed_to"},
            {":one": 1, ":open": while_open},
        )
        return self._counting(answer, zone_id, run, bucket, verb)

    def _counting(self, answer: Answer, zone_id: str, run: int, bucket: int, verb: str) -> Answer:
        if answer is Answer.UNSURE:
            self.phantom(zone_id, run, bucket, verb=verb)
        return answer

    @contextmanager
    def counted(self, zone_id: str, run: int, bucket: int) -> Iterator[None]:
        """Around the one write that a lease was counted for: if it is refused for good, the lease is taken back.

        A write that raises was not applied (`writing`); one that may have been answers UNSURE and keeps its lease.
        Nothing else may stand inside: a read that fails settles nothing.
        """
        try:
            yield
        except (Overloaded, ClientError):
            self.release(zone_id, run, bucket)
            raise

    def phantom(self, zone_id: str, run: int, bucket: int, verb: str) -> None:
        """Log a lease that may stay counted although nobody has it: until its bucket closes, one fewer is let in."""
        told = {"zone_id": zone_id, "run": run, "buckets": [bucket], "verb": verb, "phantoms": 1}
        logger.warning("phantom lease", extra=told)

    def release(self, zone_id: str, run: int, bucket: int) -> None:
        """Stop counting a lease in a bucket; no decrement is sent twice.

        Whatever becomes of it is final: a lease that stays counted ends with its bucket, a second decrement could take
        somebody else's. In a bucket that is closed already there is nothing to do.
        """
        names, values = {"#bucket": bucket_name(bucket)}, {":less": -1, ":one": 1}
        try:
            answer = self._update(zone_id, run, "ADD #bucket :less", "#bucket >= :one", names, values)
        except Overloaded:
            self.phantom(zone_id, run, bucket, verb="release")
            return
        if answer is Answer.UNSURE:
            self.phantom(zone_id, run, bucket, verb="release")

    def advance(self, read: GateItem, decided: GateItem) -> Answer:
        """Write a tick's decision unless anything else decided since the item was read.

        Leases of exits are released by the same write that says which exits those were: each once, whoever ticks.
        """
        ended = [bucket for bucket in read.buckets if bucket <= decided.closed_to]
        order = [*read.lanes, *(name for name in decided.lanes if name not in read.lanes)]
        marks = _watermark_attributes({**read.lanes, **decided.lanes}, order)
        names = {
            "#limit": "limit",
            "#closed": "closed_to",
            "#tick": "tick",
            "#state": "state",
            "#lanes": "lanes",
            **{f"#w{index}": name for index, name in enumerate(marks)},
            **{f"#b{index}": bucket_name(bucket) for index, bucket in enumerate(ended)},
        }
        values: dict[str, Any] = {
            ":limit": decided.limit,
            ":closed": decided.closed_to,
            ":next": decided.tick,
            ":read": read.tick,
            ":state": pack(decided.state, order),
            ":lanes": ",".join(order),
            **{f":w{index}": value for index, value in enumerate(marks.values())},
        }
        sets = "#limit = :limit, #closed = :closed, #tick = :next, #state = :state, #lanes = :lanes"
        update = "SET " + ", ".join([sets, *(f"#w{index} = :w{index}" for index in range(len(marks)))])
        if decided.released_to:
            update += ", #released = :released"
            names["#released"], values[":released"] = RELEASED, decided.released_to
        if ended:
            update += " REMOVE " + ", ".join(f"#b{index}" for index in range(len(ended)))
        condition, leaving = "#tick = :read", {k: n for k, n in decided.leaving.items() if k > decided.closed_to}
        for index, (bucket, count) in enumerate(leaving.items()):
            names[f"#l{index}"] = bucket_name(bucket)
            values |= {f":less{index}": -count, f":least{index}": count}
            condition += f" AND #l{index} >= :least{index}"
        if leaving:
            update += " ADD " + ", ".join(f"#l{index} :less{index}" for index in range(len(leaving)))
        return self._update(read.zone_id, read.run, update, condition, names, values)

    def fence(self, zone_id: str, run: int) -> None:
        """Withdraw unused grants and make every decision already under way fail: for an operator's change.

        Raises Unsure when the answer was lost; doing it twice is harmless.
        """
        answer = writing(
            self._table.clients.repeating.update_item,
            TableName=self._table.name,
            Key=self._table.key(_partition(zone_id, run), 0),
            UpdateExpression="SET #limit = #claimed, #tick = #tick + :one",
            ConditionExpression="attribute_exists(#tick)",
            ExpressionAttributeNames={"#limit": "limit", "#claimed": "claimed", "#tick": "tick"},
            ExpressionAttributeValues=encode({":one": 1}),
        )
        if answer is Answer.UNSURE:
            raise Unsure

    def touch(self, zone_id: str, run: int) -> Answer:
        """Write nothing, as a claim would write: NO tells that it could have. Raises Overloaded."""
        names, values = {"#limit": "limit", "#claimed": "claimed"}, {":zero": 0}
        return self._update(zone_id, run, "ADD #claimed :zero", "#limit < :zero", names, values)

    def _update(
        self, zone_id: str, run: int, update: str, condition: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> Answer:
        return writing(
            self._once.update_item,
            TableName=self._table.name,
            Key=self._table.key(_partition(zone_id, run), 0),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=encode(values),
        )


def _partition(zone_id: str, run: int) -> str:
    return f"gate#{zone_id}#{run}"


def bucket_name(bucket: int) -> str:
    """Attribute name of a bucket: its number in base 62, for names cost as much as values."""
    digits = ""
    while bucket or not digits:
        bucket, digit = divmod(bucket, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return BUCKET + digits


def _bucket_of(name: str) -> int:
    number = 0
    for digit in name.removeprefix(BUCKET):
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number


def _watermark_attributes(lanes: Mapping[str, Watermarks], order: Sequence[str]) -> dict[str, int]:
    attributes: dict[str, int] = {}
    for index, name in enumerate(order):
        lane = lanes[name]
        attributes |= {f"{SERVING}{index}": lane.serving, f"{FLOOR}{index}": lane.floor, f"{AHEAD}{index}": lane.ahead}
    return attributes


def _gate(zone_id: str, run: int, item: Mapping[str, Any]) -> GateItem:
    lanes = _lanes(item)
    buckets = {_bucket_of(name): item[name] for name in item if name.startswith(BUCKET)}
    gate = GateItem(
        zone_id=zone_id,
        run=run,
        width_sec=item["width"],
        claimed=item["claimed"],
        limit=item["limit"],
        closed_to=item["closed_to"],
        tick=item["tick"],
        lanes={
            name: Watermarks(item[f"{SERVING}{index}"], item[f"{FLOOR}{index}"], item[f"{AHEAD}{index}"])
            for index, name in enumerate(lanes)
        },
        buckets=buckets,
        shards=item["joins"],
        order=item.get("order", "fifo"),
        released_to=item.get(RELEASED, 0),
    )
    try:
        return replace(gate, state=unpack(item["state"], lanes))
    except UnreadableState as error:
        told = {"zone_id": zone_id, "run": run, "why": str(error)}
        logger.warning("the controller's memory cannot be read: it begins anew", extra=told)
        return gate.without_memory()


def _lanes(item: Mapping[str, Any]) -> list[str]:
    return [name for name in str(item["lanes"]).split(",") if name]
