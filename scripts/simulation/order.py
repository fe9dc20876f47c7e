"""The order of a line against the order of arrival, as the store saw it."""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scripts.simulation.simulation import Simulation
from waiting_room.domain.line.epochs import Epoch, before_all, position_in

NOBODY = -1
CLEARED_EVERY = 20_000


@dataclass(frozen=True)
class Order:
    """One lane's line: when each position's number was taken, and how the line itself breaks rule 2."""

    taken_ms: Sequence[int]
    broken: tuple[str, ...] = ()


def line(simulation: Simulation, run: int, lane: str) -> Order:
    """The line of a lane by arrival; numbers nobody used stand in it as well. Early joiners of a draw are left out:
    where they stand is decided by the lot, not by when they came.

    Two numbers on one position, or a position without one, break rule 2. What is not sealed yet is left out.
    """
    watch = simulation.watch
    taken_ms, shards = watch.runs[run].line(lane).taken_ms, watch.runs[run].shards
    if shards == 1:
        return Order(taken_ms.get(0, array("q")))
    sealed = simulation.deployment.calm_stores().joins.epochs(watch.zone_id, run, lane, 1, 2**31)
    order = array("q", [NOBODY]) * (sealed[-1].tail if sealed else 0)
    broken = []
    for before, epoch in pairwise([before_all(shards), *sealed]):
        for shard in range(shards):
            if not _fill(
                order,
                taken_ms.get(shard, ()),
                before,
                epoch,
                shard,
                f"{watch.zone_id}#{run}#{lane}",
            ):
                broken.append(f"rule 2: epoch {epoch.number} puts two on one position")
    if NOBODY in order:
        broken.append("rule 2: the line has a gap")
    early = max((epoch.early or 0 for epoch in sealed), default=0)
    return Order(order[early:], tuple(broken))


def _fill(order: array[int], taken_ms: Sequence[int], before: Epoch, epoch: Epoch, shard: int, name: str) -> bool:
    """Put what one counter added in an epoch in its place: its numbers follow each other there."""
    first, last = before.cuts[shard] + 1, epoch.cuts[shard]
    if last < first:
        return True
    start = position_in(name, before, epoch, shard, first)
    free = all(at == NOBODY for at in order[start : start + last - first + 1])
    order[start : start + last - first + 1] = array("q", taken_ms[first - 1 : last])
    return free


def worst_inversion_ms(order: Iterable[int]) -> int:
    """How much earlier than somebody ahead a visitor had taken a number, at worst."""
    latest, worst = 0, 0
    for taken_ms in order:
        latest = max(latest, taken_ms)
        worst = max(worst, latest - taken_ms)
    return worst


def overtaken_max(order: Sequence[int]) -> int:
    """By how many later joiners anybody was overtaken, at most."""
    window_ms = worst_inversion_ms(order)
    if not window_ms:
        return 0
    recent: list[int] = []
    most = 0
    for number, taken_ms in enumerate(order):
        most = max(most, len(recent) - bisect_right(recent, taken_ms))
        insort(recent, taken_ms)
        if number % CLEARED_EVERY == 0:
            # Nobody still to come joined longer before the latest one than that.
            del recent[: bisect_right(recent, recent[-1] - window_ms - 1)]
    return most
