"""The gate item in the counters table: every write the cap depends on (DESIGN 4.3).

Increments, decrements and the tick go through the client that never repeats a call by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.dynamodb import Answer, Clients, Table, encode, writing
from waiting_room.domain.errors import Overloaded, Unsure
from waiting_room.domain.gate_item import ControllerState, GateItem, Sample, Watermarks

BUCKET, SERVING, FLOOR, AHEAD = "b_", "s_", "f_", "a_"


class Gates:
    """Gate items by zone and run. Buckets and watermarks are top-level attributes, for ADD takes no other."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "counters", table_name)
        self._once = clients.once

    def read(self, zone_id: str, run: int, *, consistent: bool = True) -> GateItem | None:
        """The item, or None before the run was created."""
        item = self._table.get(_partition(zone_id, run), 0, consistent=consistent)
        return None if item is None else _gate(zone_id, run, item)

    def create(self, gate: GateItem) -> bool:
        """Write the first gate item of a run; False when it exists already."""
        item = self._table.key(_partition(gate.zone_id, gate.run), 0) | encode(
            {
                "claimed": gate.claimed,
                "limit": gate.limit,
                "closed_to": gate.closed_to,
                "tick": gate.tick,
                "width": gate.width_sec,
                "shards": gate.shards if gate.shards > 1 else None,
                "state": _state_item(gate.state),
                **_watermark_attributes(gate.lanes),
            }
        )
        request = {"ConditionExpression": "attribute_not_exists(#tick)", "ExpressionAttributeNames": {"#tick": "tick"}}
        write = self._table.clients.repeating.put_item
        return writing(write, TableName=self._table.name, Item=item, **request) is Answer.YES

    def claim(self, zone_id: str, run: int, bucket: int, lane: str | None, position: int) -> Answer:
        """Take one grant and count a lease, if there is a grant and the position is called.

        `lane` is None for a session that was in before and comes back within its grace: its position was called.
        """
        names = {"#claimed": "claimed", "#limit": "limit", "#closed": "closed_to", "#bucket": f"{BUCKET}{bucket}"}
        values: dict[str, int] = {":one": 1, ":bucket": bucket}
        condition = "#claimed < #limit AND #closed < :bucket"
        if lane is not None:
            names |= {"#floor": FLOOR + lane, "#serving": SERVING + lane, "#ahead": AHEAD + lane}
            values[":position"] = position
            condition += " AND #floor <= :position AND (:position < #serving OR :position < #ahead)"
        return self._update(zone_id, run, "ADD #claimed :one, #bucket :one", condition, names, values)

    def hold(self, zone_id: str, run: int, bucket: int, while_open: int) -> Answer:
        """Count a lease in a further bucket, as long as the bucket it is counted in now is open."""
        return self._update(
            zone_id,
            run,
            "ADD #bucket :one",
            "#closed < :open",
            {"#bucket": f"{BUCKET}{bucket}", "#closed": "closed_to"},
            {":one": 1, ":open": while_open},
        )

    def release(self, zone_id: str, run: int, *buckets: int) -> None:
        """Stop counting leases in these buckets, in one write that is sent at most once.

        Whatever becomes of it is final: a lease that stays counted ends with its bucket, a second decrement could
        take somebody else's.
        """
        names: dict[str, str] = {}
        values: dict[str, int] = {}
        adds, checks = [], []
        for index, (bucket, count) in enumerate(sorted(Counter(buckets).items())):
            names[f"#b{index}"] = f"{BUCKET}{bucket}"
            values |= {f":less{index}": -count, f":least{index}": count}
            adds.append(f"#b{index} :less{index}")
            checks.append(f"#b{index} >= :least{index}")
        try:
            self._update(zone_id, run, f"ADD {', '.join(adds)}", " AND ".join(checks), names, values)
        except Overloaded:
            return

    def advance(self, read: GateItem, decided: GateItem, attempt: str) -> Answer:
        """Write a tick's decision unless anything else decided since the item was read."""
        ended = [bucket for bucket in read.buckets if bucket <= decided.closed_to]
        marks = _watermark_attributes(decided.lanes)
        names = {
            "#limit": "limit",
            "#closed": "closed_to",
            "#tick": "tick",
            "#state": "state",
            "#attempt": "attempt",
            **{f"#w{index}": name for index, name in enumerate(marks)},
            **{f"#b{index}": f"{BUCKET}{bucket}" for index, bucket in enumerate(ended)},
        }
        values: dict[str, Any] = {
            ":limit": decided.limit,
            ":closed": decided.closed_to,
            ":next": decided.tick,
            ":read": read.tick,
            ":state": _state_item(decided.state),
            ":attempt": attempt,
            **{f":w{index}": value for index, value in enumerate(marks.values())},
        }
        sets = "#limit = :limit, #closed = :closed, #tick = :next, #state = :state, #attempt = :attempt"
        update = "SET " + ", ".join([sets, *(f"#w{index} = :w{index}" for index in range(len(marks)))])
        if ended:
            update += " REMOVE " + ", ".join(f"#b{index}" for index in range(len(ended)))
        return self._update(read.zone_id, read.run, update, "#tick = :read", names, values)

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


def _watermark_attributes(lanes: Mapping[str, Watermarks]) -> dict[str, int]:
    attributes: dict[str, int] = {}
    for name, lane in lanes.items():
        attributes |= {SERVING + name: lane.serving, FLOOR + name: lane.floor, AHEAD + name: lane.ahead}
    return attributes


def _gate(zone_id: str, run: int, item: Mapping[str, Any]) -> GateItem:
    lanes = [name.removeprefix(SERVING) for name in item if name.startswith(SERVING)]
    return GateItem(
        zone_id=zone_id,
        run=run,
        width_sec=item["width"],
        claimed=item["claimed"],
        limit=item["limit"],
        closed_to=item["closed_to"],
        tick=item["tick"],
        lanes={name: Watermarks(item[SERVING + name], item[FLOOR + name], item[AHEAD + name]) for name in lanes},
        buckets={int(name.removeprefix(BUCKET)): count for name, count in item.items() if name.startswith(BUCKET)},
        state=_state(item["state"]),
        shards=item.get("shards", 1),
    )


_SHORT = {
    "ticked_at_ms": "at",
    "claimed": "c",
    "rate_tokens": "rt",
    "clock_ms": "ck",
    "matured_called": "mq",
    "matured_claimed": "mc",
    "recent_called": "rq",
    "recent_claimed": "rc",
    "shut_claims": "sh",
    "known_front": "kf",
    "active": "ac",
    "leave_rate": "lr",
    "end_rate": "er",
    "end_weight": "ew",
    "held": "hd",
    "lapses_seen": "ls",
    "pace": "pc",
    "speed": "v",
    "speed_weight": "vw",
    "locked": "lk",
    "hold_until_ms": "hu",
    "phase": "ph",
    "entry": "en",
    "epochs": "ep",
}
"""Attribute names cost as much as values in an item that must stay under one write unit."""


def _state_item(state: ControllerState) -> dict[str, Any]:
    item: dict[str, Any] = {short: getattr(state, name) for name, short in _SHORT.items()}
    item["cm"] = list(state.coming)
    item["sa"] = [[sample.clock_ms, sample.claimed, dict(sample.serving)] for sample in state.samples]
    return item


def _state(item: Mapping[str, Any]) -> ControllerState:
    samples = tuple(Sample(clock, claimed, serving) for clock, claimed, serving in item.get("sa", []))
    known = {name: item[short] for name, short in _SHORT.items() if short in item}
    return ControllerState(samples=samples, coming=tuple(item.get("cm", ())), **known)
