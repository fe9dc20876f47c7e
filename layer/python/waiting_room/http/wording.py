"""The words visitors read: one file of texts per language, shared by the pages with and without scripts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from waiting_room.domain.places import Estimate

TEMPLATES = Path(__file__).parent / "templates"

_LONGEST_IN_MINUTES = 90
"""From here on hours are easier to grasp than minutes."""


@cache
def texts(language: str = "en") -> dict[str, Any]:
    """Every text of a language, in groups; raises FileNotFoundError for a language that is not there."""
    path = TEMPLATES / f"texts.{language}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def say(group: str, name: str, **values: object) -> str:
    """One text with its values filled in."""
    text: str = texts()[group][name]
    return text.format(**values)


def say_count(group: str, name: str, count: int) -> str:
    """The text whose plural form fits `count`."""
    return say(group, f"{name}_one" if count == 1 else f"{name}_other", count=number(count))


def number(value: int) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}"


def clock_time(at_ms: int) -> str:
    """A moment for a page that cannot ask the browser where it is: date and time in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%-d %B %Y, %H:%M UTC")


def time_left(seconds: int) -> str:
    """What is left until the start, as on a clock: `4:07`, `1:04:07`, with days in front when there are any."""
    minutes, second = divmod(max(0, seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    clock = f"{hour}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{days} d {clock}" if days else clock


def held_for(seconds: int) -> str:
    """How long a called place is held, in the largest unit that keeps it exact enough."""
    if seconds < 60:
        return say("notices", "kept_seconds", count=seconds)
    return say_count("notices", "kept_minutes", seconds // 60)


def expected_wait(estimate: Estimate | None) -> str:
    """An estimate as a range people use: minutes, later half hours; never more exact than it is."""
    if estimate is None:
        return say("estimates", "unknown")
    if estimate.high_sec <= 60:
        return say("estimates", "moment")
    low, high = estimate.low_sec // 60, -(-estimate.high_sec // 60)
    if high > _LONGEST_IN_MINUTES:
        return _range("hours", low // 30 / 2, -(-high // 30) / 2)
    step = 5 if high > 30 else 1
    return _range("minutes", low // step * step, -(-high // step) * step)


def _range(unit: str, low: float, high: float) -> str:
    if low <= 0:
        return say("estimates", f"up_to_{unit}", high=f"{high:g}")
    if low == high:
        return say("estimates", f"same_{unit}", high=f"{high:g}")
    return say("estimates", unit, low=f"{low:g}", high=f"{high:g}")
