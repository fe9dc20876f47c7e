"""Who was called and is on the way, and what share of the called come at all.

`coming` counts called positions of which nothing is known yet. They move through stages, so that nearly all of a
batch are still expected at first and nearly nobody much later: after `n` stages of the same mean the time to come has
an Erlang distribution. Time is that of the claim clock: it stands while whoever comes finds no grant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from waiting_room.domain.gate_item import ControllerState

NEAR_SEC = 3.0
"""Mean time to come for somebody near the front: the CDN's second, a poll, a request."""
STEP_SEC = NEAR_SEC - 1
"""The same without the first tick, in which nobody can have heard of the call."""
NEAR_STAGES = 3
FAR_STAGES = 2
FRESH, NEAR, FAR = 0, slice(1, 1 + NEAR_STAGES), slice(1 + NEAR_STAGES, 1 + NEAR_STAGES + FAR_STAGES)
"""What `coming` consists of: called in the last tick and near, near, far back."""
NOTICE_SEC = 20
"""How far behind the line those far back are who do not look more often yet."""

SHARE_FLOOR = 0.02
"""The lowest show-up share assumed: below it a line of absentees would be called in one go."""
SHARE_MEMORY = 400
"""Called positions after which what was learnt of the show-up share counts half."""
SHARE_PRIOR = 2
"""Positions' worth of trust that everybody comes, before anything was measured."""
SHUT_SEC, SHUT_CLAIMS = 20, 10
"""So long and so many claims in a row without a grant left over, and too many were called: they stand at the door,
unseen. Then half as many are called, and after as long and as many again a quarter."""


def share(state: ControllerState) -> float:
    """The share of called positions that come, newer ones counting more."""
    learnt = (state.recent_claimed + SHARE_PRIOR) / (state.recent_called + SHARE_PRIOR)
    return min(1.0, max(SHARE_FLOOR, learnt))


def expected(state: ControllerState) -> float:
    """Visitors still expected of those called."""
    return share(state) * sum(state.coming)


def wanted(state: ControllerState, places: float) -> float:
    """How many more to call so that `places` are filled; fewer the longer no grant was left over."""
    caution: float = 0.5 ** min(state.shut_claims // SHUT_CLAIMS, state.shut_ms // (SHUT_SEC * 1000))
    return max(0.0, (places - expected(state)) / share(state)) * caution


def advance(
    state: ControllerState, claims: int, walked: int, elapsed_ms: int, open_sec: float, far_sec: float
) -> ControllerState:
    """What is known one tick later.

    `claims` were made meanwhile; `walked` positions were taken by newcomers who need not be called; for `open_sec`
    there was a grant for whoever came, else for nobody in all of `elapsed_ms`; `far_sec` is the mean time to come from
    far back.
    """
    at_once = min(walked, claims)
    before = _parts(state.coming)
    before[FRESH] += walked - at_once
    if open_sec > 0:
        near = _chain(before[NEAR], open_sec * NEAR_STAGES / STEP_SEC)
        near[0] += before[FRESH]
        after = [0.0, *near, *_chain(before[FAR], open_sec * FAR_STAGES / far_sec)]
        state = replace(state, shut_claims=0, shut_ms=0)
        return _learn(state, after, sum(before) - sum(after) + at_once, claims)
    # The door was shut for all but those who came in: the others are on the way, or stand there.
    total = sum(before)
    gone = min(total, (claims - at_once) / share(state))
    after = [part * (1 - gone / total) for part in before] if total > 0 else before
    state = replace(state, shut_claims=state.shut_claims + claims, shut_ms=state.shut_ms + elapsed_ms)
    return _learn(state, after, gone + at_once, claims)


def call(state: ControllerState, calls: int, serving: int, near_ahead: int) -> ControllerState:
    """Add newly called positions; `serving` is how many had been called before, of all lanes.

    Near are those who knew it: within `near_ahead` of where the line stood a while ago, or will by its known pace.
    """
    known = state.known_front + near_ahead + NOTICE_SEC * state.pace
    near = min(float(calls), max(0.0, known - serving))
    parts = _parts(state.coming)
    parts[FRESH] += near
    parts[FAR.start] += calls - near
    return replace(state, coming=_rounded(parts))


def notice(state: ControllerState, serving: int, sec: float) -> ControllerState:
    """Let pages learn where the line stands: far back they look rarely."""
    front = serving - (serving - state.known_front) * math.exp(-sec / NOTICE_SEC)
    return replace(state, known_front=round(front, 1))


def _learn(state: ControllerState, coming: Sequence[float], resolved: float, came: int) -> ControllerState:
    """Count positions whose time to come is over against those who came; in the long run each counts once."""
    fade = 0.5 ** (resolved / SHARE_MEMORY)
    return replace(
        state,
        coming=_rounded(coming),
        matured_called=round(state.matured_called + resolved, 2),
        matured_claimed=state.matured_claimed + came,
        recent_called=round(state.recent_called * fade + resolved, 2),
        recent_claimed=round(state.recent_claimed * fade + came, 2),
    )


def _chain(stages: Sequence[float], moves: float) -> list[float]:
    """Each stage after an expected number of moves: a Poisson number of steps, the last of which leads out."""
    steps = [math.exp(-moves) * moves**count / math.factorial(count) for count in range(len(stages))]
    return [sum(stages[at - count] * steps[count] for count in range(at + 1)) for at in range(len(stages))]


def _parts(coming: Sequence[float]) -> list[float]:
    return list(coming) or [0.0] * FAR.stop


def _rounded(coming: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(part, 3) for part in coming)
