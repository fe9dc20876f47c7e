"""What API Gateway and Lambda take by default, what they refuse, and what a cold start costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from scripts.deployment.sizing import needs
from scripts.simulation.kernel import Crash, Kernel

T = TypeVar("T")
R = TypeVar("R")

CONCURRENCY = 1_000
"""Of an account in a Region (Lambda guide, "Lambda quotas")."""
UNRESERVED = 100
"""Lambda keeps so many for functions that reserve none (Lambda guide, "Configuring reserved concurrency")."""
NEW_INSTANCES = 1_000
NEW_INSTANCES_PER_SEC = 100
"""A function gets 1,000 new instances every ten seconds, refilled all the time and never saved up
(Lambda guide, "Lambda scaling behavior")."""
REQUESTS_PER_INSTANCE = 10
"""Requests a second for each unit of concurrency, however short they are
(Lambda guide, "Understanding concurrency and requests per second"; the edge: CloudFront guide, "Quotas")."""
API_REQUESTS_PER_SEC = 10_000
API_BURST = 5_000
"""Of an account in a Region, a token bucket (API Gateway guide, "Quotas for configuring and running")."""
COLD_START_SEC = (0.4, 1.5)
"""Init and the first request; about a second at 512 MB."""
IDLE_SEC = 300.0
"""Lambda does not say how long it keeps an idle instance; it is seen to be some minutes."""


class Refused(Exception):
    """Not taken: API Gateway's 429, or its 503 for a function that Lambda throttles. Neither has a Retry-After."""


class Tokens:
    """A token bucket."""

    def __init__(self, kernel: Kernel, per_sec: float, most: float) -> None:
        self._kernel = kernel
        self._per_sec = per_sec
        self._most = most
        self._left = most
        self._filled_at_ms = kernel.now_ms

    def take(self) -> bool:
        """Whether there was one left."""
        now_ms = self._kernel.now_ms
        self._left = min(self._most, self._left + (now_ms - self._filled_at_ms) * self._per_sec / 1000)
        self._filled_at_ms = now_ms
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True)
class Quotas:
    """What one deployment may have at once or a second: the account's quotas, and what Terraform sets below them."""

    bouncers: int
    warm_instances: int
    """Of these so many are kept warm before a start."""
    gatekeepers: int
    api_requests_per_sec: float
    api_burst: float

    @classmethod
    def sized(cls, joins_per_sec: int) -> Quotas:
        """By Terraform for so many joins; the account has what AWS gives, or has asked for what `wr preflight` says."""
        needed = needs(joins_per_sec)
        account = max(CONCURRENCY, needed.concurrency)
        return cls(
            bouncers=min(needed.bouncers, account - UNRESERVED),
            warm_instances=needed.warm_instances,
            gatekeepers=max(CONCURRENCY, needed.edge_concurrency),
            api_requests_per_sec=needed.api_requests_per_sec,
            api_burst=min(API_BURST, needed.api_requests_per_sec),
        )


class Function(Generic[T]):
    """One function's instances, each with one request at a time. `ceiling` is what it may have, reserved or not."""

    def __init__(
        self, kernel: Kernel, build: Callable[[], T], ceiling: int, handling_sec: float, *, warm: int = 0
    ) -> None:
        self._kernel = kernel
        self._build = build
        self._ceiling = ceiling
        self._handling_sec = handling_sec
        self._new = Tokens(kernel, NEW_INSTANCES_PER_SEC, NEW_INSTANCES)
        rate = REQUESTS_PER_INSTANCE * ceiling
        self._requests = Tokens(kernel, rate, rate)
        self._idle: list[tuple[int, T]] = [(kernel.now_ms, build()) for _ in range(min(warm, ceiling))]
        self._busy = 0
        self.cold_starts = 0
        self.throttled = 0
        self.most_at_once = 0

    def run(self, work: Callable[[T], R]) -> R:
        """Have an instance do something; only called by a job. Raises Refused where Lambda throttles."""
        instance = self._instance()
        self._busy += 1
        self.most_at_once = max(self.most_at_once, self._busy)
        alive = True
        try:
            if instance is None:
                self.cold_starts += 1
                self._kernel.sleep(self._kernel.rng.uniform(*COLD_START_SEC))
                instance = self._build()
            self._kernel.sleep(self._handling_sec)
            return work(instance)
        except Crash:
            alive = False
            raise
        finally:
            self._busy -= 1
            if alive and instance is not None:
                self._idle.append((self._kernel.now_ms, instance))

    def _instance(self) -> T | None:
        """Any that is idle; None where a new one is to be started."""
        allowed = self._busy < self._ceiling and self._requests.take()
        while allowed and self._idle:
            number = math.floor(self._kernel.rng.random() * len(self._idle))
            self._idle[number], self._idle[-1] = self._idle[-1], self._idle[number]
            since_ms, instance = self._idle.pop()
            if self._kernel.now_ms - since_ms < IDLE_SEC * 1000:
                return instance
        if allowed and self._new.take():
            return None
        self.throttled += 1
        raise Refused
