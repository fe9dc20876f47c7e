"""The business metrics as Markdown: dimensions, measures with their units, and the questions `wr metrics` asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def table(schemas: Path) -> str:
    """Three tables, from metrics.json and timestream.json in a folder."""
    metrics, timestream = (
        json.loads((schemas / f"{name}.json").read_text("utf-8")) for name in ("metrics", "timestream")
    )
    columns = [(name, "dimension", text) for name, text in metrics["dimensions"].items()]
    columns.append(("measure_name", "Timestream only", _listed(timestream["measure_names"])))
    columns.append(("time", "moment", "the minute of the point, in UTC"))
    measures = [
        (name, measure["of"], measure["unit"], measure["source"], measure["description"])
        for name, measure in metrics["measures"].items()
    ]
    questions = [(name, asked["description"]) for name, asked in timestream["questions"].items()]
    return "\n".join(
        [
            *_rows(("column", "is", "holds"), columns),
            "",
            *_rows(("measure", "of a", "unit", "from the", "holds"), measures),
            "",
            *_rows(("`wr metrics ZONE ...`", "answers"), questions),
        ]
    )


def _listed(texts: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`: {text}" for name, text in texts.items())


def _rows(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for first, *others in rows:
        yield f"| `{first}` | {' | '.join(others)} |"
