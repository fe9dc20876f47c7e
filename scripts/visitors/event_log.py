"""What the crowd did and was given, one JSON object a line.

Every line has `at_ms`, `visitor` and `event`. The events that `check` reads:
- `token`: an access token arrived; `sid`, `exp_sec`, `requested_at_ms`, `received_at_ms` (from its Set-Cookie).
- `ended`: the visitor left or checked out; `sid`, `requested_at_ms`, `received_at_ms`, `how`.
- `line`: what the waiting page would show; `run`, `position`, `ahead`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from .browser import now_ms

Event = dict[str, Any]


class EventLog:
    """Counts events, and writes them to a file if there is one. Tokens themselves are never written."""

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = file
        self.counts: dict[str, int] = {}

    def write(self, visitor: str, event: str, **details: Any) -> None:
        """Write one event."""
        self.counts[event] = self.counts.get(event, 0) + 1
        if self._file is not None:
            line = {"at_ms": now_ms(), "visitor": visitor, "event": event, **details}
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def status(self, document: dict[str, Any]) -> None:
        """Somebody has read a status document; it is written only where it is judged."""


def read_events(path: Path) -> Iterator[Event]:
    """The events of a log. Raises OSError, ValueError with the line's number."""
    with path.open(encoding="utf-8") as lines:
        yield from parse_events(lines)


def parse_events(lines: Iterable[str]) -> Iterator[Event]:
    """The events of some lines. Raises ValueError with the line's number."""
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
        except ValueError:
            raise ValueError(f"line {number} is not JSON") from None
        if not isinstance(event, dict) or "event" not in event:
            raise ValueError(f"line {number} is not an event")
        yield event
