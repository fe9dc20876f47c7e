"""The claim clock remembers where the line stood: never more than was called, in no more samples than there is room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from waiting_room.domain.admission.claim_clock import SAMPLES, ClaimClock

steps = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 50)), min_size=1, max_size=300)


@given(steps, st.lists(st.sampled_from([10_000, 60_000, 120_000, 4_200_000]), min_size=1, max_size=4))
def test_nobody_lapses_early_and_samples_stay_few_whatever_becomes_of_the_window(
    ticks: list[tuple[int, int]], memories_ms: list[int]
) -> None:
    clock, serving, course = ClaimClock(), 0, [(0, 0)]
    for number, (ms, calls) in enumerate(ticks):
        memory_ms = memories_ms[number * len(memories_ms) // len(ticks)]
        clock, serving = clock.run(ms), serving + calls
        clock = clock.remember({"general": serving}, claimed=0, memory_ms=memory_ms)
        course.append((clock.ms, serving))
        called = max((mark for at_ms, mark in course if at_ms <= clock.ms - memory_ms), default=0)
        assert clock.called_before(memory_ms, "general") <= called
        assert len(clock.samples) <= SAMPLES + 1


def test_whoever_was_called_lapses_a_sixth_late_at_the_most() -> None:
    clock, memory_ms = ClaimClock(), 120_000
    for second in range(1_000):
        clock = clock.run(1_000).remember({"general": second}, claimed=0, memory_ms=memory_ms)
        late = second - memory_ms // 1_000 - clock.called_before(memory_ms, "general")
        assert second < memory_ms // 1_000 * 2 or late <= memory_ms / 1_000 / SAMPLES
