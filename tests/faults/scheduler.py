"""Cooperative actors on one virtual clock. Every store call is a point where another actor may go on."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any

import greenlet

START_MS = 1_780_315_200_000


class Crash(BaseException):
    """The process dies here. Not an Exception: no handler of the product may catch it."""


class Scheduler:
    """Runs actors in the order of their wake-up times; ties are broken by the seed."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.now_ms = START_MS
        self.steps = 0
        self._due: list[tuple[int, float, int, Callable[[], Any]]] = []
        self._made = 0
        self._loop = greenlet.getcurrent()

    def spawn(self, actor: Callable[[], None], at_ms: int | None = None) -> None:
        """Start an actor; its crash is its own end only."""

        def life() -> None:
            try:
                actor()
            except Crash:
                return

        self.at(self.now_ms if at_ms is None else at_ms, greenlet.greenlet(life, self._loop).switch)

    def at(self, at_ms: int, call: Callable[[], Any]) -> None:
        """Call something at a time, outside of any actor."""
        self._made += 1
        heapq.heappush(self._due, (at_ms, self.rng.random(), self._made, call))

    def sleep(self, ms: float) -> None:
        """Let the others run for some virtual time; only called by an actor."""
        self.at(self.now_ms + round(ms), greenlet.getcurrent().switch)
        self._loop.switch()

    def run(self, until_ms: int) -> None:
        """Run until nothing is due before a time."""
        while self._due and self._due[0][0] <= until_ms:
            at_ms, _, _, call = heapq.heappop(self._due)
            self.now_ms = max(self.now_ms, at_ms)
            self.steps += 1
            call()
        self.now_ms = max(self.now_ms, until_ms)
