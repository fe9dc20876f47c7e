"""`wr watch`: the line as its visitors see it (the public status document) with the operator's minute rows below."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx

from ..operator_api.api import OperatorApi
from ..operator_api.connection import Target
from ..operator_api.errors import OperatorError, Unreachable
from ..report import insights
from .answers import Answer
from .words.entries import who
from .words.moments import show_moment
from .words.tables import table

Json = dict[str, Any]

REFRESH_SEC = 1.0
METRICS_EVERY_SEC = 5.0
"""Minute rows change slowly, and each look at them is a request that somebody pays for."""
MINUTES_SHOWN = 6
HAPPENED = ("joined", "called", "tokens_issued", "lapsed")
"""Counts of a minute row that only grow."""

ENTER_SCREEN = "\x1b[?1049h\x1b[?25l"
LEAVE_SCREEN = "\x1b[?25h\x1b[?1049l"
HOME_AND_CLEAR = "\x1b[H\x1b[J"


def watch(api: OperatorApi, target: Target, zone_id: str, *, once: bool, as_json: bool = False) -> None:
    """Show a zone until Ctrl-C: a table on a terminal, one line a second elsewhere; `once` prints the table once.

    As JSON, `once` prints zone, status document and minute rows; else each second's status document is a line.

    Raises Refused for an unknown zone. Later failures are shown in place, and tried again.
    """
    zone = api.zone(zone_id)
    with httpx.Client(timeout=5.0, trust_env=False) as http:
        if once:
            status, metrics = read_status(http, target, zone_id), api.metrics(zone_id)
            document = {"zone": zone, "status": status, "metrics": metrics}
            Answer(document, render(zone, status, metrics, _now_ms())).show(as_json=as_json)
        elif sys.stdout.isatty() and not as_json:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            with suppress(KeyboardInterrupt):
                _on_terminal(api, target, http, zone_id)
        else:
            with suppress(KeyboardInterrupt):
                _as_lines(target, http, zone_id, json.dumps if as_json else lambda status: summary(status, _now_ms()))


def _on_terminal(api: OperatorApi, target: Target, http: httpx.Client, zone_id: str) -> None:
    """Redraw in the terminal's second screen, so that the operator's own scrollback comes back on Ctrl-C."""
    zone: Json = {}
    metrics: Json = {}
    looked_at = -METRICS_EVERY_SEC
    sys.stdout.write(ENTER_SCREEN)
    try:
        while True:
            try:
                if time.monotonic() - looked_at >= METRICS_EVERY_SEC:
                    zone, metrics, looked_at = api.zone(zone_id), api.metrics(zone_id), time.monotonic()
                lines = render(zone, read_status(http, target, zone_id), metrics, _now_ms())
            except OperatorError as error:
                lines = [f"{zone_id}: {error}", "", "Trying again; Ctrl-C ends."]
            sys.stdout.write(HOME_AND_CLEAR + "\n".join(lines) + "\n")
            sys.stdout.flush()
            time.sleep(REFRESH_SEC)
    finally:
        sys.stdout.write(LEAVE_SCREEN)
        sys.stdout.flush()


def _as_lines(target: Target, http: httpx.Client, zone_id: str, line: Callable[[Json], str]) -> None:
    while True:
        try:
            print(line(read_status(http, target, zone_id)), flush=True)
        except Unreachable as error:
            print(error, file=sys.stderr, flush=True)
        time.sleep(REFRESH_SEC)


def read_status(http: httpx.Client, target: Target, zone_id: str) -> Json:
    """The public status document; an empty one before the first tick. Raises Unreachable."""
    if target.site_url is None:
        raise Unreachable("The public status document is on the site: give --site-url or FOYER_SITE_URL.")
    url = f"{target.site_url}/.waiting-room/status/{zone_id}.json"
    try:
        response = http.get(url)
        if response.status_code in (403, 404):
            return {}
        response.raise_for_status()
        answer = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unreachable(f"{url} does not answer: {error}.") from None
    return answer if isinstance(answer, dict) else {}


DOOR_SHUT = (
    "THE DOOR IS SHUT: claims do not get through, so nobody is called and nobody's time runs. Look at the API's 5xx, "
    "at throttles of the bouncer and the tables (`wr dashboard --deployment NAME`), at the keys (`wr keys list`)"
)
"""What is said while it is; it opens by itself."""


def summary(status: Mapping[str, Any], now_ms: int) -> str:
    """One line: time, phase, and per lane how many wait and where the line is."""
    lanes = (
        f"{name}: waiting {_waiting(lane)}, called below {lane['serving']}, tail {lane['tail']}, "
        f"{lane['speed_per_sec'] * 60:.1f}/min"
        for name, lane in status.get("lanes", {}).items()
    )
    clock = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone().strftime("%H:%M:%S")
    door = ["door shut"] if _is_shut(status) else []
    return "  ".join([clock, status.get("phase", "no status yet"), *door, *lanes])


def render(zone: Mapping[str, Any], status: Mapping[str, Any], metrics: Mapping[str, Any], now_ms: int) -> list[str]:
    """The table: zone and limits, lanes, the last minutes."""
    lines = [
        f"{zone['zone_id']}  {zone.get('title', '')}".rstrip(),
        f"{status.get('phase', 'no status yet')}, control {zone['control']}, mode {zone['mode']}, run {zone['run']}",
        _limits(zone),
    ]
    if _is_shut(status):
        lines.append(DOOR_SHUT)
    if "updated_at_ms" in status:
        age_sec = max(0, now_ms - status["updated_at_ms"]) / 1000
        lines.append(f"tick {status.get('tick', '-')}, {_sec(age_sec)} ago")
    if exempt := metrics.get("exempt"):
        revoked = f" ({exempt['revoked']} revoked)" if exempt["revoked"] else ""
        lines.append(f"exempt: {exempt['links']} staff links in force{revoked}, {exempt['rules']} rules")
    rows = [
        (name, _waiting(lane), lane["serving"], lane["floor"], lane["tail"], round(lane["speed_per_sec"] * 60, 1))
        for name, lane in status.get("lanes", {}).items()
    ]
    lines += ["", *table(("LANE", "WAITING", "SERVING", "FLOOR", "TAIL", "CALLED/MIN"), rows)]
    return [*lines, "", *_run_so_far(zone, metrics), *_minutes(metrics)]


def _run_so_far(zone: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    """Waits, drop-off and how good the estimates were; nothing before the first row."""
    rows = sorted(metrics.get("minutes", ()), key=lambda row: row["minute_at_ms"])
    if not rows:
        return []
    found = [
        wait
        for lane in insights.lanes_of(rows)
        for wait in insights.waits(insights.course(rows, lane), zone.get("starts_at_ms") or 0)
    ]
    drop, error = insights.drop_off(rows[-1]), insights.estimate_error(found)
    median, long = insights.percentile(found, 0.5), insights.percentile(found, 0.95)
    said = [
        f"wait of those called: median {_sec(median)}, 95 % within {_sec(long)}",
        f"gone while waiting {drop.gone} ({drop.share:.0%}), after {_sec(drop.mean_wait_sec)}",
        f"estimate error {'-' if error is None else f'{error:.0%}'}",
    ]
    return ["; ".join(said), _changed(zone), ""]


def _changed(zone: Mapping[str, Any]) -> str:
    by, why = who(zone.get("updated_by", "")), zone.get("updated_why", "")
    at = show_moment(zone["updated_at_ms"]) if zone.get("updated_at_ms") else "-"
    return f"last change {at} by {by or '-'}{f': {why}' if why else ''}"


def _sec(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def _limits(zone: Mapping[str, Any]) -> str:
    shown = [f"{name} {zone[name]:g}" for name in ("max_active", "rate_per_min", "inventory") if name in zone]
    if "opens_at_ms" in zone:
        shown.append(f"line opens {show_moment(zone['opens_at_ms'])}")
    if "starts_at_ms" in zone:
        shown.append(f"starts {show_moment(zone['starts_at_ms'])}")
    return ", ".join(shown)


def _is_shut(status: Mapping[str, Any]) -> bool:
    return bool(status.get("door") == "shut")


def _waiting(lane: Mapping[str, Any]) -> int:
    """How many stand in a lane and are not called yet."""
    return max(0, int(lane["tail"]) - int(lane["serving"]))


def _minutes(metrics: Mapping[str, Any]) -> list[str]:
    """The latest minutes first. Rows are cumulative: what happened in a minute is the difference to the row before."""
    rows = sorted(metrics.get("minutes", ()), key=lambda row: row["minute_at_ms"])
    if not rows:
        return ["No minute of this run was counted yet."]
    lines = []
    for before, row in zip([{}, *rows], rows, strict=False):
        happened = [row[name] - before.get(name, 0) for name in HAPPENED]
        share = f"{row['show_up_share']:.0%}"
        lines.append([show_moment(row["minute_at_ms"])[11:16], *happened, row["active"], row["sold"], share])
    headings = ["MINUTE", "JOINED", "CALLED", "ADMITTED", "LAPSED", "INSIDE", "SOLD", "SHOW UP"]
    return table(headings, lines[: -MINUTES_SHOWN - 1 : -1])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
