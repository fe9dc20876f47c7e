"""The words visitors read: one file of texts per language, shared by the pages with and without scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from waiting_room.domain.line.places import Estimate
from waiting_room.http.page.languages import DEFAULT, plural, texts

TEMPLATES = Path(__file__).parent / "templates"

_LONGEST_IN_MINUTES = 90
"""From here on hours are easier to grasp than minutes."""


class Words:
    """Texts, numbers, times and ranges in one language; `words.js` says the same in the browser."""

    def __init__(self, language: str = DEFAULT) -> None:
        """Raises FileNotFoundError for a language that is not there."""
        self.texts = texts(language)
        self.language = language

    def say(self, group: str, name: str, **values: object) -> str:
        """One text with its values filled in."""
        text: str = self.texts[group][name]
        return text.format(**values)

    def say_count(self, group: str, name: str, count: int) -> str:
        """The text whose plural form fits `count`."""
        form = f"{name}_{plural(self.language, count)}"
        return self.say(group, form if form in self.texts[group] else f"{name}_other", count=self.number(count))

    def state(self, name: str) -> dict[str, str]:
        """What a state says: `headline`, `lead` and, where there is something to do, `action`."""
        said: dict[str, str] = self.texts["states"][name]
        return said

    def number(self, value: float) -> str:
        """A number with its thousands apart and at most one decimal."""
        rules: dict[str, Any] = self.texts["numbers"]
        whole, _, decimals = f"{value:.1f}".partition(".")
        if len(whole) >= rules["grouped_from_digits"]:
            whole = f"{int(whole):,}".replace(",", rules["group"])
        return whole if decimals == "0" else whole + rules["decimal"] + decimals

    def time_left(self, seconds: int) -> str:
        """What is left until the start, as on a clock: `4:07`, `1:04:07`, with days in front when there are any."""
        minutes, second = divmod(max(0, seconds), 60)
        hours, minute = divmod(minutes, 60)
        days, hour = divmod(hours, 24)
        clock = f"{hour}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
        return f"{self.say('labels', 'days', count=days)} {clock}" if days else clock

    def held_for(self, seconds: int) -> str:
        """How long a called place is held, in the largest unit that keeps it exact enough."""
        if seconds < 60:
            return self.say("notices", "kept_seconds", count=seconds)
        return self.say_count("notices", "kept_minutes", seconds // 60)

    def expected_wait(self, estimate: Estimate | None) -> str:
        """An estimate as a range people use: minutes, later half hours; never more exact than it is."""
        if estimate is None:
            return self.say("estimates", "unknown")
        if estimate.high_sec <= 60:
            return self.say("estimates", "moment")
        low, high = estimate.low_sec // 60, -(-estimate.high_sec // 60)
        if high > _LONGEST_IN_MINUTES:
            return self._range("hours", low // 30 / 2, -(-high // 30) / 2)
        step = 5 if high > 30 else 1
        return self._range("minutes", low // step * step, -(-high // step) * step)

    def _range(self, unit: str, low: float, high: float) -> str:
        name = f"up_to_{unit}" if low <= 0 else f"same_{unit}" if low == high else unit
        return self.say("estimates", name, low=self.number(low), high=self.number(high))


@cache
def words(language: str = DEFAULT) -> Words:
    """The words of a language, made once."""
    return Words(language)


def clock_time(at_ms: int) -> str:
    """A moment for a page that cannot ask the browser where it is: date and time in UTC, in no language's order."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
