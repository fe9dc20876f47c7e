"""How full the batches are in which Lambda hands over a stream.

Each shard of a stream has as many readers as its mapping's parallelization says; a reader gathers records until its
window is over or its batch is full, and without a window hands over what it finds four times a second:
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHARDS = 4
"""Of a new table's stream: one for each thousand writes a second the table takes."""
LOOKS_A_SEC = 4


def readers(trigger: Mapping[str, Any]) -> int:
    """Readers of a stream side by side; `trigger` is as in schemas/functions.json."""
    return SHARDS * int(trigger["parallelization"])


def records_a_batch(trigger: Mapping[str, Any], records_per_sec: float) -> float:
    """Records in one invocation, when so many come in a second."""
    window_sec: float = max(trigger["batching_window_sec"], 1 / LOOKS_A_SEC)
    return min(float(trigger["batch_size"]), max(1.0, records_per_sec * window_sec / readers(trigger)))
