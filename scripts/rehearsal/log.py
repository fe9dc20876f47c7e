"""The log of a rehearsal: the crowd's events, and each status document once, whoever read it first.

Events of a visit that the verdict reads beside those of scripts/visitors/event_log.py: `called`, `claimed` (`ms`),
`inside` (`called_at_ms`), `pushed` (`tick`), and `line` with the range that was shown. `status` (`run`, `tick`,
`updated_at_ms`) is in this log alone.
"""

from __future__ import annotations

from typing import IO, Any

from ..visitors.event_log import EventLog


class RehearsalLog(EventLog):
    """Counts and writes events."""

    def __init__(self, file: IO[str] | None = None) -> None:
        super().__init__(file)
        self._seen: set[tuple[int, int]] = set()

    def status(self, document: dict[str, Any]) -> None:
        """Somebody has read a status document."""
        key = (document["run"], document["tick"])
        if key not in self._seen:
            self._seen.add(key)
            known = {name: document[name] for name in ("run", "tick", "phase", "updated_at_ms")}
            self.write("", "status", **known)
