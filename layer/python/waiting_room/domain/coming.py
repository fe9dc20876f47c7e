"""Who was called and is on the way: how many of them are still expected, going by how long ago they were called.

The count moves through stages, so that nearly all of a batch is expected at first and nearly nobody much later: after
`n` stages of the same mean the time to come has an Erlang distribution. Time is that of the claim clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NEAR_SEC = 3.0
"""Mean time to come for somebody near the front: a poll, the CDN's second, a request."""
NEAR_STAGES = 3
FAR_STAGES = 2


def move_on(coming: Sequence[float], sec: float, far_sec: float) -> tuple[float, ...]:
    """The expectation after a time in which whoever came was let in. `far_sec` is the mean of those far back."""
    near, far = _parts(coming)
    return (*_chain(near, sec * NEAR_STAGES / NEAR_SEC), *_chain(far, sec * FAR_STAGES / far_sec))


def let_in(coming: Sequence[float], claims: int) -> tuple[float, ...]:
    """The expectation after some came in while the door was shut for the others: those still stand there."""
    total = sum(coming)
    left = max(0.0, 1 - claims / total) if total > 0 else 0.0
    return tuple(part * left for part in coming)


def call(coming: Sequence[float], near: float, far: float) -> tuple[float, ...]:
    """The expectation with newly called visitors, those who look often and those who look rarely."""
    parts = [*_parts(coming)[0], *_parts(coming)[1]]
    parts[0] += near
    parts[NEAR_STAGES] += far
    return tuple(parts)


def _parts(coming: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    whole = coming or (0.0,) * (NEAR_STAGES + FAR_STAGES)
    return whole[:NEAR_STAGES], whole[NEAR_STAGES:]


def _chain(stages: Sequence[float], moves: float) -> list[float]:
    """Each stage after an expected number of moves: a Poisson number of steps, the last of which leads out."""
    steps = [math.exp(-moves) * moves**count / math.factorial(count) for count in range(len(stages))]
    return [sum(stages[at - count] * steps[count] for count in range(at + 1)) for at in range(len(stages))]
