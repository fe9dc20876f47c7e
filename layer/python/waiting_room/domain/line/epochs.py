"""Sealed epochs: how the numbers of several join counters become one dense line (PROTOCOL, Epochs).

An epoch is a cut through all counters of a lane. Whoever took a number up to the cut stands before everybody of a
later epoch; inside an epoch the counters follow each other, beginning with another one each time. No clock decides.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

EPOCH_MS = 250
"""What an epoch spans at most while it is sealed in time. Arrivals closer together than this may change places."""
SEAL_MS = 200
"""How often is sealed: the rest of an epoch is for the time it takes to read all counters, now longer, now shorter."""

SHARDS_TRIED = 3
"""A join takes its number from the first of so many counters that is not refused."""


@dataclass(frozen=True)
class Epoch:
    """`cuts` are the last numbers in it by shard, `base` is its first position; number 0 is before all joining.

    `early` is how many positions belong to the draw, known from the epoch on that carries `close`.
    """

    number: int
    base: int
    cuts: tuple[int, ...]
    close: bool = False
    early: int | None = None

    @property
    def tail(self) -> int:
        """Positions taken by its end."""
        return sum(self.cuts)


def before_all(shards: int) -> Epoch:
    """The epoch before the first."""
    return Epoch(0, 0, (0,) * shards)


def next_epoch(last: Epoch, taken: Mapping[int, int], *, close: bool = False) -> Epoch | None:
    """The epoch after `last` by the numbers taken, read from the counters after `last` was; None if it would be empty.

    A counter only grows: one that was not found or could not be read stands where it stood. With `close` the epoch
    ends the early joiners, unless an earlier one did; it is made even when nobody joined.
    """
    cuts = tuple(max(cut, taken.get(shard, cut)) for shard, cut in enumerate(last.cuts))
    closes = close and last.early is None
    if cuts == last.cuts and not closes:
        return None
    return Epoch(last.number + 1, last.tail, cuts, closes, sum(cuts) if closes else last.early)


def shards_of(visitor_id: str, shards: int) -> list[int]:
    """The join counters of a visitor, the own one first; the others, SHARDS_TRIED in all, are for when it is too busy.

    The own one is always the same of a run, and others have other second ones, so that these share what it cannot take.
    """
    digest = hashlib.sha256(visitor_id.encode()).digest()
    tried: list[int] = []
    for number in range(min(SHARDS_TRIED, shards)):
        shard = int.from_bytes(digest[8 * number : 8 * number + 8], "big") % shards
        while shard in tried:
            shard = (shard + 1) % shards
        tried.append(shard)
    return tried


def position_in(line: str, before: Epoch, epoch: Epoch, shard: int, seq: int) -> int:
    """The position of a number that lies in `epoch`; `before` is the epoch before it, `line` names zone, run and lane.

    Position = base + what earlier shards added in this epoch + how many of its own shard come first.
    """
    added = [cut - old for cut, old in zip(epoch.cuts, before.cuts, strict=True)]
    first = _first_shard(line, epoch.number, len(added))
    earlier = added[first:shard] if first <= shard else [*added[first:], *added[:shard]]
    return epoch.base + sum(earlier) + seq - before.cuts[shard] - 1


def holding(epochs: Sequence[Epoch], shard: int, seq: int) -> tuple[Epoch, Epoch] | None:
    """The epoch a number lies in, and the one before it, from epochs that follow each other; None: in none of them."""
    for before, epoch in itertools.pairwise(epochs):
        if epoch.number != before.number + 1:
            return None
        if before.cuts[shard] < seq <= epoch.cuts[shard]:
            return before, epoch
    return None


def _first_shard(line: str, epoch: int, shards: int) -> int:
    """Where the shards begin in an epoch: by a keyed hash, so that none is always first."""
    digest = hashlib.blake2b(str(epoch).encode(), key=line.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest, "big") % shards
