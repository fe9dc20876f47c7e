"""A run to try the adapters on: ids, one zone, its gate item, a place in line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.contract.engines import Dynamo
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.queue import Queue
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.line.places import QueueItem
from waiting_room.domain.zone.zones import Zone

ZONE_ID, RUN, LANE = "sale", 3, "general"
NOW_MS = 4_102_444_800_000
"""The year 2100: the engines delete items whose TTL is over, some within a second."""
VISITOR = "visitor-0123456789abcd"


def gate(**changes: Any) -> GateItem:
    """A gate item with 2 grants left, buckets 10 and 11 open, positions 5 to 19 called, 20 to 24 let straight in."""
    marks = {LANE: Watermarks(serving=20, floor=5, ahead=25)}
    item = GateItem(ZONE_ID, RUN, width_sec=10, claimed=8, limit=10, closed_to=9, tick=4, lanes=marks)
    return replace(item, **changes)


def place(**changes: Any) -> QueueItem:
    """A visitor who waits on position 6."""
    item = QueueItem(ZONE_ID, RUN, VISITOR, LANE, shard=0, seq=7, joined_at_ms=NOW_MS, attempt="joining")
    return replace(item, **changes)


def zone(**changes: Any) -> Zone:
    """A small queueing zone."""
    document = {"zone_id": ZONE_ID, "mode": "queueing", "rules": [{"paths": ["/sale"]}], "max_active": 20}
    return Zone.from_document({**document, **changes})


def gates(dynamo: Dynamo) -> Gates:
    return Gates(dynamo.clients, dynamo.table("counters"))


def queue(dynamo: Dynamo) -> Queue:
    return Queue(dynamo.clients, dynamo.table("queue"), dynamo.table("counters"))
