"""Exits: sessions that ended before their leases, and when their room may go to somebody else (PROTOCOL, Exits).

The lease of a session that ended stays counted until its token opens nothing any more: until the token has run out, or
stands on an exit list that every gate has. Exits come in generations; one that is final never changes again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from waiting_room.domain.admission.gate_item import GateItem


@dataclass(frozen=True)
class Exit:
    """A session that ended, by its id on the exit list, and the bucket its lease is counted in."""

    session: bytes
    bucket: int


@dataclass(frozen=True)
class Generation:
    """Exits that are listed and released together, numbered from 1. `began_at_ms` is when the first of them was noted.

    Whatever a later generation has was noted after this one was final.
    """

    number: int
    exits: frozenset[Exit]
    began_at_ms: int = 0
    final: bool = False

    def live(self, ended: int) -> frozenset[Exit]:
        """Those whose tokens may open a gate, where all buckets up to `ended` are over on every clock."""
        return frozenset(each for each in self.exits if each.bucket > ended)


def let_go(gate: GateItem, generations: Iterable[Generation], listed_to: int, ended: int) -> GateItem:
    """The gate item without the leases of exits whose tokens open nothing any more.

    Every gate has the generations up to `listed_to` on its list; buckets up to `ended` are over. Generations go in
    their order, each whole and once: `released_to` says up to which, in the same write that takes their leases off.
    """
    leaving: Counter[int] = Counter()
    released_to = gate.released_to
    for generation in sorted(generations, key=lambda each: each.number):
        if generation.number <= released_to:
            continue
        if not generation.final or (generation.number > listed_to and generation.live(ended)):
            break
        leaving.update(each.bucket for each in generation.exits)
        released_to = generation.number
    # A bucket that is closed counts nothing, and no bucket counts fewer than nothing.
    counted = {bucket: min(count, gate.buckets.get(bucket, 0)) for bucket, count in leaving.items()}
    taken = {bucket: count for bucket, count in counted.items() if count and bucket > gate.closed_to}
    buckets = {bucket: count - taken.get(bucket, 0) for bucket, count in gate.buckets.items()}
    return replace(gate, buckets=buckets, leaving=taken, released_to=released_to)
