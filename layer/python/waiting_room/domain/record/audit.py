"""An entry of the audit log: who did what, when, from what to what, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from waiting_room.domain.record.changes import day_of
from waiting_room.domain.zone.zones import SERVER_FIELDS, Zone

NOT_ONE_ZONE = "_keys"
"""What stands for the zone where an action is about the keys of all of them."""
HIDDEN = ("site_key_sha256",)
"""Settings of which only the change is told."""
CHANGED = "changed"
TOLD = ("run", "stage", "safe_rate_per_min")
"""What the service sets and everybody notices."""


@dataclass(frozen=True)
class Entry:
    """One action. `changes` has settings as [before, after], None where there was or is none; `details` what it was
    done to: ids, never names, tokens or addresses of visitors."""

    zone_id: str
    at_ms: int
    action: str
    by: str
    run: int | None = None
    reason: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def at(self, at_ms: int) -> Entry:
        """The same at another moment."""
        return replace(self, at_ms=at_ms)

    @property
    def row(self) -> dict[str, Any]:
        """The archive's row, by the fields of schemas/archive.json; what is not known is left out."""
        row = {
            "zone_id": self.zone_id,
            "day": day_of(self.at_ms),
            "event_id": f"{self.zone_id}#{self.at_ms}",
            "change": "operated",
            "happened_at_ms": self.at_ms,
            "run": self.run,
            "by": self.by,
            "action": self.action,
            "details": json.dumps({**self.details, **self.changes}, separators=(",", ":")),
            "reason": self.reason,
        }
        return {name: value for name, value in row.items() if value is not None}


def differences(before: Zone | None, after: Zone | None) -> dict[str, list[Any]]:
    """Settings in which two versions of a zone differ, as [before, after]; the run counts as one."""
    old, new = ({} if zone is None else zone.document for zone in (before, after))
    told = {name for name in (*old, *new) if name in TOLD or name not in SERVER_FIELDS}
    found = {name: [old.get(name), new.get(name)] for name in sorted(told) if old.get(name) != new.get(name)}
    return {name: [CHANGED, CHANGED] if name in HIDDEN else pair for name, pair in found.items()}
