"""The frame around functions nobody waits for: run, then log one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from waiting_room.logs import Log
from waiting_room.ports import Clock


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
