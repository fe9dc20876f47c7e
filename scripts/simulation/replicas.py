"""Reads that are not consistent: now and then what a replica knew a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

READS = frozenset({"get_item", "query", "scan", "batch_get_item"})
LAG_MS = 1_000
"""How far a replica is behind at worst; on AWS it is usually much less."""
BEHIND = 0.5
"""How often such a read meets a replica that is behind."""


def is_consistent(request: Mapping[str, Any]) -> bool:
    """Whether a read is sure to see every write before it: only where the request says so, for DynamoDB's default is
    false (API Reference, `ConsistentRead` of GetItem, Query and Scan, and of KeysAndAttributes in BatchGetItem)."""
    batch = request.get("RequestItems")
    parts = [request] if batch is None else batch.values()
    return all(part.get("ConsistentRead", False) for part in parts)


class Replicas:
    """Answers of one store, of which those that need not be consistent may be as old as LAG_MS."""

    def __init__(self, now_ms: Callable[[], int], rng: Random) -> None:
        self._now_ms = now_ms
        self._rng = rng
        self._told: dict[tuple[str, str], tuple[int, Any]] = {}

    def answer(self, name: str, call: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        """Make a call; what a read tells that asked for no consistent answer may be what it was told before."""
        answer = call(**request)
        if name not in READS or is_consistent(request):
            return answer
        asked = (name, str(request))
        told_at_ms, told = self._told.get(asked, (0, None))
        now_ms = self._now_ms()
        if told is not None and now_ms - told_at_ms <= LAG_MS and self._rng.random() < BEHIND:
            return told
        self._told[asked] = (now_ms, answer)
        return answer
