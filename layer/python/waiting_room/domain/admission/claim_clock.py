"""The claim clock: it runs only while called visitors have a usable chance, and remembers where the line stood when.

All moments are milliseconds of that clock, not of the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from waiting_room.domain.gate_item import ControllerState, Sample, Watermarks

SAMPLES = 10
"""Samples kept per window and grace."""


def called_by(state: ControllerState, clock_ms: float, lane: str) -> int:
    """How many positions of a lane had surely been called by a moment: never more than were."""
    older = [sample for sample in state.samples if sample.clock_ms <= clock_ms]
    return older[-1].serving.get(lane, 0) if older else 0


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
