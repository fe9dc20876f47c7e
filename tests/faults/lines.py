"""Rules 2 and 3 for a run's lines: who stands where, by the epochs as they are stored, and whose turn has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from waiting_room.adapters.counters import epoch_of
from waiting_room.adapters.dynamodb import decode
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.lanes import Standing, is_sooner
from waiting_room.domain.line.draws import Draw, draw_of
from waiting_room.domain.line.epochs import Epoch, before_all, position_in

MOST_OWED = 2.0
"""Calls a lane with a line may be behind its share: fractions are carried from tick to tick."""
Number = tuple[str, int, int]
"""Lane, shard and number: what a join takes."""


class RuleBroken(AssertionError):
    """A rule of PROTOCOL.md does not hold."""


@dataclass
class Lines:
    """Watches the counters table of one zone's first run. With one counter a lane needs no epochs."""

    lanes: tuple[str, ...] = ("general",)
    shards: int = 1
    lottery: bool = False
    parts: Mapping[str, float] = field(default_factory=lambda: {"general": 1.0})
    draw: Draw | None = None
    epochs: dict[str, list[Epoch]] = field(default_factory=dict)
    taken: dict[tuple[str, int], int] = field(default_factory=dict)
    sealed_when_taken: dict[Number, int] = field(default_factory=dict)
    places: dict[Number, int] = field(default_factory=dict)
    called_to: dict[str, int] = field(default_factory=dict)
    serving: dict[str, int] = field(default_factory=dict)
    tails: dict[str, int] = field(default_factory=dict)
    owed: dict[str, float] = field(default_factory=dict)
    when_taken: dict[Number, tuple[int, dict[str, int]]] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    may_fall: bool = False

    def look(self, records: Mapping[Any, Any]) -> None:
        """After every write: new numbers, new epochs."""
        for lane in self.lanes:
            epochs = self.epochs.setdefault(lane, [before_all(self.shards)])
            for shard in range(self.shards):
                self._numbers(records, lane, shard, epochs[-1].number)
            while self.shards > 1 and (record := records.get((f"epoch#z#1#{lane}", len(epochs)))):
                self._sealed(lane, epoch_of(decode(record.item), len(epochs)))

    def _numbers(self, records: Mapping[Any, Any], lane: str, shard: int, sealed: int) -> None:
        record = records.get((f"join#z#1#{lane}#{shard}", 0))
        count = int(record.item["seq"]["N"]) if record else 0
        for seq in range(self.taken.get((lane, shard), 0) + 1, count + 1):
            self.sealed_when_taken[lane, shard, seq] = sealed
            if self.shards == 1:
                self.places[lane, shard, seq] = seq - 1
                tails = {other: self.taken.get((other, 0), 0) for other in self.lanes}
                self.when_taken[lane, shard, seq] = (seq - 1 - self.serving.get(lane, 0), tails)
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

    def look_at_draw(self, item: Mapping[str, Any]) -> None:
        """A draw is held once, by everybody of the lanes' closing epochs; what it was held by never changes."""
        draw = draw_of("z", 1, decode(item))
        if draw.early is None:
            if self.draw is not None:
                raise RuleBroken("rule 2: a draw that was held is undone")
            return
        if self.draw is not None and draw != self.draw:
            raise RuleBroken(f"rule 2: the draw was held by {self.draw.early}, now by {draw.early}")
        self.draw = draw

    def _place(self, number: Number) -> int | None:
        """The position of a number: by the lot where that decides, None until it is known."""
        arrival = self.places.get(number)
        if not self.lottery or arrival is None:
            return arrival
        return self.draw.place(number[0], arrival) if self.draw else None

    def moved(self, gate: GateItem) -> None:
        """After a tick: nobody is called who has not joined, and the marks only move forward, unless an operator lets
        them fall (`may_fall`)."""
        if not self._fell(gate):
            self._share(gate)
        for lane in self.lanes:
            marks = gate.lane(lane)
            tail = sum(self.taken.get((lane, shard), 0) for shard in range(self.shards))
            if self.shards > 1:
                tail = self.epochs[lane][-1].tail
            if self.lottery and self.draw is None and (marks.serving or marks.ahead):
                raise RuleBroken(f"rule 3: {marks} in {lane} before the draw")
            if marks.serving > tail or marks.floor > marks.serving:
                raise RuleBroken(f"rule 3: {marks} in a lane of {tail}")
            self.called_to[lane] = max(self.called_to.get(lane, 0), marks.serving, marks.ahead)

    def _fell(self, gate: GateItem) -> bool:
        """Whether places were given back. What was owed to lanes begins anew then."""
        marks = {lane: gate.lane(lane) for lane in self.lanes}
        fell = any(
            mark.serving < self.serving.get(lane, 0) or mark.floor < self.floors.get(lane, 0)
            for lane, mark in marks.items()
        )
        if fell and not self.may_fall:
            raise RuleBroken(f"rule 3: {marks} after a serving of {self.serving} and a floor of {self.floors}")
        self.floors = {lane: mark.floor for lane, mark in marks.items()}
        if fell:
            self.serving, self.owed = {lane: mark.serving for lane, mark in marks.items()}, {}
        return fell

    def _share(self, gate: GateItem) -> None:
        """A lane in which somebody waited all the time gets its share of the calls: what is reserved, and by weight."""
        before, serving = self.serving, {lane: gate.lane(lane).serving for lane in self.lanes}
        calls = {lane: serving[lane] - before.get(lane, 0) for lane in self.lanes}
        for lane in self.lanes:
            waited = self.tails.get(lane, 0) > serving[lane]
            owed = self.owed.get(lane, 0.0) + self.parts[lane] * sum(calls.values()) - calls[lane]
            self.owed[lane] = max(0.0, owed) if waited else 0.0
            if self.owed[lane] > MOST_OWED:
                raise RuleBroken(f"rule 3: {lane} waits and is owed {self.owed[lane]:.1f} calls")
            tail = sum(self.taken.get((lane, shard), 0) for shard in range(self.shards))
            self.tails[lane] = tail if self.shards == 1 else self.epochs[lane][-1].tail
        self.serving = serving

    def told(self, who: str, number: Number, position: int) -> None:
        """A position somebody was told."""
        if self._place(number) != position:
            raise RuleBroken(f"rule 2: {who} was told {position} for {number}, it is {self._place(number)}")

    def moved_up(self, who: str, status: str, old: Number, new: Number) -> None:
        """Somebody gave up a place for one in another lane."""
        if status != "waiting" or old[0] == new[0]:
            raise RuleBroken(f"rule 2: {who}, {status}, lost {old} for {new}")
        if self.lottery or self.shards > 1:
            return
        # At worst for the old place, at best for the new one, of all moments since the old one was taken.
        ahead, tails = self.when_taken[old]
        fewest = tails[new[0]] - self.called_to.get(new[0], 0)
        if not is_sooner(Standing(fewest, self.parts[new[0]]), Standing(ahead, self.parts[old[0]])):
            raise RuleBroken(f"rule 2: {who} gave up {old}, {ahead} behind the front, for one at least {fewest} behind")

    def admitted(self, who: str, number: Number) -> None:
        """Somebody came in who was waiting."""
        position = self._place(number)
        if position is None or position >= self.called_to.get(number[0], 0):
            raise RuleBroken(f"rule 3: {who} came in on {position} of {number[0]} without being called")
