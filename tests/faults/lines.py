"""Rules 2 and 3 for a run's lines: who stands where, by the epochs as they are stored, and whose turn has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from waiting_room.adapters.dynamodb import decode
from waiting_room.domain.epochs import Epoch, before_all, position_in
from waiting_room.domain.gate_item import GateItem

Number = tuple[str, int, int]
"""Lane, shard and number: what a join takes."""


class RuleBroken(AssertionError):
    """A rule of the design does not hold."""


@dataclass
class Lines:
    """Watches the counters table of one zone's first run. With one counter a lane needs no epochs."""

    lanes: tuple[str, ...] = ("general",)
    shards: int = 1
    epochs: dict[str, list[Epoch]] = field(default_factory=dict)
    taken: dict[tuple[str, int], int] = field(default_factory=dict)
    sealed_when_taken: dict[Number, int] = field(default_factory=dict)
    places: dict[Number, int] = field(default_factory=dict)
    called_to: dict[str, int] = field(default_factory=dict)

    def look(self, records: Mapping[Any, Any]) -> None:
        """After every write: new numbers, new epochs."""
        for lane in self.lanes:
            epochs = self.epochs.setdefault(lane, [before_all(self.shards)])
            for shard in range(self.shards):
                self._numbers(records, lane, shard, epochs[-1].number)
            while self.shards > 1 and (record := records.get((f"epoch#z#1#{lane}", len(epochs)))):
                item = decode(record.item)
                self._sealed(lane, Epoch(len(epochs), item["base"], tuple(item["cuts"])))

    def _numbers(self, records: Mapping[Any, Any], lane: str, shard: int, sealed: int) -> None:
        record = records.get((f"join#z#1#{lane}#{shard}", 0))
        count = int(record.item["seq"]["N"]) if record else 0
        for seq in range(self.taken.get((lane, shard), 0) + 1, count + 1):
            self.sealed_when_taken[lane, shard, seq] = sealed
            if self.shards == 1:
                self.places[lane, shard, seq] = seq - 1
        self.taken[lane, shard] = count

    def _sealed(self, lane: str, epoch: Epoch) -> None:
        before = self.epochs[lane][-1]
        found = []
        for shard, (old, cut) in enumerate(zip(before.cuts, epoch.cuts, strict=True)):
            if not old <= cut <= self.taken[lane, shard]:
                raise RuleBroken(f"rule 2: epoch {epoch.number} of {lane} cuts shard {shard} at {cut} after {old}")
            for seq in range(old + 1, cut + 1):
                number = (lane, shard, seq)
                if not self.sealed_when_taken[number] < epoch.number <= self.sealed_when_taken[number] + 2:
                    raise RuleBroken(f"rule 3: {number} was sealed in epoch {epoch.number}, too late or too early")
                self.places[number] = position_in(f"z#1#{lane}", before, epoch, shard, seq)
                found.append(self.places[number])
        if sorted(found) != list(range(before.tail, before.tail + len(found))):
            raise RuleBroken(f"rule 2: epoch {epoch.number} of {lane} has the positions {sorted(found)}")
        self.epochs[lane].append(epoch)

    def moved(self, gate: GateItem) -> None:
        """After a tick: nobody is called who has not joined, and the marks only move forward."""
        for lane in self.lanes:
            marks = gate.lane(lane)
            tail = sum(self.taken.get((lane, shard), 0) for shard in range(self.shards))
            if self.shards > 1:
                tail = self.epochs[lane][-1].tail
            if marks.serving > tail or marks.floor > marks.serving:
                raise RuleBroken(f"rule 3: {marks} in a lane of {tail}")
            self.called_to[lane] = max(self.called_to.get(lane, 0), marks.serving, marks.ahead)

    def told(self, who: str, number: Number, position: int) -> None:
        """A position somebody was told."""
        if self.places.get(number) != position:
            raise RuleBroken(f"rule 2: {who} was told {position} for {number}, it is {self.places.get(number)}")

    def moved_up(self, who: str, status: str, old: Number, new: Number) -> None:
        """Somebody gave up a place for one in another lane."""
        if status != "waiting" or old[0] == new[0]:
            raise RuleBroken(f"rule 2: {who}, {status}, lost {old} for {new}")

    def admitted(self, who: str, number: Number) -> None:
        """Somebody came in who was waiting."""
        position = self.places.get(number)
        if position is None or position >= self.called_to.get(number[0], 0):
            raise RuleBroken(f"rule 3: {who} came in on {position} of {number[0]} without being called")
