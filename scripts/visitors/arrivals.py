"""When visitors come: curves of arrival times in seconds from the beginning of a run, in ascending order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

Curve = Callable[[random.Random], Iterator[float]]


def flash(count: int, within_sec: float, from_sec: float = 0.0) -> Curve:
    """A crowd that arrives evenly within a short time: a link goes round."""

    def times(rng: random.Random) -> Iterator[float]:
        gap = within_sec / count
        for number in range(count):
            yield from_sec + (number + rng.random()) * gap

    return times


def steady(per_sec: float, seconds: float, from_sec: float = 0.0) -> Curve:
    """Strangers who come independently of each other: a Poisson stream."""

    def times(rng: random.Random) -> Iterator[float]:
        at_sec = from_sec
        while (at_sec := at_sec + rng.expovariate(per_sec)) < from_sec + seconds:
            yield at_sec

    return times


def waves(count: int, lasting_sec: float, from_secs: tuple[float, ...]) -> Curve:
    """The same crowd several times: swells for half of its time, then ebbs away."""

    def times(rng: random.Random) -> Iterator[float]:
        for from_sec in from_secs:
            yield from sorted(from_sec + rng.triangular(0, lasting_sec, lasting_sec / 2) for _ in range(count))

    return times
