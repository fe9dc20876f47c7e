"""How fast the room empties: what ends soon, and how many positions a second the line can move by.

The speed told to visitors is not the number called of late: a crowd that fills an empty room is called in seconds,
and nobody behind it moves at that pace. What lasts is the pace at which sessions end, divided by the show-up share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from waiting_room.domain.admission.show_up import NEAR_SEC
from waiting_room.domain.leases import MARGIN_SEC, bucket_end_ms
from waiting_room.domain.zone.zones import Zone

LEAVES_MEMORY_SEC = 60
ENDS_MEMORY_SEC = 120
SETTLED = 0.2
"""Part of the memory that must be filled before a speed is told."""
SETTLED_BLIND = 0.63
"""The same while no bucket has closed yet, so that nobody was seen to have left without a word."""
GROWN = 2
"""So many times the sessions there were on average, and most have only just begun: none of them could end yet."""


@dataclass(frozen=True)
class Turnover:
    """Moving averages of how sessions end, and what is foreseen from them.

    `active` are the sessions there were after the last tick.
    `leave_rate` are sessions ended a second by leaving or buying, over a short time.
    `end_rate` are sessions ended a second in whatever way, and `mean_active` are the sessions there were, both over a
    longer time. They begin at nothing: `end_weight` is the part of that time that was measured already.
    `mean_active_at_leaving` are the sessions there were when those left whose leases run out now.
    `lapses_seen` says whether leases ran out since the averages began.
    `pace` are the positions called a second as far as can be foreseen; 0 while nothing is known.
    """

    active: int = 0
    leave_rate: float = 0.0
    end_rate: float = 0.0
    end_weight: float = 0.0
    mean_active: float = 0.0
    mean_active_at_leaving: float = 0.0
    lapses_seen: bool = False
    pace: float = 0.0

    def left(self, claims: int, active: int) -> int:
        """Sessions that left or bought since the tick before, when `claims` began and `active` are counted now."""
        return max(0, self.active + claims - active)

    def measure(self, left: int, lapsed: int, sec: float, lease_sec: float) -> Turnover:
        """The averages `sec` seconds later, in which `left` sessions ended by leaving and `lapsed` by a closed bucket.

        A crowd that fills a room that was empty, or nearly, begins them anew: idle time says nothing of how long these
        will stay. The first bucket of theirs to close, `lease_sec` after they came, shows how many leave without a
        word; what was measured before it knew only of the others and is forgotten. A lapse tells of the room as it was
        when its visitor left, so in a room that fills up it stands for more than one by now.
        """
        if sec <= 0:
            return self
        active = self.active
        keep = math.exp(-sec / lapse_sec(lease_sec))
        at_leaving = round(self.mean_active_at_leaving * keep + (1 - keep) * active, 2)
        lapses = lapsed * active / max(1.0, at_leaving)
        keep = math.exp(-sec / LEAVES_MEMORY_SEC)
        leave_rate = round(self.leave_rate * keep + (1 - keep) * left / sec, 4)
        measured = replace(self, mean_active_at_leaving=at_leaving, leave_rate=leave_rate)
        if self.end_weight and active > 1 + GROWN * self.mean_active / self.end_weight:
            return measured._anew(lapses_seen=False)
        if lapsed and not self.lapses_seen and self.end_weight >= _weight(lease_sec):
            return measured._anew(lapses_seen=True)
        keep = math.exp(-sec / ENDS_MEMORY_SEC)
        return replace(
            measured,
            end_rate=round(self.end_rate * keep + (1 - keep) * (left + lapses) / sec, 4),
            end_weight=round(self.end_weight * keep + 1 - keep, 4),
            mean_active=round(self.mean_active * keep + (1 - keep) * active, 2),
        )

    def _anew(self, *, lapses_seen: bool) -> Turnover:
        return replace(self, end_rate=0.0, end_weight=0.0, mean_active=0.0, lapses_seen=lapses_seen)

    def foresee(self, zone: Zone, active: int, room: float, share: float) -> Turnover:
        """With `active` sessions now, `room` for more and this share of the called coming: the pace from now on.

        In a full room as many sessions end as their number and their mean length say: where there is a line the room
        will be full, whether it is filling up yet or was made larger a moment ago.
        """
        per_sec = 0.0
        if zone.max_active is not None and self.mean_active > 0:
            per_sec = self.ends_per_sec * zone.max_active * self.end_weight / self.mean_active
        if zone.rate_per_min is not None:
            rate = zone.rate_per_min / 60
            fills_up = zone.max_active is None or room > rate * ENDS_MEMORY_SEC
            per_sec = rate if fills_up else min(rate, per_sec)
        return replace(self, active=active, pace=round(per_sec / share, 4))

    @property
    def ends_per_sec(self) -> float:
        """Sessions ended a second, corrected for the short memory after a start; 0 while nothing is known."""
        settled = SETTLED if self.lapses_seen else SETTLED_BLIND
        return self.end_rate / self.end_weight if self.end_weight >= settled else 0.0

    def ending_soon(self, buckets: Mapping[int, int], width_sec: int, now_ms: int) -> float:
        """Sessions expected to end in the time a called visitor takes to come."""
        closing = sum(
            count
            for bucket, count in buckets.items()
            if bucket_end_ms(bucket, width_sec) + MARGIN_SEC * 1000 <= now_ms + NEAR_SEC * 1000
        )
        return closing + self.leave_rate * NEAR_SEC

    def door_sec(self, expected: float, share: float) -> float:
        """About how long it takes until all who were called and are still expected have found a place.

        As many come in a second as are called at the pace there is, less those who stay away.
        """
        per_sec = self.pace * share
        return expected / per_sec if per_sec > 0 else 2 * (1 + math.log2(1 + expected))


def lapse_sec(lease_sec: float) -> float:
    """About how long ago somebody left whose lease runs out: two thirds of it were left, and the margin is added."""
    return lease_sec * 2 / 3 + MARGIN_SEC


def _weight(sec: float) -> float:
    """The part of the memory that is filled after so long; no more than what is told without any lapse."""
    return min(SETTLED_BLIND, 1 - math.exp(-sec / ENDS_MEMORY_SEC))
