"""The numbers for other programs: one JSON document, and a CSV file for each table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from .numbers import Numbers


def export(numbers: Numbers, folder: Path) -> list[Path]:
    """Write report.json and a CSV file for each table into a folder; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "report.json"
    whole.write_text(json.dumps(numbers.document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    written = [whole]
    for name, rows in numbers.tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        written.append(folder / f"{name}.csv")
    return written
