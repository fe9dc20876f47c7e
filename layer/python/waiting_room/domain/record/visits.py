"""Numbers of visits by minute: what one change adds, and what the sums of a minute say.

Sums can be added in any order. Waits are counted in bins that grow by a fifth, so that a median or percentile read
from them is right to 10 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from waiting_room.domain.record.changes import ENDINGS, Change

GROWTH = 1.2
LAST_BIN = 64
"""Its bound is beyond a day."""
WAIT = "wait"
COUNTED = ("admitted", *ENDINGS, "gave_up")

Sums = Mapping[str, int]
"""By `{lane}#{what}`: counts of COUNTED, `wait#{bin}` of the admitted, `gave_up_sec` of those who gave up."""


def added_by(change: Change) -> dict[str, int]:
    """What a change adds to the sums of its second; empty for one that is not counted."""
    if change.kind not in ("admitted", *ENDINGS):
        return {}
    if change.gave_up:
        return {f"{change.lane}#gave_up": 1, f"{change.lane}#gave_up_sec": round((change.wait_ms or 0) / 1000)}
    sums = {f"{change.lane}#{change.kind}": 1}
    if change.kind == "admitted":
        sums[f"{change.lane}#{WAIT}#{bin_of((change.wait_ms or 0) / 1000)}"] = 1
    return sums


def bin_of(sec: float) -> int:
    """The bin of a wait: 0 is below a second."""
    return 0 if sec < 1 else min(LAST_BIN, 1 + int(math.log(sec, GROWTH)))


def bin_sec(number: int) -> float:
    """What a wait in a bin is taken for, in seconds: the middle of the bin."""
    return 0.5 if number == 0 else float(GROWTH ** (number - 0.5))


def by_lane(sums: Sums) -> dict[str, dict[str, Any]]:
    """The measures of each lane in a minute; waits only where somebody was admitted, in seconds."""
    lanes: dict[str, dict[str, int]] = {}
    for name, value in sums.items():
        lane, _, what = name.partition("#")
        lanes.setdefault(lane, {})[what] = value
    return {lane: _measures(own) for lane, own in sorted(lanes.items())}


def total(sums: Sums) -> int:
    """How many changes are in the sums: it only grows, so it says which of two is the newer."""
    return sum(value for name, value in sums.items() if name.partition("#")[2] in COUNTED)


def percentile(bins: Mapping[int, int], share: float) -> float:
    """The wait that a share of the counted did not exceed, in seconds."""
    left = share * sum(bins.values())
    for number in sorted(bins):
        left -= bins[number]
        if left <= 0:
            return round(bin_sec(number), 1)
    return round(bin_sec(max(bins)), 1)


def _measures(own: Mapping[str, int]) -> dict[str, Any]:
    measures: dict[str, Any] = {name: own.get(name, 0) for name in COUNTED}
    bins = {int(name.partition("#")[2]): value for name, value in own.items() if name.startswith(f"{WAIT}#")}
    if bins:
        measures |= {"wait_median_sec": percentile(bins, 0.5), "wait_p95_sec": percentile(bins, 0.95)}
    return measures
