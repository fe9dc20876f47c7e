"""`wr zones apply`: make the service's zones what a file says, and say what that changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.operator_api.api import OperatorApi
from waiting_room.domain.zone.zones import SERVER_FIELDS, Zone

Json = dict[str, Any]

KEPT = ("control", "site_key_sha256", "pinned")
"""Fields a file that does not name them leaves alone: applying a file must not open a zone somebody paused."""


@dataclass(frozen=True)
class Outcome:
    """What happened, or would happen, to one zone. `site_key` is only known when the service made one."""

    zone_id: str
    action: str
    differences: tuple[str, ...] = ()
    site_key: str | None = None

    def lines(self) -> Iterator[str]:
        """The outcome as an operator reads it."""
        yield f"{self.zone_id}: {self.action}"
        yield from (f"  {difference}" for difference in self.differences)
        if self.site_key:
            yield f"  site key, shown only now; your server confirms tokens with it: {self.site_key}"


def apply_zone(api: OperatorApi, document: Json, current: Json | None, *, dry_run: bool) -> Outcome:
    """Create one zone, or replace `current` unless it is already so; only over the version that was compared.

    Raises Refused, with `stale-version` when somebody changed the zone in between.
    """
    zone_id = document["zone_id"]
    if current is None:
        created = {} if dry_run else api.put_zone(document)
        return Outcome(zone_id, "would be created" if dry_run else "created", site_key=created.get("site_key"))
    wanted = {**{name: current[name] for name in KEPT if name in current}, **document}
    if "schedule" in document and "starts_at_ms" in current:
        wanted["starts_at_ms"] = current["starts_at_ms"]
    differences = tuple(_differences(_settings(current), _settings(wanted)))
    if not differences:
        return Outcome(zone_id, "unchanged")
    if not dry_run:
        api.put_zone({**wanted, "version": current["version"]})
    return Outcome(zone_id, "would change" if dry_run else "changed", differences)


def summary(outcomes: Iterable[Outcome]) -> str:
    """How many zones came to what, in one line."""
    counts = Counter(outcome.action for outcome in outcomes)
    return ", ".join(f"{count} {action}" for action, count in counts.items())


def _settings(document: Json) -> Json:
    """The operator's part of a zone with every default filled in, so that two spellings compare equal."""
    own = {name: value for name, value in document.items() if name not in SERVER_FIELDS}
    filled = Zone.from_document(own).document
    return {name: value for name, value in filled.items() if name not in SERVER_FIELDS}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _differences(before, after, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    if value is None:
        return "not set"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
