"""The report as one HTML file: nothing is loaded from anywhere, beside every plot there is its table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from .numbers import MINUTE_MS, Numbers
from .plots import Series, plot

STYLE = Path(__file__).with_name("page.css")
WIDE = 30
"""Letters from which on a cell is kept wide enough to be read, also on a phone."""
MOST_ROWS = 2000
"""Rows of one table; the export has all."""

Row = dict[str, Any]

NAMES = {
    "minute_at_ms": "minute (UTC)",
    "at_ms": "when (UTC)",
    "happened_at_ms": "when (UTC)",
    "left_zone": "left the zone",
    "gave_up": "gave up",
    "in_zone": "in the zone",
    "median_sec": "median, s",
    "p95_sec": "95 %, s",
    "longest_sec": "longest, s",
    "promised_sec": "promised, s",
    "waited_sec": "waited, s",
    "minutes_waited": "minutes waited",
    "rate_per_min": "rate set",
    "last_status": "last status",
    "worst_inversion_ms": "worst inversion, ms",
    "admitted_ahead": "admitted before an earlier number",
    "three_to_five": "3 to 5",
    "six_to_twenty": "6 to 20",
    "more": "21 and more",
    "only_observed": "only observed",
}


def page(numbers: Numbers) -> str:
    """The whole document."""
    title = f"{numbers.zone_id}, run {numbers.run}"
    name = (numbers.zone or {}).get("title")
    body = "".join(
        (
            f"<header><h1>{escape(title)}</h1>" + (f"<p>{escape(name)}</p>" if name else "") + "</header><main>",
            _totals(numbers),
            '<div class="plots">',
            *(_section(*part) for part in _plots(numbers)),
            "</div>",
            _section("Lanes", "What became of the visitors of each lane.", "", numbers.outcomes),
            _fairness(numbers),
            _evidence(numbers),
            _operations(numbers.operations),
            _checks(numbers),
            "</main>",
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}: report</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _totals(numbers: Numbers) -> str:
    totals = numbers.totals
    told = [
        ("visitors", totals["visitors"]),
        ("admitted", totals["admitted"]),
        ("completed", totals["completed"]),
        ("left the zone", totals["left_zone"]),
        ("gave up in line", numbers.gone),
        ("longest line", numbers.longest_line),
        ("barred", totals["revoked"]),
    ]
    waited = [row for row in numbers.waits if row["admitted"]]
    told += [(f"median wait, {row['lane']}", _sec(row["median_sec"])) for row in waited]
    told += [(f"95 % wait, {row['lane']}", _sec(row["p95_sec"])) for row in waited]
    error = numbers.estimate_error
    told.append(("estimate error", "not told" if error is None else f"{error:.0%}"))
    cells = "".join(
        f"<div><dt>{escape(str(name))}</dt><dd>{escape(_text('', value))}</dd></div>" for name, value in told
    )
    return f'<section><h2>In short</h2><dl class="totals">{cells}</dl></section>'


def _plots(numbers: Numbers) -> Iterable[tuple[str, str, str, Sequence[Row]]]:
    minutes, levels, waits = numbers.by_minute, numbers.levels, numbers.wait_by_arrival
    at = "minute_at_ms"
    joined = Series("joined", _points(minutes, at, "joined"), "bar")
    yield _one("Arrivals", "Places taken in each minute.", [joined], minutes, "visitors a minute", (at, "joined"))
    lanes = sorted({name for row in numbers.line for name in row if name.startswith("waiting_")})
    line = [Series(name.removeprefix("waiting_"), _points(numbers.line, "at_ms", name)) for name in lanes]
    whole = [Series("waiting", _points(numbers.line, "at_ms", "waiting"))] if len(lanes) != 1 else []
    told = ("The line", "Visitors in line and not called yet, by lane, every ten seconds.")
    yield _one(*told, [*whole, *line], numbers.line, "visitors", ("at_ms", "waiting", *lanes))
    admitted = [
        Series("admitted", _points(minutes, at, "admitted"), "bar"),
        Series("rate set", _points(minutes, at, "rate_per_min"), "step"),
    ]
    told = ("Admissions", "Sessions given in each minute, and the rate that was set.")
    yield _one(*told, admitted, minutes, "visitors a minute", (at, "admitted", "rate_per_min", "completed"))
    inside = [
        Series("in the zone", _points(levels, at, "in_zone")),
        Series("cap", _points(levels, at, "cap"), "step"),
    ]
    told = ("Occupancy", "Sessions in the zone when each minute was last looked at, and the cap that was set.")
    yield _one(*told, inside, levels, "sessions", (at, "phase", "in_zone", "cap", "sold"))
    by_lane = sorted({row["lane"] for row in waits})
    waited = [
        Series(f"{lane}, median", _points([row for row in waits if row["lane"] == lane], at, "median_sec"))
        for lane in by_lane
    ]
    told = ("Wait by arrival", "How long those admitted had waited, by the minute they joined.")
    yield _one(*told, waited, waits, "seconds", (at, "lane", "admitted", "median_sec", "longest_sec"))
    gone = Series("gave up", _points(numbers.drop_off, "minutes_waited", "visitors"), "bar")
    told = ("Drop-off", "How long visitors waited before they gave up for good.")
    drop = plot(*told, [gone], lambda x: f"{x:.0f} min", "visitors", 1.0)
    yield (*told, drop, numbers.drop_off)
    promised = [
        Series("promised", _points(numbers.estimates, at, "promised_sec")),
        Series("waited", _points(numbers.estimates, at, "waited_sec")),
    ]
    told = ("Estimates", "The wait until the call that was promised to who joined in a minute, and the one there was.")
    yield _one(
        *told, promised, numbers.estimates, "seconds", (at, "lane", "called", "promised_sec", "waited_sec", "error")
    )


def _one(
    title: str, text: str, series: Sequence[Series], rows: Sequence[Row], unit: str, columns: Sequence[str]
) -> tuple[str, str, str, list[Row]]:
    told = [{name: row.get(name) for name in columns} for row in rows]
    highest = "; ".join(f"{each.name}: at most {max(y for _, y in each.points):g}" for each in series if each.points)
    return title, text, plot(title, f"{text} {highest}.", series, _clock, unit, MINUTE_MS), told


def _section(title: str, text: str, picture: str, rows: Sequence[Row]) -> str:
    figure = f"<figure>{picture}</figure>" if picture else ""
    shown = _table(title, rows)
    if picture:
        shown = f"<details><summary>{escape(title)} as a table</summary>{shown}</details>"
    return f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{figure}{shown}</section>"


def _fairness(numbers: Numbers) -> str:
    text = (
        "A number is a place in line. The worst inversion is by how much the latest to join got a number before an "
        "earlier one; with several counters up to a quarter of a second is as designed. Whoever was called and came "
        "late is admitted after later numbers: that is counted too."
    )
    draw = numbers.draw
    if draw is None:
        record = "<p>No draw was held: the order is that of joining.</p>"
    else:
        record = (
            f"<p>Those who came before the start were drawn. The record, which anybody may check:</p>{_pairs(draw)}"
        )
    return f"<section><h2>Fairness</h2><p>{escape(text)}</p>{_table('Fairness', numbers.order_kept)}{record}</section>"


def _evidence(numbers: Numbers) -> str:
    held = (
        "How many accounts, networks and browsers had one place, session or purchase, how many had two, and so on; the "
        "most is what one of them had. Accounts are known where the zone asks for a sign-in, networks where it limits "
        "them; a browser is one as long as it keeps its cookie. All are hashes or random, and other ones in every run."
    )
    refused = (
        "How often a limit refused somebody, and how often it would have where the zone only observed. One person may "
        "have asked several times. At least so many: an instance that ends keeps its last two seconds to itself."
    )
    distribution = _section("Who had how many", held, "", numbers.distribution)
    return distribution + _section("Limits that were enforced", refused, "", numbers.enforced)


def _operations(operations: Sequence[Row]) -> str:
    told = [
        {
            "happened_at_ms": each["happened_at_ms"],
            "action": each["action"],
            "by": each["by"],
            "what": _details(json.loads(each["details"] or "{}")),
            "reason": each["reason"],
        }
        for each in operations
    ]
    return _section("What operators did", "From what to what, and why.", "", told)


def _details(details: Row) -> str:
    if len(details) > 8:
        return f"{len(details)} settings"
    return ", ".join(
        f"{name}: {_value(name, value[0])} → {_value(name, value[1])}"
        if isinstance(value, list) and len(value) == 2
        else f"{name}: {_value(name, value)}"
        for name, value in details.items()
    )


def _value(name: str, value: Any) -> str:
    if name.endswith("_at_ms") and isinstance(value, int):
        return _text(name, value)
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _checks(numbers: Numbers) -> str:
    rows = [
        {
            "number": each.what,
            "archive": each.archive,
            "counters": each.counters,
            "note": _note(each.agrees, each.meaning),
        }
        for each in numbers.checks
    ]
    text = (
        "The same number from the archive and from the run's own counters. "
        "A gap is a change that was lost, or one that was not delivered yet."
    )
    return _section("Counted twice", text, "", rows)


def _note(agrees: bool, meaning: str) -> str:
    return "the same" if agrees else f"not the same: {meaning}"


def _pairs(pairs: Row) -> str:
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(_value(name, value))}</dd></div>" for name, value in pairs.items()
    )
    return f'<dl class="record">{cells}</dl>'


def _table(title: str, rows: Sequence[Row]) -> str:
    if not rows:
        return '<p class="none">Nothing was recorded.</p>'
    columns = list(rows[0])
    head = "".join(f'<th scope="col">{escape(NAMES.get(name, name.replace("_", " ")))}</th>' for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td{_align(row[name])}>{escape(_text(name, row[name]))}</td>" for name in columns) + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    more = "" if len(rows) <= MOST_ROWS else f"<p>{len(rows) - MOST_ROWS} more rows are in the export.</p>"
    caption = f"<caption>{escape(title)}</caption>"
    table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">{table}</div>{more}'


def _align(value: Any) -> str:
    return ' class="n"' if isinstance(value, int | float) else ' class="w"' if len(str(value)) > WIDE else ""


def _text(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name.endswith("at_ms"):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.0%}" if name in ("error", "show_up_share") else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _sec(value: float) -> str:
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _clock(at_ms: float) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M")


def _points(rows: Sequence[Row], x: str, y: str) -> list[tuple[float, float]]:
    return [(float(row[x]), float(row[y])) for row in rows if row.get(y) is not None]
