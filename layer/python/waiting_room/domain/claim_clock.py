"""The claim clock: it runs only while called visitors have a usable chance, and remembers where the line stood when.

All moments are milliseconds of that clock, not of the day.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from waiting_room.domain.gate_item import ControllerState, Sample, Watermarks

SAMPLES = 10
"""Samples kept per window and grace."""
SHARE_FLOOR = 0.02
"""The lowest show-up share assumed: below it a line of absentees would be called in one go."""
SHARE_MEMORY = 200
"""Called positions after which what was learnt of the show-up share counts half."""
SHARE_PRIOR = 2
"""Positions' worth of trust that everybody comes, before anything was measured."""
ANSWER_MS = 3_000
"""What a visitor who is there takes to come when called: one poll and one request."""


def called_by(state: ControllerState, clock_ms: float, lane: str) -> int:
    """How many positions of a lane had surely been called by a moment: never more than were."""
    older = [sample for sample in state.samples if sample.clock_ms <= clock_ms]
    return older[-1].serving.get(lane, 0) if older else 0


def pending(state: ControllerState, now: Sample, window_ms: int) -> float:
    """Positions called within the window that may still come: called since then, less claims since they could."""
    then = _line(state, now, state.clock_ms - window_ms).serving
    called = sum(serving - then.get(lane, 0) for lane, serving in now.serving.items())
    came = now.claimed - _line(state, now, state.clock_ms - window_ms + min(ANSWER_MS, window_ms / 2)).claimed
    return max(0.0, called - came)


def measure_share(state: ControllerState, now: Sample, window_ms: int) -> tuple[float, ControllerState]:
    """The share of called positions that come, learnt from those whose window has passed; newer ones count more.

    Claims are counted up to half a window after the calls they are set against, for they come later; both sums
    telescope, so in the long run each claim and each call counts once.
    """
    called_until = sum(_line(state, now, state.clock_ms - window_ms).serving.values())
    came_until = _line(state, now, state.clock_ms - window_ms / 2).claimed
    called = max(0.0, called_until - state.matured_called)
    if called > 0:
        came = max(0.0, came_until - state.matured_claimed)
        fade = 0.5 ** (called / SHARE_MEMORY)
        state = replace(
            state,
            matured_called=state.matured_called + called,
            matured_claimed=state.matured_claimed + came,
            recent_called=state.recent_called * fade + called,
            recent_claimed=state.recent_claimed * fade + came,
        )
    share = (state.recent_claimed + SHARE_PRIOR) / (state.recent_called + SHARE_PRIOR)
    return min(1.0, max(SHARE_FLOOR, share)), state


def remember(state: ControllerState, lanes: Mapping[str, Watermarks], claimed: int, memory_ms: int) -> ControllerState:
    """Add where the line stands now, and forget what is older than the memory, but for one sample."""
    now = Sample(state.clock_ms, claimed, {name: lane.serving for name, lane in lanes.items()})
    samples = state.samples
    if samples and state.clock_ms == samples[-1].clock_ms:
        samples = (*samples[:-1], now)
    elif not samples or state.clock_ms - samples[-1].clock_ms >= memory_ms / SAMPLES:
        samples = (*samples, now)
    while len(samples) > 1 and samples[1].clock_ms <= state.clock_ms - memory_ms:
        samples = samples[1:]
    return replace(state, samples=samples)


def _line(state: ControllerState, now: Sample, clock_ms: float) -> Sample:
    """Where the line stood at a moment, in between samples by proportion; before all memory, at the oldest sample."""
    samples = (*state.samples, now)
    if clock_ms < 0:
        return Sample(0, 0, {})
    if clock_ms <= samples[0].clock_ms:
        return samples[0]
    for older, newer in itertools.pairwise(samples):
        if clock_ms < newer.clock_ms:
            part = (clock_ms - older.clock_ms) / (newer.clock_ms - older.clock_ms)
            serving = {
                name: round(older.serving.get(name, 0) + part * (value - older.serving.get(name, 0)))
                for name, value in newer.serving.items()
            }
            return Sample(round(clock_ms), round(older.claimed + part * (newer.claimed - older.claimed)), serving)
    return samples[-1]
