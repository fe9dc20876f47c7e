"""How calls are shared out among the lanes, and how fast each lane moves by that.

A lane with a line gets its share, and of what other lanes leave over the same share again. So its speed follows from
the shares and from what the lanes without a line take; nothing is remembered of the pace of a lane that has gone quiet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from waiting_room.domain.lanes import share_out

QUIET_MEMORY_SEC = 60
"""Time constant of the moving average of what a lane without a line takes."""
LINE_SEC = 5
"""As many seconds of its share as must wait after a tick to be a line: fewer are whom rounding left over."""


@dataclass(frozen=True)
class SharedCalls:
    """What the lanes had of the calls so far; `parts` are everywhere the lanes' shares, which sum to 1.

    `deficits` are the calls each lane was owed when they were shared out last, less what it got beyond its share.
    `quiet` are the positions a second that lanes without a line take; a lane with one is not among them.
    """

    deficits: Mapping[str, float] = field(default_factory=dict)
    quiet: Mapping[str, float] = field(default_factory=dict)

    def share_out(
        self, calls: int, waiting: Mapping[str, int], parts: Mapping[str, float], pace: float, sec: float
    ) -> tuple[dict[str, int], SharedCalls]:
        """Divide calls among those waiting: how many each lane gets, and what is known after that.

        `pace` is that of all lanes, in positions a second; `sec` are the seconds since the tick before.
        """
        given, deficits = share_out(calls, waiting, parts, self.deficits)
        left = {lane: waiting[lane] - count for lane, count in given.items()}
        return given, SharedCalls(deficits, self._measured(given, left, parts, pace, sec))

    def _measured(
        self, given: Mapping[str, int], left: Mapping[str, int], parts: Mapping[str, float], pace: float, sec: float
    ) -> Mapping[str, float]:
        """What a lane without a line takes is as much as joins it; of one with a line nothing is kept."""
        if sec <= 0:
            return self.quiet
        keep = math.exp(-sec / QUIET_MEMORY_SEC)
        few = {lane: max(1.0, LINE_SEC * pace * part) for lane, part in parts.items()}
        return {
            lane: round(self.quiet[lane] * keep + (1 - keep) * count / sec, 6) if lane in self.quiet else 0.0
            for lane, count in given.items()
            if left[lane] <= few[lane]
        }

    def speed_per_sec(self, lane: str, parts: Mapping[str, float], pace: float) -> float:
        """Positions of a lane called a second while it has a line; 0 while the pace is not known.

        Lanes without a line take what joins them, at most their share; the others divide the rest by theirs.
        """
        quiet = {other: part for other, part in parts.items() if other != lane and other in self.quiet}
        taken = sum(min(self.quiet[other], pace * part) for other, part in quiet.items())
        busy = sum(part for other, part in parts.items() if other not in quiet)
        return max(0.0, pace - taken) * parts.get(lane, 0.0) / busy if busy > 0 else 0.0
