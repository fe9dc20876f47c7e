"""Lines: the position that belongs to a number, from at most three reads, most often from none.

Epochs never change once they are sealed, so copies of them are good for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from waiting_room.adapters.counters import EPOCH_BLOCK, Joins
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.line.epochs import Epoch, before_all, holding, position_in
from waiting_room.domain.line.places import Known, QueueItem
from waiting_room.ports import Clock
from waiting_room.use_cases.draw import Draws

WINDOW = 16
"""Epochs read at once, about four seconds: a number is sealed within the first few after it was taken."""
LOOK_MS = 500
"""Where the line has not been sealed yet, it is not looked at again for so long."""
COPIES = 1_024
"""Epochs kept of a lane before they are forgotten: some megabytes at the most."""


@dataclass
class _Copies:
    """Epochs of one lane, and until where there were any when they were looked for last."""

    epochs: dict[int, Epoch] = field(default_factory=dict)
    end: int = 0
    looked_at_ms: int = 0


class Lines:
    """Positions as the visitors' verbs see them."""

    def __init__(self, joins: Joins, zones: ProtectedZones, clock: Clock) -> None:
        self._joins = joins
        self._draws = Draws(zones)
        self._clock = clock
        self._copies: dict[tuple[str, int, str], _Copies] = {}

    def placed(self, item: QueueItem, gate: GateItem, known: Known | None = None) -> QueueItem:
        """The item with its position, or without one while that is not known.

        A position that the visitor's token proves is taken from there.
        """
        arrival, position = None, None
        if known is not None and known.fits(item):
            arrival, position = known.arrival, known.position
        if position is None:
            arrival = self._arrival(item, gate) if arrival is None else arrival
            position = arrival if gate.order == "fifo" else self._drawn(item, gate, arrival)
        return replace(item, position=position, arrival=arrival if gate.order == "lottery" else None)

    def _drawn(self, item: QueueItem, gate: GateItem, arrival: int | None) -> int | None:
        """The place by lot, once the draw was held."""
        if arrival is None or gate.awaits_draw:
            return None
        draw = self._draws.get(item.zone_id, item.run)
        return None if draw is None or draw.early is None else draw.place(item.lane, arrival)

    def _arrival(self, item: QueueItem, gate: GateItem) -> int | None:
        """The place by arrival; with one counter per lane it is known at once."""
        if gate.shards == 1:
            return item.seq - 1
        found = self._sealed(item, gate.shards)
        if found is None:
            return None
        return position_in(f"{item.zone_id}#{item.run}#{item.lane}", *found, item.shard, item.seq)

    def _sealed(self, item: QueueItem, shards: int) -> tuple[Epoch, Epoch] | None:
        """The epoch a number lies in and the one before, or None while it is not sealed; at most three reads.

        The number was taken after `item.epoch` was sealed, so it lies in a later one, nearly always among the next
        few: one read. A join that was held up longer may lie far behind: then the marks say in which block (a second
        read), and the block holds it (a third). The epoch after a block's last is only written once the block's mark
        is there, so no mark is ever missing.
        """
        copies = self._copies.setdefault((item.zone_id, item.run, item.lane), _Copies({0: before_all(shards)}))
        after = item.epoch or 0
        found, last = self._in_copies(copies, after, item)
        if found is not None:
            return found
        now_ms = self._clock.now_ms()
        if last >= copies.end and 0 <= now_ms - copies.looked_at_ms < LOOK_MS:
            return None
        epochs = self._read(copies, item, last, last + WINDOW)
        if len(epochs) <= WINDOW:
            copies.end, copies.looked_at_ms = epochs[-1].number if epochs else 0, now_ms
            return holding(epochs, item.shard, item.seq)
        return holding(epochs, item.shard, item.seq) or self._far(copies, item, epochs[-1].number)

    def _far(self, copies: _Copies, item: QueueItem, after: int) -> tuple[Epoch, Epoch] | None:
        marks = self._joins.epoch_marks(item.zone_id, item.run, item.lane, after, item.shard)
        passed = [mark.number for mark in marks if mark.cuts[item.shard] < item.seq]
        start = max([*passed, after])
        return holding(self._read(copies, item, start, start + EPOCH_BLOCK), item.shard, item.seq)

    def _in_copies(self, copies: _Copies, after: int, item: QueueItem) -> tuple[tuple[Epoch, Epoch] | None, int]:
        """Look through the copies that follow each other from `after`; also where they end."""
        number = after
        while number + 1 in copies.epochs and number in copies.epochs:
            pair = holding((copies.epochs[number], copies.epochs[number + 1]), item.shard, item.seq)
            if pair is not None:
                return pair, number
            number += 1
        return None, number

    def _read(self, copies: _Copies, item: QueueItem, first: int, last: int) -> list[Epoch]:
        """Epochs from `first` to `last`, as many as there are, the one before all included."""
        epochs = self._joins.epochs(item.zone_id, item.run, item.lane, first, last, item.shard)
        beginning = copies.epochs[0]
        if len(copies.epochs) + len(epochs) > COPIES:
            copies.epochs = {0: beginning}
        copies.epochs.update({epoch.number: epoch for epoch in epochs})
        return [beginning, *epochs] if first == 0 else epochs
