"""What is printed and written: one table, build/simulation.json, and a plot."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.simulation.figures import Figures

BAR_WIDTH = 30
MISSING_MATPLOTLIB = "No plot without matplotlib: `.venv/bin/pip install -r requirements-plot.lock` installs it."
COLUMNS = (
    ("visitors", "visitors"),
    ("lost", "lost"),
    ("duplicates", "dup"),
    ("worst_inversion_ms", "inversion ms"),
    ("overtaken_max", "overtaken"),
    ("write_units_per_join", "units/join"),
    ("join_writes_refused_pct", "refused %"),
    ("occupancy_mean", "occupancy"),
    ("overshoot_max", "overshoot"),
    ("let_in_max", "let in"),
    ("share_off_pct", "share off %"),
    ("lapsed_present", "lapsed"),
    ("wait_max_sec", "longest wait s"),
    ("eta_mean_abs_error_pct", "ETA err %"),
    ("eta_in_range_pct", "in range %"),
    ("recovery_sec", "recovery s"),
    ("called_while_shut", "called while shut"),
    ("rush", "rush"),
    ("overtaken_in", "overtaken in"),
    ("first_in_sec", "first in s"),
    ("sold_out_published_sec", "sold out s"),
    ("sold_out_told_sec", "told s"),
    ("located_sec", "all know s"),
    ("locate_read_units", "reads each"),
    ("locates_per_visitor", "asks each"),
    ("busiest_reads", "busiest partition"),
    ("throttled", "throttled"),
    ("saw_error", "saw an error"),
    ("asked_again", "asked again"),
    ("placed_median_sec", "placed s"),
    ("placed_p99_sec", "p99 s"),
    ("placed_max_sec", "max s"),
    ("cold_starts", "cold starts"),
    ("hurried_looks_per_visitor", "looks for it"),
)


def table(rows: Sequence[Figures]) -> str:
    """All figures; a column nobody has a figure for is left out."""
    columns = [(name, title) for name, title in COLUMNS if any(name in row.values for row in rows)]
    cells = [["scenario", "seed", *(title for _, title in columns), "rules"]]
    for row in rows:
        figures = [_number(row.values.get(name)) for name, _ in columns]
        cells.append([row.scenario, str(row.seed), *figures, "BROKEN" if row.broken else "kept"])
    widths = [max(len(line[at]) for line in cells) for at in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    )


def write(rows: Sequence[Figures], path: Path) -> None:
    """The figures as JSON; those of other scenarios in the file stay."""
    kept = json.loads(path.read_text()) if path.exists() else []
    new = {(row.scenario, row.seed) for row in rows}
    kept = [row for row in kept if (row["scenario"], row["seed"]) not in new]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, *(row.row for row in rows)], indent=2) + "\n")


def progress_bar(name: str) -> Callable[[float], None]:
    """Draws how far a run is, on a terminal; elsewhere nothing."""
    if not sys.stderr.isatty():
        return lambda _: None
    shown = -1

    def show(part: float) -> None:
        nonlocal shown
        percent = int(part * 100)
        if percent == shown:
            return
        shown = percent
        done = "#" * int(part * BAR_WIDTH)
        end = "\r" + " " * (len(name) + BAR_WIDTH + 10) + "\r" if part >= 1 else ""
        sys.stderr.write(f"\r{name} [{done:<{BAR_WIDTH}}] {percent:3d} %{end}")
        sys.stderr.flush()

    return show


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"
