"""The place a visitor is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A place in line as the server told it."""

    run: int
    lane: str
    position: int | None
    status: str
    told_at_ms: int

    def is_called(self, status: dict[str, Any]) -> bool:
        """Whether it is this visitor's turn, by what the server told or by the status document."""
        if self.status in ("called", "admitted"):
            return True
        lane = status["lanes"].get(self.lane)
        if lane is None or self.position is None or status["phase"] != "open":
            return False
        return bool(self.position < max(lane["serving"], lane["ahead"]))

    def is_dropped(self, status: dict[str, Any]) -> bool:
        """Whether the line has passed this place over."""
        lane = status["lanes"].get(self.lane)
        passed = lane is not None and self.position is not None and self.position < lane["floor"]
        return bool(passed) and self.status not in ("called", "admitted")
