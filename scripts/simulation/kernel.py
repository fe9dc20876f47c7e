"""The virtual clock: callbacks and jobs in the order of their time. A job may sleep; every store call does."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import greenlet

START_MS = 1_780_315_200_000
"""2026-06-01 12:00 UTC."""


class Crash(BaseException):
    """The process dies here. Not an Exception: no handler of the product may catch it."""


class Kernel:
    """Runs what is due, and nothing else happens meanwhile. The same seed gives the same run."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a run that can be repeated, nothing secret
        self.now_ms = START_MS
        self.steps = 0
        self._due: list[tuple[int, int, Callable[[], Any]]] = []
        self._made = 0
        self._loop = greenlet.getcurrent()

    @property
    def now_sec(self) -> float:
        """Seconds since the run began."""
        return (self.now_ms - START_MS) / 1000

    def at(self, at_ms: int, call: Callable[[], Any]) -> None:
        """Call something at a time; it must not sleep."""
        self._made += 1
        heapq.heappush(self._due, (at_ms, self._made, call))

    def after(self, seconds: float, call: Callable[[], Any]) -> None:
        """Call something in a while; it must not sleep."""
        self.at(self.now_ms + max(0, round(seconds * 1000)), call)

    def start(self, job: Callable[[], Any]) -> None:
        """Begin a job, which may sleep. Its crash is its own end only."""

        def life() -> None:
            try:
                job()
            except Crash:
                return

        self.at(self.now_ms, greenlet.greenlet(life, self._loop).switch)

    def sleep(self, seconds: float) -> None:
        """Let others run for some virtual time; only called by a job."""
        self.after(seconds, greenlet.getcurrent().switch)
        self._loop.switch()

    def together(self, calls: Iterable[Callable[[], Any]]) -> None:
        """Make calls as jobs of their own and wait for all; what one raises is raised. Only called by a job."""
        parts = list(calls)
        if len(parts) == 1:
            parts[0]()
            return
        caller, left, failed = greenlet.getcurrent(), len(parts), list[BaseException]()

        def part(call: Callable[[], Any]) -> None:
            nonlocal left
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - raised again in the caller
                failed.append(error)
            left -= 1
            if not left:
                self.at(self.now_ms, caller.switch)

        for call in parts:
            self.start(lambda call=call: part(call))  # type: ignore[misc]
        self._loop.switch()
        if failed:
            raise failed[0]

    def run(self, until_ms: int) -> None:
        """Run everything that is due up to a time."""
        due = self._due
        while due and due[0][0] <= until_ms:
            at_ms, _, call = heapq.heappop(due)
            self.now_ms = max(self.now_ms, at_ms)
            self.steps += 1
            call()
        self.now_ms = max(self.now_ms, until_ms)


@dataclass
class SkewedClock:
    """A machine's clock: the true one, some milliseconds off."""

    kernel: Kernel
    skew_ms: int = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch, as this machine believes."""
        return self.kernel.now_ms + self.skew_ms


class SerialIds:
    """Ids of the right form that never repeat, in the same order for the same seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._made = 0

    def _next(self) -> str:
        self._made += 1
        return f"{self._made:022d}"

    def visitor_id(self) -> str:
        """22 characters."""
        return self._next()

    def session_id(self) -> str:
        """22 characters."""
        return self._next()

    def attempt_id(self) -> str:
        """22 characters."""
        return self._next()

    def jitter(self) -> float:
        """A number in [0, 1)."""
        return self._rng.random()
