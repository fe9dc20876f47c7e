"""Moments as an operator types and reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from scripts.operator_api.errors import BadInput

FROM_NOW = re.compile(r"\A\+(\d{1,9})([smh])\Z")
SECONDS = {"s": 1, "m": 60, "h": 3600}


def parse_moment(text: str, now_ms: int) -> int:
    """Epoch milliseconds of `+60s`, `+5m`, `+2h` (from now) or an ISO 8601 moment with a time zone.

    Raises BadInput; a moment without a zone is refused rather than guessed.
    """
    from_now = FROM_NOW.match(text)
    if from_now:
        return now_ms + int(from_now[1]) * SECONDS[from_now[2]] * 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{text!r} is not a moment: write +60s, +5m, +2h, or ISO 8601 like 2027-03-01T18:00:00+01:00."
        ) from None
    if moment.tzinfo is None:
        raise BadInput(f"{text!r} has no time zone: end it with Z for UTC, or with an offset like +01:00.")
    return int(moment.timestamp() * 1000)


def show_moment(at_ms: int) -> str:
    """A moment to the second in the operator's own time zone."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().isoformat(sep=" ", timespec="seconds")
