"""The on-sale's own count of a sale: equal to the report's, and a number that is off is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.onsale.counts import Counts, archived, differences, of_archive, of_report, of_table
from scripts.report.numbers import count
from scripts.report.questions import Answers
from tests.support.report_sale import RecordedSale


@pytest.fixture(scope="module")
def sale() -> RecordedSale:
    return RecordedSale()


@pytest.fixture(scope="module")
def document(sale: RecordedSale, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report's export, read back as JSON."""
    with Answers.of(sale.write(tmp_path_factory.mktemp("archive")), "z") as answers:
        numbers = count(answers, "z", 1, sale.minutes, sale.sale.zone.document)
    read: dict[str, Any] = json.loads(json.dumps(numbers.document))
    return read


@pytest.fixture(scope="module")
def reported(document: dict[str, Any]) -> Counts:
    return of_report(document)


def test_report_archive_and_table_are_three_counts_of_one_sale(sale: RecordedSale, reported: Counts) -> None:
    files, table = of_archive(archived(sale.firehose.lines, 1)), of_table(sale.items)
    assert reported.keys() == files.keys()
    assert files.keys() - table.keys() == {"renewed", "drop-off by minutes waited"}
    assert differences(reported, "the report", files, "the files") == []
    assert differences(reported, "the report", table, "the table") == []
    assert differences(files, "the files", table, "the table") == []
    assert all(reported[name] for name in ("admitted", "completed", "left the zone", "gave up", "drop-off"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("joined", {"places", "joined by minute"}),
        ("admitted", {"admitted", "admitted by minute", "median wait, ms"}),
        ("completed", {"completed", "outcomes", "completed by minute"}),
        ("left", {"outcomes"}),
        ("away", {"drop-off"}),
    ],
)
def test_a_change_that_is_lacking_is_named(sale: RecordedSale, reported: Counts, change: str, named: set[str]) -> None:
    rows = archived(sale.firehose.lines, 1)
    # Of those who hid the page, one who was not seen again: anybody else is no drop-off.
    last = {row["visitor_id"]: row["event_id"] for row in rows}
    lost = next(
        row for row in rows if row["change"] == change and (change != "away" or row["event_id"] in last.values())
    )
    short = of_archive([row for row in rows if row is not lost])
    told = differences(reported, "the report", short, "the files")
    assert named <= {sentence.partition(":")[0] for sentence in told}
    first = next(sentence for sentence in told if sentence.startswith(f"{min(named, key=len)}: "))
    assert "in the report" in first
    assert first.endswith("in the files")


def test_copies_other_runs_and_operators_do_not_count(sale: RecordedSale) -> None:
    rows = archived(sale.firehose.lines, 1)
    assert len(sale.firehose.lines) > len(rows) == len({row["event_id"] for row in rows})
    assert archived(sale.firehose.lines * 2, 1) == rows
    assert archived(sale.firehose.lines, 2) == []
