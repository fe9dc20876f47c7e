"""A run of its own for a rehearsal: opened before it, and everything put back behind it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from ..operator_api.api import OperatorApi
from ..operator_api.errors import BadInput, Unreachable

Json = dict[str, Any]

OPENS_AFTER_SEC = 20
"""A pre-queue, and the time the gates take to forget the run before."""
CHANGED = ("control", "rehearsal", "starts_at_ms", "opens_at_ms")
TICKED_WITHIN_SEC = 90.0
"""A dispatcher looks every minute, if nothing wakes an exchanger earlier."""
START_AT_LEAST_AWAY_SEC = 300


def wants_own_run(zone: Mapping[str, Any], *, own_run: bool) -> bool:
    """Whether the rehearsal begins a run, and another one behind it."""
    return own_run or bool(zone.get("rehearsal", False))


def refuse_close_start(zone: Mapping[str, Any], lasts_sec: int, now_ms: int) -> None:
    """Raise BadInput when the zone's own start would come while the rehearsal still plays."""
    left_sec = (zone.get("starts_at_ms", 0) - now_ms) / 1000
    if 0 < left_sec < lasts_sec + START_AT_LEAST_AWAY_SEC:
        raise BadInput(
            f"{zone['zone_id']} starts in {left_sec / 60:.0f} minutes: a rehearsal of {lasts_sec / 60:.0f} must be "
            f"over {START_AT_LEAST_AWAY_SEC // 60} minutes before; give fewer --minutes"
        )


@contextlib.contextmanager
def own_run(api: OperatorApi, zone: Json, note: Path) -> Iterator[Json]:
    """Yield the zone in a run of its own, marked as a rehearsal and let start; begin another run as it was behind it.

    What it was is kept in the file `note` until it is so again: `put_back` reads it when nobody was left to do it.
    """
    before = {name: zone.get(name) for name in CHANGED}
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"zone_id": zone["zone_id"], "before": before}), encoding="utf-8")
    changes: Json = {"rehearsal": True}
    if zone.get("starts_at_ms", 0) > now_ms():
        # Its line opens half an hour earlier, which is now.
        changes |= {"starts_at_ms": now_ms() + OPENS_AFTER_SEC * 1000, "opens_at_ms": None}
    try:
        yield api.control(zone["zone_id"], {"control": "auto", "changes": changes, "reset": True})
    finally:
        put_back(api, note)


def put_back(api: OperatorApi, note: Path) -> str:
    """Begin a run in which the zone is as it was before the rehearsal of that note; return the zone's id.

    Raises BadInput where there is no such note, Refused, Unreachable (the note stays).
    """
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"there is nothing to put back: no {note}") from None
    before: Json = kept["before"]
    changes = {name: value for name, value in before.items() if name != "control"}
    stored = api.zone(kept["zone_id"])
    if (before["starts_at_ms"] or 0) <= now_ms() and before["starts_at_ms"] != stored.get("starts_at_ms"):
        # Its own start has passed meanwhile, and no start is set into the past: it stays as it was opened.
        for name in ("starts_at_ms", "opens_at_ms"):
            changes.pop(name, None)
    # Unset and false are the same to the zone, and unset is not a value of a flag.
    changes["rehearsal"] = bool(changes["rehearsal"])
    api.control(kept["zone_id"], {"control": before["control"], "changes": changes, "reset": True})
    note.unlink()
    return str(kept["zone_id"])


def joined_so_far(site: str, zone: Mapping[str, Any]) -> int:
    """How many have joined the zone's run, by the public status document; 0 before its first.

    Raises Unreachable when the site does not answer.
    """
    status = _status(site, zone["zone_id"])
    return sum(lane["tail"] for lane in status["lanes"].values()) if status and status["run"] == zone["run"] else 0


def until_ticking(site: str, zone: Mapping[str, Any], said: Callable[[str], None]) -> None:
    """Wait until the zone's run is looked after, and visitors are told of it. Raises Unreachable after a while."""
    said(f"waiting until run {zone['run']} of {zone['zone_id']} is told of")
    deadline = time.monotonic() + TICKED_WITHIN_SEC
    while time.monotonic() < deadline:
        status = _status(site, zone["zone_id"])
        if status is not None and status["run"] >= zone["run"]:
            return
        time.sleep(0.5)
    raise Unreachable(
        f"nothing was told of run {zone['run']} within {TICKED_WITHIN_SEC:g} s: does an exchanger run? "
        "Look at `wr watch` and at the log of the dispatcher."
    )


def _status(site: str, zone_id: str) -> Json | None:
    url = f"{site}/.waiting-room/status/{zone_id}.json"
    try:
        answer = httpx.get(url, timeout=10.0, follow_redirects=False, trust_env=False)
    except httpx.TransportError as error:
        raise Unreachable(f"{site} does not answer ({error}): is --host the site that the zone guards?") from None
    if answer.status_code != 200:
        return None
    document: Json = answer.json()
    return document


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000
