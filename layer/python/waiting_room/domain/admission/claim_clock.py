"""The claim clock: it runs only while called visitors have a usable chance, and remembers where the line stood when.

All moments are milliseconds of that clock, not of the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

SAMPLES = 10
"""Samples kept per window and grace."""


@dataclass(frozen=True)
class Sample:
    """How many were called in each lane, and the claims so far, at a moment of the claim clock."""

    clock_ms: int
    claimed: int
    serving: Mapping[str, int]


@dataclass(frozen=True)
class ClaimClock:
    """Where the clock stands, and samples of the line, oldest first."""

    ms: int = 0
    samples: tuple[Sample, ...] = ()

    def run(self, ms: int) -> ClaimClock:
        """The clock so much later."""
        return replace(self, ms=self.ms + ms)

    def anew(self) -> ClaimClock:
        """The clock without its memory: whoever is called now has a whole window."""
        return replace(self, samples=())

    def called_before(self, ago_ms: int, lane: str) -> int:
        """How many positions of a lane had surely been called so long ago: never more than were."""
        older = [sample for sample in self.samples if sample.clock_ms <= self.ms - ago_ms]
        return older[-1].serving.get(lane, 0) if older else 0

    def remember(self, serving: Mapping[str, int], claimed: int, memory_ms: int) -> ClaimClock:
        """Add where the line stands now, and forget what is older than the memory, but for one sample."""
        now = Sample(self.ms, claimed, serving)
        samples = self.samples
        if samples and self.ms == samples[-1].clock_ms:
            samples = (*samples[:-1], now)
        elif not samples or self.ms - samples[-1].clock_ms >= memory_ms / SAMPLES:
            samples = (*samples, now)
        while len(samples) > 1 and samples[1].clock_ms <= self.ms - memory_ms:
            samples = samples[1:]
        return replace(self, samples=samples)
