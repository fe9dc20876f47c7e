"""The frames around functions: of those nobody waits for (run, then log one line), and of those that are kept warm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from waiting_room.logs import Log
from waiting_room.ports import Clock

Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]
HOLD = "hold_until_ms"
LONGEST_HOLD_SEC = 10
"""Well within what a bouncer has, whatever an event says."""


class Job:
    """A Lambda handler for asynchronous events. What `run` returns is logged, so it holds numbers and ids only."""

    def __init__(self, run: Callable[[Mapping[str, Any]], dict[str, Any]], clock: Clock, log: Log) -> None:
        self._run = run
        self._clock = clock
        self._log = log

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Run once. An error is logged and raised: Lambda counts it, and repeats what may be repeated."""
        started_at_ms = self._clock.now_ms()
        fields: dict[str, Any] = {"request_id": getattr(context, "aws_request_id", "")}
        try:
            outcome = self._run(event)
        except Exception:
            self._log.exception("failed", extra=fields)
            raise
        duration_ms = self._clock.now_ms() - started_at_ms
        self._log.info("done", extra={**fields, **outcome, "duration_ms": duration_ms})
        return outcome


class Warmable:
    """A handler that also lets itself be kept warm: `{HOLD: ...}` is held until then, and nothing is done.

    API Gateway makes its events itself: nobody outside can send this one.
    """

    def __init__(self, app: Handler, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._app = app
        self._clock = clock
        self._sleep = sleep

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Answer a request, or be held."""
        if HOLD not in event:
            return self._app(event, context)
        left_ms = int(event[HOLD]) - self._clock.now_ms()
        self._sleep(min(max(left_ms, 0) / 1000, LONGEST_HOLD_SEC))
        return {}
