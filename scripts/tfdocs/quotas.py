"""The table of quotas to raise, by the size of a sale: from the sizing that Terraform and `wr preflight` use."""

from __future__ import annotations

from collections.abc import Callable

from scripts.operator_cli.sizing import Needs, needs

SALES = ((10_000, 200), (100_000, 2_000), (1_000_000, 20_000))
"""Visitors of a sale, and joins in its busiest second when half of them come within the first half minute or so."""

Row = tuple[str, str, int, Callable[[Needs], int]]

ROWS: tuple[Row, ...] = (
    ("API Gateway, throttle rate, requests/s", "L-8A5B8E43", 10_000, lambda size: size.api_requests_per_sec),
    ("Lambda, concurrent executions", "L-B99A9384", 1_000, lambda size: size.concurrency),
    ("DynamoDB, writes/s of a table", "L-AB614373", 40_000, lambda size: max(size.warm.values())),
    (
        "Lambda at the edge, concurrent executions in each Region",
        "L-B99A9384",
        1_000,
        lambda size: size.edge_concurrency,
    ),
)
"""A quota, its code, what AWS gives an account that asks for nothing, and what a sale needs of it."""


def table() -> str:
    """Markdown; what is more than AWS gives is in bold."""
    sizes = [needs(joins_per_sec) for _, joins_per_sec in SALES]
    headings = ["Quota", "Code", "Given", *(f"{visitors:,} visitors" for visitors, _ in SALES)]
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * 2}{'---:|' * (len(headings) - 2)}"]
    lines.append(f"| `expected_joins_per_sec` | | | {' | '.join(f'{size.joins_per_sec:,}' for size in sizes)} |")
    for name, code, given, needed in ROWS:
        cells = [_cell(needed(size), given) for size in sizes]
        lines.append(f"| {name} | {code} | {given:,} | {' | '.join(cells)} |")
    for table in sizes[0].warm:
        # Terraform sets it; AWS charges once for what is above the 4,000 that every new table has.
        cells = [_cell(size.warm[table], 4_000) for size in sizes]
        lines.append(f"| warm throughput of the table `{table}`, writes/s | | 4,000 | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(needed: int, given: int) -> str:
    return f"**{needed:,}**" if needed > given else f"{needed:,}"
