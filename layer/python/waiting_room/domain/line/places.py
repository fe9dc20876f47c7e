"""A visitor's place: what the queue table stores of it, and what may be said of it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.leases import bucket_end_ms, expires_at_ms

StoredStatus = Literal["waiting", "admitted", "completed", "left", "revoked"]
Status = Literal["waiting", "called", "admitted", "completed", "left", "lapsed", "revoked"]

MOVED = "lane"
"""Why a place was replaced by one the visitor has by invitation in another lane; the others are statuses."""


@dataclass(frozen=True)
class Origin:
    """By what a place's visitor is known, each a keyed hash or a random id of this run; empty where nobody asked.

    `account` stands for the person as the site's login or a telephone knows it, `network` for the address's network,
    `device` for the browser.
    """

    account: str = ""
    network: str = ""
    device: str = ""


@dataclass(frozen=True)
class QueueItem:
    """One visitor of one run. `lapsed` is computed, never stored; `bucket` is where the lease is counted.

    `epoch` is the last one that was sealed before the number was taken, where a lane has several counters. `position`
    is the dense 0-based place in the lane, None until it is known; it follows from the number and is never stored,
    like `arrival`: in a run with a draw, which number of its lane the visitor was, which the place is drawn by. `phone`
    is what stands for the number the place was verified with; whose that is by now, the counters table says.
    `times` says how many positions of this run its visitor has had with this one.
    """

    zone_id: str
    run: int
    visitor_id: str
    lane: str
    shard: int
    seq: int
    joined_at_ms: int
    status: StoredStatus = "waiting"
    gen: int = 0
    attempt: str = ""
    rejoined: str = ""
    away_at_ms: int | None = None
    admitted_at_ms: int | None = None
    sid: str | None = None
    bucket: int | None = None
    hard_end_at_ms: int | None = None
    lease_kind: str = "navigation"
    reference: str | None = None
    completed_at_ms: int | None = None
    purchases: int = 0
    phone: str | None = None
    times: int = 1
    account: str | None = None
    network: str | None = None
    device: str | None = None
    epoch: int | None = None
    position: int | None = None
    arrival: int | None = None

    @property
    def lease(self) -> int:
        """The bucket of the lease; only asked of items that have one."""
        if self.bucket is None:
            raise ValueError("This item has no lease.")
        return self.bucket


@dataclass(frozen=True)
class Known:
    """What a visitor's own token proves of the place: the number, and what is known of it by now."""

    lane: str
    shard: int
    seq: int
    position: int | None
    arrival: int | None = None

    def fits(self, item: QueueItem) -> bool:
        """Whether this is still the place the visitor has."""
        return (self.lane, self.shard, self.seq) == (item.lane, item.shard, item.seq)


@dataclass(frozen=True)
class Session:
    """A lease as the visitor's token tells it."""

    zone_id: str
    run: int
    visitor_id: str
    lane: str
    sid: str
    bucket: int
    lease_kind: str
    expires_at_ms: int
    hard_end_at_ms: int


def session_of(item: QueueItem, width_sec: int) -> Session:
    """The session an admitted item stands for; asked again it is the same, to the second."""
    hard_end = item.hard_end_at_ms or 0
    return Session(
        zone_id=item.zone_id,
        run=item.run,
        visitor_id=item.visitor_id,
        lane=item.lane,
        sid=item.sid or "",
        bucket=item.lease,
        lease_kind=item.lease_kind,
        expires_at_ms=expires_at_ms(item.lease, hard_end, width_sec),
        hard_end_at_ms=hard_end,
    )


def may_return(item: QueueItem, gate: GateItem, grace_sec: int, now_ms: int) -> bool:
    """Whether a session whose lease ran out may still claim again: in the grace of its end, before its hard end."""
    if now_ms >= (item.hard_end_at_ms or 0):
        return False
    return now_ms < bucket_end_ms(item.lease, gate.width_sec) + grace_sec * 1000


def status_now(item: QueueItem, gate: GateItem, grace_sec: int, now_ms: int) -> Status:
    """What is true of a place at this moment."""
    if item.status == "waiting":
        if item.position is None:
            return "waiting"
        lane = gate.lane(item.lane)
        if item.position < lane.floor:
            return "lapsed"
        return "called" if lane.may_claim(item.position) else "waiting"
    if item.status == "admitted":
        if item.lease > gate.closed_to and now_ms < (item.hard_end_at_ms or 0):
            return "admitted"
        return "called" if may_return(item, gate, grace_sec, now_ms) else "lapsed"
    return item.status


@dataclass(frozen=True)
class Estimate:
    """A range of seconds until the call."""

    low_sec: int
    high_sec: int


@dataclass(frozen=True)
class Place:
    """What a visitor is told about the place in line. `position` and `ahead` are None while not shown.

    `shut` says that nobody can come in at the moment, because the door is shut; `phone_needed` that a phone number is
    to be confirmed before this visitor can.
    """

    zone_id: str
    run: int
    visitor_id: str
    status: Status
    phase: str
    lane: str
    shard: int
    seq: int
    gen: int
    position: int | None
    ahead: int | None
    estimate: Estimate | None
    joined_at_ms: int
    rejoined: str
    arrival: int | None = None
    new: bool = False
    shut: bool = False
    phone_needed: bool = False
