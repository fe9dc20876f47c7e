"""The archive's questions (schemas/archive/*.sql) answered on this machine by DuckDB, word for word as by Athena."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.operator_api.errors import BadInput
from scripts.report.files import part_of
from waiting_room import schemas

TYPES = {"string": "VARCHAR", "bigint": "BIGINT"}
QUESTIONS = Path(__file__).resolve().parents[2] / "schemas" / "archive"

Row = dict[str, Any]


class Answers:
    """Answers questions about the rows of one zone."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    @contextlib.contextmanager
    def of(cls, folder: Path, zone_id: str) -> Iterator[Answers]:
        """Yield answers from the rows of a zone in a folder; compressed files have to end in .gz.

        Raises BadInput without DuckDB.
        """
        try:
            import duckdb
        except ImportError:
            raise BadInput("This needs DuckDB: `pip install 'duckdb>=1.3'`, or foyer's extra `report`.") from None
        with duckdb.connect() as connection:
            archive = schemas.load("archive")
            columns = {name: TYPES[field["type"]] for name, field in archive["fields"].items()}
            # Athena's name for it; DuckDB would say approx_quantile, and is exact with this.
            connection.execute("CREATE MACRO approx_percentile(value, share) AS quantile_cont(value, share)")
            typed = ", ".join(f"{_quoted(name)}: {_quoted(kind)}" for name, kind in columns.items())
            files = _quoted(str(folder / part_of(zone_id) / "**" / "*"))
            read = f"read_json({files}, columns = {{{typed}}}, format = 'newline_delimited', hive_partitioning = false)"
            view = f"CREATE VIEW {archive['table']} AS SELECT * FROM {read}"  # noqa: S608 - names of the schema, quoted
            connection.execute(view)
            yield cls(connection)

    def ask(self, question: str, *parameters: Any) -> list[Row]:
        """The rows that answer a question of schemas/archive.json; parameters in the order it names them."""
        text = (QUESTIONS / f"{question}.sql").read_text(encoding="utf-8")
        answer = self._connection.execute(text, [str(each) for each in parameters])
        names = [column[0] for column in answer.description]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in answer.fetchall()]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _plain(value: Any) -> Any:
    """Decimals as floats, for JSON."""
    return float(value) if type(value).__name__ == "Decimal" else value
