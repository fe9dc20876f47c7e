"""Rules 1, 2, 3 and 5 of PROTOCOL.md, checked from issued tokens and stored places; `lines.py` knows the positions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.lines import Lines, Number, RuleBroken
from waiting_room.adapters.dynamodb import decode
from waiting_room.domain.leases import expires_at_ms
from waiting_room.domain.line.places import MOVED, Place, Session

__all__ = ["RuleBroken", "Rules"]

IN_VAIN_MS = 2_000
"""A lease may be counted without a place that has it while a request is under way: some calls of up to 30 ms each."""
LET_GO_MS = 40_000
"""Where nothing is lost the lease of a session that ended is let go of by then: a tick lists it, ten seconds later
every gate has the list, and an exchanger ticks every few seconds."""
EDGE_BEHIND_MS = 5_000
"""The gate's clock may be this far behind: a token is live as long as any gate may accept it."""


@dataclass
class Rules:
    """Everything visitors were given, and what must be true of it at every moment."""

    cap: int
    inventory: int | None
    width_sec: int
    is_refused: Callable[[str, int], bool] = lambda _sid, _now_ms: False
    expires_ms: dict[str, int] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    ended: dict[str, tuple[int, int]] = field(default_factory=dict)
    reference: dict[str, str] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)
    holders: dict[Number, str] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    sold: int = 0
    bound: int = 0
    opens_at_ms: int = 0
    peak: int = 0
    in_vain_since_ms: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bound = self.cap

    def live(self, now_ms: int) -> int:
        """Sessions that were claimed, have not ended and have not expired on the slowest gate's clock."""
        return sum(1 for sid in self._unexpired(now_ms) if sid not in self.ended)

    def let_in(self, now_ms: int) -> int:
        """Sessions that some gate lets in, ended or not: of every token ever given, those that it does not refuse."""
        return sum(1 for sid in self._unexpired(now_ms) if sid not in self.ended or not self.is_refused(sid, now_ms))

    def _unexpired(self, now_ms: int) -> list[str]:
        return [sid for sid, until in self.expires_ms.items() if until > now_ms - EDGE_BEHIND_MS]

    def stored(self, item: dict[str, Any], now_ms: int) -> None:
        """A queue item as it is after a write."""
        place = decode(item)
        visitor, sid, status = place["place"], place.get("sid"), place["status"]
        before = self.places.get(visitor)
        if before == place:
            return
        number = _number(place)
        holder = self.holders.setdefault(number, visitor)
        if holder != visitor:
            raise RuleBroken(f"rule 2: {holder} and {visitor} share number {number}")
        if place["joined_at_ms"] < self.opens_at_ms:
            raise RuleBroken(f"rule 3: {visitor} has a place from before the line opened")
        if before is not None and number != _number(before) and not place.get("rejoined"):
            raise RuleBroken(f"rule 2: {visitor} was moved from {_number(before)} to {number}")
        if before is not None and number != _number(before) and place["rejoined"] == MOVED:
            self.lines.moved_up(visitor, before["status"], _number(before), number)
        if status == "admitted" and (before is None or before["status"] == "waiting"):
            self.lines.admitted(visitor, number)
        if sid and status == "admitted":
            if before and before.get("sid") == sid and before["status"] != "admitted":
                raise RuleBroken(f"session {sid} came back after it had ended")
            self.issue(visitor, sid, expires_at_ms(place["bucket"], place["hard_end_at_ms"], self.width_sec))
        elif sid:
            self.ended.setdefault(sid, (place["bucket"], now_ms))
        reference = place.get("reference")
        if sid and reference and self.reference.setdefault(sid, reference) != reference:
            raise RuleBroken(f"rule 5: session {sid} was confirmed for two references")
        self.places[visitor] = place

    def issue(self, visitor: str, sid: str, until_ms: int) -> None:
        """A token that was, or may have been, given to somebody."""
        if self.owner.setdefault(sid, visitor) != visitor:
            raise RuleBroken(f"session {sid} belongs to two visitors")
        self.expires_ms[sid] = max(until_ms, self.expires_ms.get(sid, 0))

    def given(self, visitor: str, session: Session) -> None:
        """A session as a visitor was told."""
        self.issue(visitor, session.sid, session.expires_at_ms)

    def told(self, tab: str, place: Place) -> None:
        """A place as a tab was told: the one it is, and it never gets worse unless the visitor joined again."""
        if place.position is None:
            return
        self.lines.told(tab, (place.lane, place.shard, place.seq), place.position)
        before = self.shown.get(tab)
        if before is not None and place.position > before and not place.rejoined:
            raise RuleBroken(f"rule 2: {tab} fell from {before} to {place.position}")
        self.shown[tab] = place.position

    def lower(self, leases: int) -> None:
        """After the cap was lowered: those in, or just coming in, may stay; as they go, the bound follows them down."""
        self.bound = max(self.cap, min(self.bound, leases))

    def check_counted(self, buckets: Mapping[int, int], now_ms: int) -> None:
        """Where every answer is definite: each lease that is counted belongs to somebody who is in, or was just now.

        Not looked at are buckets that end next: whose lease ran out, on whatever clock, may have joined again already.
        """
        held = Counter(place["bucket"] for place in self.places.values() if place["status"] == "admitted")
        held.update(bucket for bucket, at_ms in self.ended.values() if now_ms - at_ms < LET_GO_MS)
        in_vain = {
            bucket
            for bucket, count in buckets.items()
            if count > held[bucket] and bucket * self.width_sec * 1000 > now_ms + 5_000
        }
        self.in_vain_since_ms = {bucket: self.in_vain_since_ms.get(bucket, now_ms) for bucket in in_vain}
        for bucket, since_ms in self.in_vain_since_ms.items():
            if now_ms - since_ms > IN_VAIN_MS:
                raise RuleBroken(f"a phantom lease: {buckets[bucket]} in bucket {bucket}, {held[bucket]} places")

    def check(self, now_ms: int) -> None:
        """Rule 1, at this instant."""
        live, let_in = self.live(now_ms), self.let_in(now_ms)
        self.peak = max(self.peak, let_in)
        if let_in > self.bound:
            raise RuleBroken(f"rule 1: gates let in {let_in} sessions, {self.bound} allowed")
        if self.inventory is not None and self.sold + live > self.inventory:
            raise RuleBroken(f"rule 1: {self.sold} sold + {live} live > inventory {self.inventory}")
        completed = sum(1 for place in self.places.values() if place["status"] == "completed")
        if self.inventory is not None and self.sold < completed:
            raise RuleBroken(f"{completed} completed, but {self.sold} counted as sold")


def _number(place: dict[str, Any]) -> Number:
    return place["lane"], place["shard"], place["seq"]
