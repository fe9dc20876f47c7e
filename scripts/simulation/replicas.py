"""Reads that are not consistent: now and then what a replica knew a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

LAG_MS = 1_000
"""How far a replica is behind at worst; on AWS it is usually much less."""
BEHIND = 0.5
"""How often such a read meets a replica that is behind."""


class Replicas:
    """Answers of one store, of which those that need not be consistent may be as old as LAG_MS."""

    def __init__(self, now_ms: Callable[[], int], rng: Random) -> None:
        self._now_ms = now_ms
        self._rng = rng
        self._told: dict[tuple[str, str], tuple[int, Any]] = {}

    def read(self, call: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        """Make a call; where no consistent answer was asked for, it may be one that was given before."""
        answer = call(**request)
        if request.get("ConsistentRead", True):
            return answer
        asked = (request["TableName"], str(request.get("Key") or request["ExpressionAttributeValues"]))
        told_at_ms, told = self._told.get(asked, (0, None))
        now_ms = self._now_ms()
        if told is not None and now_ms - told_at_ms <= LAG_MS and self._rng.random() < BEHIND:
            return told
        self._told[asked] = (now_ms, answer)
        return answer
