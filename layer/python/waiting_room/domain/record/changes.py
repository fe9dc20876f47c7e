"""What a change of a queue item means, and the row the archive keeps of it: ids and times, nothing that is a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from waiting_room.domain.zone.zones import LANE_ID, ZONE_ID

KEPT = (
    *("lane", "shard", "seq", "epoch", "gen", "status", "rejoined", "joined_at_ms", "away_at_ms", "admitted_at_ms"),
    *("completed_at_ms", "hard_end_at_ms", "lease_kind", "purchases", "times", "account", "network", "device"),
)
"""Attributes of a queue item that are archived as they are. Not the site's order reference, which leads to a person,
and not the ids of session and attempt, which nobody asks for afterwards."""

STATUSES = ("waiting", "admitted", "completed", "left", "revoked")
ENDINGS = ("completed", "left", "revoked")
SEQUENCE_DIGITS = 40
"""The longest sequence number DynamoDB gives a record."""

_VISITOR = re.compile(r"\A[A-Za-z0-9_ -]{1,64}\Z")
_RUN = re.compile(r"\A[1-9][0-9]{0,15}\Z")


class BadRecord(ValueError):
    """A record nobody can make sense of: trying again would not help."""


@dataclass(frozen=True)
class Change:
    """One change of one place. `event_id` is the same whenever the record is delivered again."""

    zone_id: str
    run: int
    visitor_id: str
    kind: str
    event_id: str
    sequence: str
    happened_at_ms: int
    item: Mapping[str, Any]
    status_before: str | None

    @property
    def lane(self) -> str:
        """The lane of the place."""
        return str(self.item["lane"])

    @property
    def gave_up(self) -> bool:
        """Whether a place in line was given up, in contrast to a session."""
        return self.kind == "left" and self.status_before == "waiting"

    @property
    def wait_ms(self) -> int | None:
        """How long the visitor had waited, where this change ended or interrupted the wait."""
        waited = self.kind in ("admitted", "away") or self.gave_up
        return max(0, self.happened_at_ms - int(self.item["joined_at_ms"])) if waited else None

    @property
    def row(self) -> dict[str, Any]:
        """The archive's row, by the fields of schemas/archive.json; what is not known is left out."""
        row = {
            "zone_id": self.zone_id,
            "day": day_of(self.happened_at_ms),
            "event_id": self.event_id,
            "sequence": self.sequence.zfill(SEQUENCE_DIGITS),
            "change": self.kind,
            "happened_at_ms": self.happened_at_ms,
            "run": self.run,
            "visitor_id": self.visitor_id,
            "status_before": self.status_before,
            "wait_ms": self.wait_ms,
            **{name: self.item.get(name) for name in KEPT},
        }
        return {name: value for name, value in row.items() if value is not None}


def change_of(
    place: str, old: Mapping[str, Any] | None, new: Mapping[str, Any], *, event_id: str, sequence: str, at_ms: int
) -> Change:
    """The change between two images of an item; raises BadRecord. `at_ms` is when the table noted it."""
    zone_id, run, visitor_id = _parts(place)
    if not LANE_ID.match(str(new.get("lane", ""))) or new.get("status") not in STATUSES:
        raise BadRecord("lane or status")
    numbers = ("seq", "joined_at_ms")
    if any(type(new.get(name)) is not int for name in numbers) or not event_id or not sequence.isdecimal():
        raise BadRecord("number, time or id")
    kind = _kind(old, new)
    own_ms = {"joined": "joined_at_ms", "rejoined": "joined_at_ms", "away": "away_at_ms", "admitted": "admitted_at_ms"}
    exact_ms = new.get({**own_ms, "completed": "completed_at_ms"}.get(kind, ""))
    return Change(
        zone_id=zone_id,
        run=run,
        visitor_id=visitor_id,
        kind=kind,
        event_id=event_id,
        sequence=sequence,
        happened_at_ms=exact_ms if type(exact_ms) is int and exact_ms > 0 else at_ms,
        item=dict(new),
        status_before=None if old is None else str(old.get("status")),
    )


def day_of(at_ms: int) -> str:
    """The day of a moment in UTC, as the partitions have it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def _parts(place: str) -> tuple[str, int, str]:
    zone_id, _, rest = place.partition("#")
    run, _, visitor_id = rest.partition("#")
    if not (
        ZONE_ID.match(zone_id) and _RUN.match(run) and visitor_id and len(visitor_id) <= 64 and "#" not in visitor_id
    ):
        raise BadRecord("key")
    return zone_id, int(run), visitor_id


def _kind(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> str:
    if old is None:
        return "joined"
    if (old.get("shard"), old.get("seq"), old.get("lane")) != (new.get("shard"), new.get("seq"), new.get("lane")):
        return "rejoined"
    if old.get("status") != new["status"]:
        return str(new["status"]) if new["status"] != "waiting" else "changed"
    for name, kind in (("gen", "moved"), ("bucket", "renewed"), ("reference", "confirmed")):
        if old.get(name) != new.get(name):
            return kind
    if old.get("away_at_ms") != new.get("away_at_ms"):
        return "away" if new.get("away_at_ms") else "back"
    return "changed"
