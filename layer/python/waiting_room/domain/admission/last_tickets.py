"""How often pages look while the last of the stock is being sold, so that all of them soon hear that nothing is left.

Far back a page looks every half minute, which would be how late it hears. So before the stock can run out everybody is
told to look again within half of the time until then, and every second once it may be any moment. The document they
look at is the same for all and cached at the CDN: what this costs is the CDN's requests, about a dollar a million.
`MOST_LOOKS` bounds them in a run, however long the last visitors take to decide and however many wait.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from waiting_room.domain.zone.zones import PollRules

MOST_LOOKS = 20_000_000
"""Looks a run may cost because of its last tickets: about 20 USD at CloudFront's list price."""
FASTEST_STAY_SEC = 120
"""Sales of a crowd that has only just come in are foreseen as if everybody bought after so long."""


def soonest_sec(leave_rate: float, left: int, active: int) -> float:
    """Seconds until `left` tickets may be gone, at the earliest: infinity while nobody is in who could buy one.

    As many are sold as sessions end by buying or leaving, `leave_rate` of them a second, plus three standard
    deviations of a Poisson count and two.
    """
    per_sec = max(leave_rate, active / FASTEST_STAY_SEC)
    if per_sec <= 0:
        return math.inf
    root = (math.sqrt(9 + 4 * max(0, left - 2)) - 3) / 2
    return root * root / per_sec


@dataclass(frozen=True)
class LastTickets:
    """`extra_looks` are the looks of waiting pages that the last of the stock has cost in this run so far."""

    extra_looks: int = 0

    def looks(self, poll: PollRules, soonest: float) -> PollRules:
        """How often to look when the stock may be gone in `soonest` seconds: the less of the bound is left, the rarer.

        The pace gives way as what is left melts, so the bound is approached and never reached.
        """
        left = MOST_LOOKS - self.extra_looks
        if math.isinf(soonest) or left <= 0:
            return poll
        # A page looks again after up to twice the time it is told.
        sec = max(1, math.ceil(MOST_LOOKS / 2 / left), math.floor(soonest / 4))
        return poll if sec >= poll.far_sec else replace(poll, far_sec=sec, near_sec=min(poll.near_sec, sec))

    def count(self, usual: PollRules, told: PollRules, waiting: int, sec: float) -> LastTickets:
        """Count the looks of `waiting` pages in `sec` seconds, if they are told to look more often than usual."""
        if told == usual or sec <= 0:
            return self
        return replace(self, extra_looks=self.extra_looks + math.ceil(waiting * sec / told.far_sec))
