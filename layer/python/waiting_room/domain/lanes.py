"""Lanes: how those of one zone share the calls, and which of two places is called sooner (PROTOCOL, Lanes).

Deficit round robin after Shreedhar and Varghese (1995), in one step for the whole of a tick: each lane with somebody
in it is owed its share, what it cannot use is lent to the others, and fractions are carried to the next tick.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

GENERAL = "general"
"""The lane of everybody who was not invited into another."""
MOST_LANES = 6


def shares(lanes: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The part of the calls each lane gets while all of them are busy; they sum to 1.

    A lane has what is reserved for it, and of the rest its weight's part.
    """
    reserved = {name: lane.get("reserved_share", 0.0) for name, lane in lanes.items()}
    weights = sum(lane["weight"] for lane in lanes.values())
    rest = max(0.0, 1 - sum(reserved.values()))
    if not weights:
        return reserved
    return {name: reserved[name] + rest * lane["weight"] / weights for name, lane in lanes.items()}


def share_out(
    calls: int, waiting: Mapping[str, int], parts: Mapping[str, float], deficits: Mapping[str, float]
) -> tuple[dict[str, int], dict[str, float]]:
    """Divide calls among the lanes: how many each gets, and what each is owed next time.

    Every call is used while anybody waits. A lane that empties is owed nothing more and owes nothing.
    """
    given = dict.fromkeys(waiting, 0)
    hungry = {name: parts[name] for name, count in waiting.items() if count > 0 and parts[name] > 0}
    left = min(calls, sum(waiting[name] for name in hungry))
    due: dict[str, float] = {}
    while hungry:
        total, owed = sum(hungry.values()), sum(deficits.get(name, 0.0) for name in hungry)
        due = {name: deficits.get(name, 0.0) + (left - owed) * part / total for name, part in hungry.items()}
        served = [name for name in hungry if due[name] >= waiting[name] <= left]
        if not served:
            break
        for name in served[:1]:
            given[name] = waiting[name]
            left -= given[name]
            del hungry[name]
    for name in hungry:
        given[name] = min(waiting[name], max(0, math.floor(due[name] + 1e-9)))
    _settle(left - sum(given[name] for name in hungry), given, {name: (due[name], waiting[name]) for name in hungry})
    return given, {name: due[name] - given[name] for name in hungry if given[name] < waiting[name]}


def _settle(missing: int, given: dict[str, int], hungry: Mapping[str, tuple[float, int]]) -> None:
    """What rounding left over goes to those owed most; what it gave too much is taken from those owed least."""
    while missing:
        step = 1 if missing > 0 else -1
        able = [name for name, (_, waiting) in hungry.items() if 0 <= given[name] + step <= waiting]
        name = max(able, key=lambda name: step * (hungry[name][0] - given[name]))
        given[name] += step
        missing -= step


@dataclass(frozen=True)
class Standing:
    """A place as it compares with one in another lane: how many are ahead of it there, and that lane's share."""

    ahead: int
    share: float

    @property
    def calls(self) -> float:
        """Calls of the zone until this place's turn while every lane is busy; none once it is called."""
        return self.ahead / self.share if self.share > 0 else math.inf


def is_sooner(new: Standing, held: Standing) -> bool:
    """Whether a new place is called before the one held, were all lanes busy until then. At par the held one stays."""
    return new.calls < held.calls
