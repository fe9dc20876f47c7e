"""Who was called and is on the way, and what share of the called come at all.

Called positions of which nothing is known yet are on the way. They move through stages, so that nearly all of a batch
are still expected at first and nearly nobody much later: after `n` stages of the same mean the time to come has an
Erlang distribution. Time is that of the claim clock: it stands while whoever comes finds no grant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

NEAR_SEC = 3.0
"""Mean time to come for somebody near the front: the CDN's second, a poll, a request."""
STEP_SEC = NEAR_SEC - 1
"""The same without the first tick, in which nobody can have heard of the call."""
NEAR_STAGES = 3
FAR_STAGES = 2
FRESH, NEAR, FAR = 0, slice(1, 1 + NEAR_STAGES), slice(1 + NEAR_STAGES, 1 + NEAR_STAGES + FAR_STAGES)
"""Where those on the way are: called in the last tick and near, near, far back."""
NOTICE_SEC = 20
"""How far behind the line those far back are who do not look more often yet."""

SHARE_FLOOR = 0.02
"""The lowest show-up share assumed: below it a line of absentees would be called in one go."""
SHARE_MEMORY = 400
"""Called positions after which what was learnt of the show-up share counts half."""
SHARE_PRIOR = 10
"""Positions' worth of trust that everybody comes, before anything was measured."""
RECALLED = 100
"""Called positions' worth of trust in a share that is known from a record, not from those who came."""
SHUT_SEC, SHUT_CLAIMS = 20, 10
"""So long and so many claims in a row without a grant left over, and too many were called: they stand at the door,
unseen. Then half as many are called, and after as long and as many again a quarter."""

MOST_SILENT = 4_000
"""More in a row are not counted: the gate item has room for no larger number."""


@dataclass(frozen=True)
class ShowUp:
    """Who is on the way, and what was learnt of those whose time to come is over.

    `on_the_way` are called positions by stage; none at all while nobody was called.
    `resolved_called` and `resolved_came` count all whose time to come is over, and those of them who came.
    `recent_called` and `recent_came` are the same with the older ones fading: from them the share is learnt.
    `shut_claims` and `shut_ms` say how many came, and for how long, while no grant was left over; each tick that leaves
    one over halves them.
    `silent` counts those whose time to come is over since anybody came at all.
    `noticed_front` is how far the line had got, of all lanes together, as far as pages far back have noticed.
    """

    on_the_way: tuple[float, ...] = ()
    resolved_called: float = 0
    resolved_came: float = 0
    recent_called: float = 0.0
    recent_came: float = 0.0
    shut_claims: int = 0
    shut_ms: int = 0
    noticed_front: float = 0.0
    silent: float = 0.0

    @classmethod
    def recalled(cls, share: float, absent: int, called: int, front: int) -> ShowUp:
        """What was known at an earlier moment, as far as it was noted, with `called` positions on the way again.

        They are far back, wherever they stand: pages of those who had lapsed look rarely. `front` is where the line
        stood, of all lanes together.
        """
        stages = _stages(())
        stages[FAR.start] = called
        came = max(0.0, share * (RECALLED + SHARE_PRIOR) - SHARE_PRIOR)
        return cls(
            on_the_way=_rounded(stages),
            resolved_called=absent,
            recent_called=RECALLED,
            recent_came=round(came, 2),
            noticed_front=front,
        )

    @property
    def share(self) -> float:
        """The share of called positions that come, newer ones counting more."""
        learnt = (self.recent_came + SHARE_PRIOR) / (self.recent_called + SHARE_PRIOR)
        return min(1.0, max(SHARE_FLOOR, learnt))

    @property
    def expected(self) -> float:
        """Visitors still expected of those called."""
        return self.share * sum(self.on_the_way)

    @property
    def absent(self) -> int:
        """Called positions whose time to come is over, less those who came."""
        return max(0, round(self.resolved_called - self.resolved_came))

    def wanted(self, places: float) -> float:
        """How many more to call so that `places` are filled; fewer the longer no grant was left over.

        After so many in a row of whom nobody came, as many may be on the way: so their number doubles while the line is
        of absentees, whatever the share was before, and a line of any length is through after a few rounds.
        """
        caution: float = 0.5 ** min(self.shut_claims // SHUT_CLAIMS, self.shut_ms // (SHUT_SEC * 1000))
        by_share = (places - self.expected) / self.share
        return max(0.0, by_share, self.silent - sum(self.on_the_way)) * caution

    def advance(self, claims: int, walked: int, elapsed_ms: int, open_sec: float, far_sec: float) -> ShowUp:
        """What is known one tick later.

        `claims` were made meanwhile; `walked` positions were taken by newcomers who need not be called; for `open_sec`
        there was a grant for whoever came, else for nobody in all of `elapsed_ms`; `far_sec` is the mean time to come
        from far back.
        """
        at_once = min(walked, claims)
        before = _stages(self.on_the_way)
        before[FRESH] += walked - at_once
        if open_sec > 0:
            near = _chain(before[NEAR], open_sec * NEAR_STAGES / STEP_SEC)
            near[0] += before[FRESH]
            after = [0.0, *near, *_chain(before[FAR], open_sec * FAR_STAGES / far_sec)]
            opened = replace(self, shut_claims=self.shut_claims // 2, shut_ms=self.shut_ms // 2)
            return opened._learn(after, sum(before) - sum(after) + at_once, claims)
        shut = replace(self, shut_claims=self.shut_claims + claims, shut_ms=self.shut_ms + elapsed_ms)
        return shut.stand(claims, walked)

    def stand(self, claims: int, walked: int) -> ShowUp:
        """What is known after a tick that all but those who came in had to spend at the door, or on the way to it."""
        at_once = min(walked, claims)
        before = _stages(self.on_the_way)
        before[FRESH] += walked - at_once
        total = sum(before)
        gone = min(total, (claims - at_once) / self.share)
        after = [part * (1 - gone / total) for part in before] if total > 0 else before
        return self._learn(after, gone + at_once, claims)

    def take_back(self, absent: float) -> ShowUp:
        """What is known when these, given up as absent, could not have come: they are on the way again."""
        stages = _stages(self.on_the_way)
        stages[FRESH] += absent
        return replace(
            self,
            on_the_way=_rounded(stages),
            resolved_called=round(max(0.0, self.resolved_called - absent), 2),
            recent_called=round(max(0.0, self.recent_called - absent), 2),
            silent=round(max(0.0, self.silent - absent), 1),
        )

    def call(self, calls: int, serving: int, near_ahead: int, pace: float) -> ShowUp:
        """Add newly called positions; `serving` is how many had been called before, of all lanes.

        Near are those who knew it: within `near_ahead` of where the line stood a while ago, or will by its `pace`, in
        positions a second.
        """
        known = self.noticed_front + near_ahead + NOTICE_SEC * pace
        near = min(float(calls), max(0.0, known - serving))
        stages = _stages(self.on_the_way)
        stages[FRESH] += near
        stages[FAR.start] += calls - near
        return replace(self, on_the_way=_rounded(stages))

    def notice(self, serving: int, sec: float) -> ShowUp:
        """Let pages learn where the line stands: far back they look rarely."""
        front = serving - (serving - self.noticed_front) * math.exp(-sec / NOTICE_SEC)
        return replace(self, noticed_front=round(front, 1))

    def _learn(self, on_the_way: Sequence[float], resolved: float, came: int) -> ShowUp:
        """Count positions whose time to come is over against those who came; in the long run each counts once."""
        fade = 0.5 ** (resolved / SHARE_MEMORY)
        return replace(
            self,
            on_the_way=_rounded(on_the_way),
            resolved_called=round(self.resolved_called + resolved, 2),
            resolved_came=self.resolved_came + came,
            recent_called=round(self.recent_called * fade + resolved, 2),
            recent_came=round(self.recent_came * fade + came, 2),
            silent=0.0 if came else round(min(MOST_SILENT, self.silent + resolved), 1),
        )


def _chain(stages: Sequence[float], moves: float) -> list[float]:
    """Each stage after an expected number of moves: a Poisson number of steps, the last of which leads out."""
    steps = [math.exp(-moves) * moves**count / math.factorial(count) for count in range(len(stages))]
    return [sum(stages[at - count] * steps[count] for count in range(at + 1)) for at in range(len(stages))]


def _stages(on_the_way: Sequence[float]) -> list[float]:
    return list(on_the_way) or [0.0] * FAR.stop


def _rounded(stages: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(count, 3) for count in stages)
