"""The largest gate item there can be: each number as long as its bounds allow, each part as full as it gets.

Nothing is written by hand but how far a field can go. A field without a bound here is refused, so whoever adds one to
the controller's memory says how large it gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from tests.memory_dynamo import MemoryDynamo
from tests.memory_dynamo.values import Item, checked, size_of
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.exits import GENERATION_SIZE
from waiting_room.adapters.gates import Gates, bucket_name
from waiting_room.domain.admission.claim_clock import SAMPLES, Sample
from waiting_room.domain.admission.door import BELIED, MANY_MISSES
from waiting_room.domain.admission.gate_item import ControllerState, GateItem, Watermarks
from waiting_room.domain.admission.last_tickets import MOST_LOOKS
from waiting_room.domain.admission.show_up import FAR, MOST_SILENT
from waiting_room.domain.answers import Answer
from waiting_room.domain.lanes import MOST_LANES
from waiting_room.domain.leases import bucket_width_sec, last_ended_bucket, lease_bucket
from waiting_room.domain.zone.sizing import MOST_SHARDS

LANES = [f"lane{number:08d}" for number in range(MOST_LANES)]
"""As many as a zone may have, each with an id as long as it may be."""
ZONE_ID = "a" * 40
NOW_MS = 1_780_315_200_000
LAST_MS = 2_145_916_800_000
"""The last years of the 2030s: moments take no more bytes until then."""
RUN_SEC = 7 * 86_400
PLACES = 10**8
"""Places of a run, all lanes together, and claims."""
ACTIVE = 1_000_000
"""The most a zone may let in (schemas/zone.json); no more are called at a time than find room."""
CALLS_PER_SEC = 25_000
"""500 claims a second, where one of fifty who are called comes."""
CALLED_BETWEEN = 1_000_000
"""Places of one lane called between two samples: 700 s of the longest window, a third of those called coming."""
IDLE_SEC = (30, 200, 201, 219, 300, 319, 320, 399, 600, 901, 3_600)
"""Idle times on both sides of where the buckets get wider."""
LATE_MS = 2_000
"""A tick comes so late at the most while its exchanger lives."""

MOST: Mapping[str, float] = {
    "clock.ms": RUN_SEC * 1000,
    "show_up.on_the_way": ACTIVE,
    "show_up.resolved_called": PLACES,
    "show_up.resolved_came": PLACES,
    "show_up.recent_called": ACTIVE,
    "show_up.recent_came": ACTIVE,
    "show_up.shut_claims": PLACES,
    "show_up.shut_ms": RUN_SEC * 1000,
    "show_up.noticed_front": PLACES,
    "show_up.silent": MOST_SILENT,
    "turnover.active": ACTIVE,
    "turnover.leave_rate": 1_000,
    "turnover.end_rate": 1_000,
    "turnover.end_weight": 1,
    "turnover.mean_active": ACTIVE,
    "turnover.mean_active_at_leaving": ACTIVE,
    "turnover.pace": CALLS_PER_SEC,
    "shared.deficits": 2,
    "shared.quiet": CALLS_PER_SEC,
    "last_tickets.extra_looks": MOST_LOOKS,
    "door.passes": 1,
    "door.misses": MANY_MISSES,
    "door.came": MANY_MISSES,
    "door.asked": 700,
    "door.belied": BELIED,
    "door.doubted_in": ACTIVE // 2,
    "door.unproven": ACTIVE,
    "ticked_at_ms": LAST_MS,
    "claimed": PLACES,
    "rate_tokens": 50_000,
    "hold_until_ms": LAST_MS,
    "epochs": 4 * RUN_SEC,
    "early": PLACES,
}
"""How far the numbers of the controller's memory go, either side of nothing where they may be negative."""
_CHOICES = {"phase": "ended", "entry": "page"}
"""The texts whose numbers are largest."""


def largest_state() -> ControllerState:
    """The controller's memory with everything in it at its largest."""
    return ControllerState(**dict(_largest_fields(ControllerState, "")))


def _largest_fields(kind: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for field in fields(kind):
        name, default = prefix + field.name, getattr(kind(), field.name)
        if name == "clock.samples":
            yield field.name, _samples()
        elif is_dataclass(default):
            yield field.name, type(default)(**dict(_largest_fields(type(default), f"{name}.")))
        elif isinstance(default, bool):
            yield field.name, True
        elif isinstance(default, str):
            yield field.name, _CHOICES[name]
        elif isinstance(default, tuple):
            yield field.name, (MOST[name],) * FAR.stop
        elif isinstance(default, Mapping):
            yield field.name, dict.fromkeys(LANES, -MOST[name] if name == "shared.deficits" else MOST[name])
        else:
            yield field.name, type(default)(MOST[name])


def _samples() -> tuple[Sample, ...]:
    """As many as there are at a time, oldest first, with a long way between each two."""
    first_ms, between_ms, claims = int(MOST["clock.ms"]) // 2, 702_000, 500 * 702
    return tuple(
        Sample(
            first_ms + between_ms * number,
            PLACES // 2 + claims * number,
            dict.fromkeys(LANES, PLACES - CALLED_BETWEEN * (SAMPLES + 2 - number)),
        )
        for number in range(SAMPLES + 1)
    )


def open_buckets(lease_sec: int, width_sec: int) -> list[int]:
    """The most buckets that are open at a time while somebody comes in twice a second."""
    most: list[int] = []
    used: dict[int, None] = {}
    for now_ms in range(NOW_MS + 499, NOW_MS + 2_000 * (lease_sec + width_sec), 500):
        used[lease_bucket(now_ms, lease_sec, LAST_MS, width_sec)] = None
        closed_to = last_ended_bucket(now_ms - LATE_MS, width_sec)
        most = max(most, [bucket for bucket in used if bucket > closed_to], key=len)
    return most


def largest_gate() -> GateItem:
    """The item of a zone with the longest names and the buckets that cost most, in the middle of a draw's sale."""
    idle_sec = max(IDLE_SEC, key=lambda sec: len(open_buckets(sec, bucket_width_sec(sec))))
    width_sec = bucket_width_sec(idle_sec)
    buckets = open_buckets(idle_sec, width_sec)
    places = _costliest(PLACES)
    return GateItem(
        ZONE_ID,
        _costliest(9_999),
        max(range(5, 834), key=_bytes),
        claimed=places,
        limit=_costliest(PLACES + ACTIVE),
        closed_to=_costliest(min(buckets) - 1),
        tick=_costliest(PLACES),
        lanes=dict.fromkeys(LANES, Watermarks(places, places, places)),
        buckets=dict.fromkeys(buckets, _costliest(ACTIVE)),
        state=largest_state(),
        shards=max(range(2, MOST_SHARDS + 1), key=_bytes),
        order="lottery",
        released_to=_costliest(PLACES // GENERATION_SIZE),
    )


def stored(gate: GateItem) -> Item:
    """The item as creation, a tick and claims write it."""
    store = MemoryDynamo([schemas.table("counters")])
    gates = Gates(Clients(store, store), "counters")
    assert gates.create(replace(gate, buckets={}, tick=gate.tick - 1, state=ControllerState()))
    read = gates.read(gate.zone_id, gate.run)
    assert read is not None
    assert gates.advance(read, gate) is Answer.YES
    for bucket, count in gate.buckets.items():
        store.update_item(
            TableName="counters",
            Key={"counter": {"S": f"gate#{gate.zone_id}#{gate.run}"}, "slot": {"N": "0"}},
            UpdateExpression="ADD #b :n",
            ExpressionAttributeNames={"#b": bucket_name(bucket)},
            ExpressionAttributeValues={":n": {"N": str(count)}},
        )
    assert gates.read(gate.zone_id, gate.run) == gate
    (record,) = store.tables["counters"].records.values()
    return record.item


def _costliest(most: int) -> int:
    """Of the numbers up to `most`, one that takes most bytes in an item: not every longer one takes more."""
    return max((most, most - 1, *(10**digits - 1 for digits in range(1, len(str(most))))), key=_bytes)


def _bytes(number: int) -> int:
    return size_of(checked({"N": str(number)}))
