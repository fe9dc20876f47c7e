"""The table of quotas to raise, by the size of a sale: from the sizing that Terraform and `wr preflight` use."""

from __future__ import annotations

from scripts.deployment.sizing import (
    FAR_FROM_VISITORS,
    GUARDED_REQUESTS,
    QUOTAS,
    ceiling,
    most_admitted_per_min,
    needs,
)

SALES = ((10_000, 200), (100_000, 2_000), (1_000_000, 20_000))
"""Visitors of a sale, and joins in its busiest second when half of them come within the first half minute or so."""


def table() -> str:
    """Markdown; what is more than AWS gives is in bold."""
    sizes = [needs(joins_per_sec) for _, joins_per_sec in SALES]
    headings = ["Quota", "Code", "Given", *(f"{visitors:,} visitors" for visitors, _ in SALES)]
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * 2}{'---:|' * (len(headings) - 2)}"]
    lines.append(f"| `expected_joins_per_sec` | | | {' | '.join(f'{size.joins_per_sec:,}' for size in sizes)} |")
    for quota in QUOTAS:
        cells = [_cell(quota.needed(size), quota.given) for size in sizes]
        lines.append(f"| {quota.name} | {quota.code or '–'} | {quota.given:,} | {' | '.join(cells)} |")
    for table in sizes[0].warm:
        # Set where the table is made; AWS charges once for what is above the 4,000 that every new table has.
        cells = [_cell(size.warm[table], 4_000) for size in sizes]
        lines.append(f"| warm throughput of the table `{table}`, writes/s | | 4,000 | {' | '.join(cells)} |")
    reads = " | ".join(_cell(size.table_reads_per_sec, 12_000) for size in sizes)
    lines.append(f"| warm throughput of both, reads/s | | 12,000 | {reads} |")
    cold = " | ".join(f"{size.cold_sec:,}" for size in sizes)
    lines.append(f"| until all bouncers are awake for a crowd that no start announces, s | | | {cold} |")
    return "\n".join([*lines, "", _without_asking()])


def _without_asking() -> str:
    """How far an account gets that asks for nothing."""
    (near, first), (far, first_there) = ceiling(), ceiling(FAR_FROM_VISITORS)
    return (
        f"**Without asking for anything** an account takes {near:,} joins a second ({_kind(first.name)} is used up "
        f"first), and {far:,} ({_kind(first_there.name)}) in a Region that no visitor is near, as the gate's functions "
        "count where they run; us-east-1 is always near some. The gatekeeper runs at every guarded request too: at "
        f"{near:,} joins a second {most_admitted_per_min(near):,} visitors a minute may be let in who send "
        f"{GUARDED_REQUESTS} each, if one Region serves all of them."
    )


def _kind(name: str) -> str:
    return name.partition(",")[0]


def _cell(needed: int, given: int) -> str:
    return f"**{needed:,}**" if needed > given else f"{needed:,}"
