"""The bills as a page: text for a terminal, Markdown for a README."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .bills import Bill
from .model import Costs

MARK = "*"

PEER = "AWS Virtual Waiting Room"
PEER_COUNTS = {
    "write units, joined only": 2.0,
    "write units, joined, admitted, completed": 7.0,
    "queue and cache calls beside them": "2.2 SQS, 4 Redis",
    "API calls from arrival to call": 5.0,
    "a cap on how many are inside": "no",
    "always-on servers while idle": "Redis, NAT gateway",
}
"""Operation counts of the AWS Solutions implementation, counted in its published source."""

Rows = list[tuple[str, ...]]


def rows_of(bill: Bill) -> Rows:
    """One row for each part, the sum last."""
    rows: Rows = [
        (part + (f" {MARK}" if bill.doubtful(part) else ""), f"{usd:.2f}") for part, usd in bill.parts.items()
    ]
    return [
        *rows,
        ("together", f"{bill.usd:.2f}"),
        ("together, without the archive", f"{bill.usd_without_archive:.2f}"),
        ("together, less what AWS gives free each month", f"{bill.usd_after_free:.2f}"),
    ]


def compared(counts: Mapping[str, Any], speed_per_sec: int) -> Rows:
    """Foyer's own counts beside those of the AWS solution."""
    operations = counts["operations"]
    writes = {name: operations[name]["write_units"] for name in operations}
    bought = writes["join_queue"] + writes["issue_access_token"] + writes["checkout"]
    page = counts["page_by_speed_per_sec"][str(speed_per_sec)]
    own = {
        "write units, joined only": writes["join_queue"],
        "write units, joined, admitted, completed": bought,
        "queue and cache calls beside them": "none",
        # The last call of a visit is the claim, which comes after the visitor was called.
        "API calls from arrival to call": page["api_calls"] - 1,
        "a cap on how many are inside": "yes",
        "always-on servers while idle": "none",
    }
    return [(name, _shown(own[name]), _shown(PEER_COUNTS[name])) for name in own]


def prices_of(costs: Costs) -> Rows:
    """Every price in the file, in its order."""
    return [
        (price.key, f"{price.usd:g} / {price.per:,} {price.unit}", price.confidence) for price in costs.prices.values()
    ]


def markdown(costs: Costs, prices: Mapping[str, Any]) -> str:
    """The section of a README, without a heading."""
    lines: list[str] = []
    for bill in (costs.idle_month(), costs.waiting(), costs.admitted(), costs.phones()):
        lines += [*_table((_heading(bill), "USD"), rows_of(bill), numbers={1}), ""]
    lines += [
        *_table(("counted in operations", "Foyer", PEER), compared(costs.counts, costs.assumed.speed_per_sec)),
        "",
    ]
    return "\n".join([*lines, "\n\n".join(_escaped(note) for note in _notes(costs, prices)), ""])


def text(costs: Costs, prices: Mapping[str, Any]) -> str:
    """The same for a terminal, with the prices and the assumptions."""
    lines: list[str] = []
    for bill in (costs.idle_month(), costs.waiting(), costs.admitted(), costs.phones()):
        lines += [*_aligned([(_heading(bill), "USD"), *rows_of(bill)]), ""]
    rows = compared(costs.counts, costs.assumed.speed_per_sec)
    lines += [*_aligned([("Counted in operations", "Foyer", PEER), *rows]), ""]
    lines += ["Assumed", *_aligned([(f"  {name}", f"{value:g}") for name, value in asdict(costs.assumed).items()]), ""]
    lines += ["Prices, USD", *_aligned([(f"  {key}", usd, mark) for key, usd, mark in prices_of(costs)]), ""]
    return "\n".join([*lines, *_notes(costs, prices)])


def of_sale(bill: Bill, costs: Costs, prices: Mapping[str, Any]) -> str:
    """The bill of one sale for a terminal."""
    note = (
        f"Prices of {prices['as_of']}, {prices['region']}; {bill.doubtful_usd:.2f} USD of it hang on prices noted from "
        f"memory ({MARK}). For a line that moves {costs.assumed.speed_per_sec} places a second, without the site's own "
        "traffic, WAF and text messages; a month with nothing on sale is "
        f"{costs.idle_month().usd:.2f} USD. `wr cost` alone shows everything that is assumed."
    )
    return "\n".join([*_aligned([(_heading(bill), "USD"), *rows_of(bill)]), "", note])


def _notes(costs: Costs, prices: Mapping[str, Any]) -> Iterator[str]:
    waiting = costs.waiting()
    yield (
        f"Prices of {prices['as_of']}, {prices['region']}. {MARK} Most of it hangs on a price "
        f"noted from memory, to be looked up first: {waiting.doubtful_usd:.2f} of the {waiting.usd:.2f} USD for those "
        "who wait."
    )
    yield (
        f"Waiting is counted for a line that moves {costs.assumed.speed_per_sec} places a second. Where it is slow "
        "enough, a visitor near its front has a WebSocket and looks half as often: "
        + ", ".join(
            f"{page['polls']:.1f} looks and {page['sockets']:g} WebSockets in ten minutes at {speed} a second"
            for speed, page in costs.counts["page_by_speed_per_sec"].items()
        )
        + "."
    )
    yield (
        "Not in it: the site's own traffic, WAF (5 USD a month, 1 a rule, 0.60 for a million requests), alerts "
        "by telephone, the service's own fee for each code, your log retention. Messages cost by country, many times "
        "as much in some: with `identity.phone` they are most of the bill."
    )


def _heading(bill: Bill) -> str:
    return bill.title[0].upper() + bill.title[1:]


def _table(headings: Sequence[str], rows: Rows, numbers: set[int] | None = None) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield "|" + "|".join("---:" if column in (numbers or set()) else "---" for column in range(len(headings))) + "|"
    for row in rows:
        yield f"| {' | '.join(_escaped(cell) for cell in row)} |"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace(MARK, f"\\{MARK}")


def _aligned(rows: Rows) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = row
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


__all__ = ["MARK", "PEER_COUNTS", "compared", "markdown", "of_sale", "rows_of", "text"]
