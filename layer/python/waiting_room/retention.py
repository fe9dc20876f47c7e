"""How long what is stored stays: the one place where these days are read. Their defaults are in schemas/functions.json.

DynamoDB deletes what has expired by itself, within days; nothing is decided by an item that is past its time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from waiting_room import schemas

__all__ = ["DAY_SEC", "Retention"]

DAY_SEC = 86_400


def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = schemas.load("functions")["retention_days"]
    return rules


def _default(name: str) -> int:
    return int(_rules()[name]["default"])


@dataclass(frozen=True)
class Retention:
    """Days after the last change. `places` are about persons; `minutes` are sums by the minute, which are not."""

    places: int = _default("places")
    minutes: int = _default("minutes")

    @classmethod
    def parse(cls, text: str) -> Retention:
        """From the setting RETENTION_DAYS, `{"minutes":90,"places":7}`; ValueError names all that are out of bounds."""
        days = json.loads(text)
        faults = [
            f"{name} must be {rule['minimum']} to {rule['maximum']} days"
            for name, rule in _rules().items()
            if type(days.get(name)) is not int or not rule["minimum"] <= days[name] <= rule["maximum"]
        ]
        if faults:
            raise ValueError(f"RETENTION_DAYS: {'; '.join(faults)}.")
        return cls(**days)

    @property
    def places_sec(self) -> int:
        """Of places in line, and of the counts by network that belong to them."""
        return self.places * DAY_SEC

    @property
    def minutes_sec(self) -> int:
        """Of minute rows, and of the counts of those who went away."""
        return self.minutes * DAY_SEC
