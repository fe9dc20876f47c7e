"""`wr zones new`: a start for a file of zones, with a remark at every setting; `wr zones apply` takes it as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from waiting_room.domain.zone.zones import OPENS_BEFORE_MS

from ..operator_api.errors import BadInput
from .zone_fields import ZoneField, fields
from .zone_files import REMARK, without_remarks, zone_faults

Json = dict[str, Any]

HEAD = (
    "A zone of Foyer. A key that begins with // is a remark: `wr zones apply` leaves it out.",
    "Settings that are off begin with //, too: take the // away to use one.",
    "`wr zones fields NAME` explains a setting. Try the file: `wr zones apply FILE --dry-run`",
)
NEEDED: Mapping[str, tuple[str, ...]] = {
    "queueing": ("max_active",),
    "waiting_room": ("starts_at", "rate_per_min"),
    "combined": ("starts_at", "max_active"),
}
"""What each mode cannot do without."""
OFFERED: Mapping[str, Any] = {
    "starts_at": None,
    "opens_at": None,
    "max_active": 100,
    "rate_per_min": 60,
    "inventory": 1000,
    "expected_joins_per_sec": 100,
    "session": {"kind": "navigation", "idle_sec": 300, "max_sec": 3600},
    "claim": {"window_sec": 60, "grace_sec": 60},
    "order": "fifo",
    "purchases_per_visitor": 1,
    "message": "",
    "observe": False,
}
"""Settings most operators look at, with a value to begin with; those the mode does not need are off."""
STARTS_IN = timedelta(days=7)
OPENS_BEFORE = timedelta(milliseconds=OPENS_BEFORE_MS)


def start(zone_id: str, mode: str, paths: Sequence[str], hosts: Sequence[str], now: datetime) -> Json:
    """The content of a file with one zone. Raises BadInput for an id, a path or a host that no zone can have."""
    explained = {each.name: each for each in fields()}
    rule: Json = {"hosts": list(hosts), "paths": list(paths)} if hosts else {"paths": list(paths)}
    title = zone_id.replace("-", " ").capitalize()
    document: Json = {REMARK: list(HEAD), "zone_id": zone_id}
    for name, value in (("title", title), ("mode", mode), ("rules", [rule]), ("landing_path", _page(paths))):
        document |= {f"{REMARK} {name}": _remark(explained[name]), name: value}
    starts = (now + STARTS_IN).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    moments = {"starts_at": starts.isoformat(), "opens_at": (starts - OPENS_BEFORE).isoformat()}
    for name, value in OFFERED.items():
        on = name in NEEDED[mode]
        given = moments.get(name, value)
        field = explained[f"{name}_ms" if name in moments else name]
        document |= {f"{REMARK} {name}": _remark(field), name if on else f"{REMARK}{name}": given}
    _refuse_wrong(document)
    return document


def _page(paths: Sequence[str]) -> str:
    """Where to land: the first path, as far as it is one and no pattern."""
    return paths[0].removeprefix("=").partition("*")[0] or "/"


def _remark(field: ZoneField) -> str:
    if field.name in ("starts_at_ms", "opens_at_ms"):
        return f"{field.description} ISO 8601 with an offset, or in the local time of time_zone."
    return f"{field.description} ({field.facts})"


def _refuse_wrong(document: Json) -> None:
    if faults := zone_faults(without_remarks(document)):
        raise BadInput("\n".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
