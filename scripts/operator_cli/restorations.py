"""`wr control ZONE restore`: lapsed places given back, after saying whom that affects."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ..operator_api.api import OperatorApi
from ..operator_api.errors import BadInput
from .answers import Answer
from .words.moments import SECONDS, parse_moment, show_moment

AGO = re.compile(r"\A(\d{1,6})([smh])\Z")
WRONG = 2
"""What `wr` ends with where an argument is missing."""


def restore(api: OperatorApi, arguments: argparse.Namespace) -> Answer:
    """Give the places back with --yes; without it, say what that would do and end with 2."""
    body: dict[str, Any] = {} if arguments.to is None else {"to_at_ms": _moment(arguments.to)}
    if not arguments.yes:
        body["dry_run"] = True
    elif arguments.reason:
        body["reason"] = arguments.reason
    found = api.restore(arguments.zone, body)
    said = list(_says(found, chosen=arguments.to is None))
    if found["done"]:
        said.append("Done. Open pages find their places within about a minute; `wr watch` shows the line.")
        return Answer({"restored": found}, said)
    if not any(_changes(lane) for lane in found["lanes"].values()):
        said.append("There is nothing to give back: the line stands as it stood then.")
        return Answer({"restored": found}, said)
    to = datetime.fromtimestamp(found["to_at_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
    again = f"wr control {arguments.zone} restore --to {to} --yes"
    said.append(f"Nothing was changed. If this is what you mean: {again}")
    return Answer({"restored": found}, said, WRONG)


def _says(found: Mapping[str, Any], *, chosen: bool) -> Iterator[str]:
    why = ", when people came in for the last time before places lapsed" if chosen else ""
    yield f"{found['zone_id']}, run {found['run']}: the line as it stood at {show_moment(found['to_at_ms'])}{why}."
    for name, lane in found["lanes"].items():
        floor, serving = (f"{before:,} -> {after:,}" for before, after in (lane["floor"], lane["serving"]))
        yield f"  {name}: up to {lane['come_back']:,} lapsed places come back (floor {floor})"
        yield f"  {name}: up to {lane['wait_again']:,} who are called now wait again (serving {serving})"
    yield "  Nobody who is inside is touched. Whoever has joined again meanwhile keeps the new place."
    yield "  Everybody called has the whole time to come in from now on."


def _changes(lane: Mapping[str, Any]) -> bool:
    return any(before != after for before, after in (lane["serving"], lane["floor"]))


def _moment(text: str) -> int:
    """Epoch milliseconds of `20m` (so long ago) or an ISO 8601 moment; raises BadInput."""
    now_ms = time.time_ns() // 1_000_000
    ago = AGO.match(text)
    at_ms = now_ms - int(ago[1]) * SECONDS[ago[2]] * 1000 if ago else parse_moment(text, now_ms)
    if at_ms > now_ms:
        raise BadInput(f"{text!r} is yet to come: write how long ago, like 20m, or a past moment in ISO 8601.")
    return at_ms
