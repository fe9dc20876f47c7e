"""The report of a real sale: its numbers are those of an independent count, from the archive and from the table."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.operator_api.errors import BadInput
from scripts.report import numbers as numbers_module
from scripts.report.export import export
from scripts.report.files import archive_folder
from scripts.report.numbers import Check, Numbers, Settings, count, during, estimates, level, line, with_rate
from scripts.report.page import page
from scripts.report.plots import RIGHT, WIDTH, Series, nice, plot, ticks
from scripts.report.questions import Answers
from tests.support.report_sale import VISITORS, RecordedSale
from waiting_room import schemas


@pytest.fixture(scope="module")
def sale() -> RecordedSale:
    return RecordedSale()


@pytest.fixture(scope="module")
def folder(sale: RecordedSale, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sale.write(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def answers(folder: Path) -> Iterator[Answers]:
    with Answers.of(folder, "z") as answers:
        yield answers


@pytest.fixture(scope="module")
def numbers(sale: RecordedSale, answers: Answers) -> Numbers:
    return count(answers, "z", 1, sale.minutes, sale.sale.zone.document)


@pytest.fixture(scope="module")
def once(sale: RecordedSale) -> list[dict[str, Any]]:
    """The archive read without any SQL, each change once, in order."""
    rows = {row["event_id"]: row for row in sale.firehose.rows if row["change"] != "operated"}
    assert len(rows) < len(sale.firehose.lines), "some were delivered twice"
    return sorted(rows.values(), key=lambda row: row["sequence"])


def test_the_sale_is_one_worth_counting(once: list[dict[str, Any]]) -> None:
    kinds = Counter(row["change"] for row in once)
    assert kinds["joined"] == VISITORS
    assert all(kinds[name] > 5 for name in ("admitted", "completed", "left", "away"))


def test_the_numbers_are_those_of_the_queue_table(sale: RecordedSale, numbers: Numbers) -> None:
    items, totals = sale.items, numbers.totals
    status = Counter(item["status"] for item in items)
    came = [item for item in items if "admitted_at_ms" in item]
    assert totals["visitors"] == len(items) == VISITORS
    assert totals["admitted"] == len(came)
    assert totals["completed"] == status["completed"]
    assert totals["gave_up"] == sum(item["status"] == "left" and "admitted_at_ms" not in item for item in items)
    assert totals["left_zone"] == sum(item["status"] == "left" and "admitted_at_ms" in item for item in items)
    outcomes = {(row["lane"], row["last_status"]): row["visitors"] for row in numbers.outcomes}
    assert outcomes == Counter((item["lane"], item["status"]) for item in items)
    for row in numbers.waits:
        own = [item["admitted_at_ms"] - item["joined_at_ms"] for item in came if item["lane"] == row["lane"]]
        assert row["admitted"] == len(own)
        assert row["median_sec"] == pytest.approx(median(own) / 1000)
        assert row["longest_sec"] == max(own) / 1000


def test_the_numbers_are_those_of_the_archive(once: list[dict[str, Any]], numbers: Numbers) -> None:
    def by_minute(kind: str) -> Counter[int]:
        return Counter(row["happened_at_ms"] // 60_000 * 60_000 for row in once if row["change"] == kind)

    for name, kind in (("joined", "joined"), ("admitted", "admitted"), ("completed", "completed")):
        assert {row["minute_at_ms"]: row[name] for row in numbers.by_minute if row[name]} == by_minute(kind)
    last: dict[str, dict[str, Any]] = {row["visitor_id"]: row for row in once}
    gone = [
        row["wait_ms"] // 60_000
        for row in last.values()
        if row["change"] == "away" or (row["change"] == "left" and row["status_before"] == "waiting")
    ]
    assert {row["minutes_waited"]: row["visitors"] for row in numbers.drop_off} == Counter(gone)


def test_the_numbers_are_those_of_the_runs_own_counters(sale: RecordedSale, numbers: Numbers) -> None:
    assert [(check.what, check.agrees) for check in numbers.checks] == [("places", True), ("sold", True)] or all(
        check.agrees or check.what == "admitted" for check in numbers.checks
    )
    assert sale.sale.sales.sold("z", 1) == numbers.totals["completed"]
    told: Counter[str] = Counter()
    for row in sale.minutes:
        for lane in row.get("visits", {}).values():
            told.update({name: lane[name] for name in ("admitted", "completed", "gave_up")})
    assert told == {name: numbers.totals[name] for name in ("admitted", "completed", "gave_up")}


def test_a_lost_change_shows_in_the_report(sale: RecordedSale, tmp_path: Path, numbers: Numbers) -> None:
    part = tmp_path / "changes/zone_id=z/day=2026-06-01"
    part.mkdir(parents=True)
    lines = {row["event_id"]: line for row, line in zip(sale.firehose.rows, sale.firehose.lines, strict=True)}
    lost = next(row["event_id"] for row in sale.firehose.rows if row["change"] == "completed")
    (part / "rows").write_bytes(b"".join(line for event_id, line in lines.items() if event_id != lost))
    with Answers.of(tmp_path, "z") as answers:
        short = count(answers, "z", 1, sale.minutes, sale.sale.zone.document)
    (check,) = [check for check in short.checks if check.what == "sold"]
    assert (check.archive, check.agrees) == (check.counters - 1, False)
    assert "not the same" in page(short)


def test_the_line_kept_its_order(numbers: Numbers) -> None:
    assert {row["lane"] for row in numbers.order_kept} == {"general", "vip"}
    assert all(row["worst_inversion_ms"] == 0 for row in numbers.order_kept)


def test_an_inversion_is_found(tmp_path: Path) -> None:
    part = tmp_path / "changes/zone_id=z/day=2026-06-01"
    part.mkdir(parents=True)
    rows = [
        {
            "event_id": str(seq),
            "sequence": str(seq),
            "zone_id": "z",
            "run": 1,
            "visitor_id": str(seq),
            "change": "joined",
        }
        | {"lane": "general", "shard": 0, "seq": seq, "joined_at_ms": joined, "happened_at_ms": joined}
        for seq, joined in ((1, 1000), (2, 5000), (3, 1800))
    ]
    (part / "rows.json").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with Answers.of(tmp_path, "z") as answers:
        assert answers.ask("order_kept", "z", 1)[0]["worst_inversion_ms"] == 3200


def test_every_question_has_an_answer(answers: Answers, sale: RecordedSale) -> None:
    given = {"zone_id": "z", "run": 1, "visitor_id": sale.items[0]["place"].rpartition("#")[2]}
    for name, question in schemas.load("archive")["questions"].items():
        rows = answers.ask(name, *(given[parameter] for parameter in question["parameters"]))
        assert rows, name
    told = answers.ask("one_visitor", *given.values())
    assert told[0]["change"] == "joined"
    assert [row["sequence"] for row in told] == sorted(row["sequence"] for row in told)


def test_another_run_has_nothing(answers: Answers) -> None:
    assert answers.ask("totals", "z", 2)[0]["visitors"] == 0
    empty = count(answers, "z", 2, [])
    assert "Nothing was recorded" in page(empty)


def test_rate_and_cap_are_those_that_were_set(numbers: Numbers) -> None:
    rates = list(dict.fromkeys(row["rate_per_min"] for row in numbers.by_minute))
    assert rates == [40, 20, 60]
    assert list(dict.fromkeys(row["cap"] for row in numbers.levels)) == [25, 30]
    assert all(row["in_zone"] <= row["cap"] for row in numbers.levels)
    assert Settings({"rate_per_min": 7}, []).at(0, "rate_per_min") == 7


def test_the_audit_log_is_read_once_however_long_the_run_was(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    real = json.loads
    monkeypatch.setattr(numbers_module, "json", SimpleNamespace(loads=lambda text: parsed.append(text) or real(text)))
    minutes = [{"minute_at_ms": number * 60_000} for number in range(200)]
    told = {"phase": "open", "joined": 5, "called": 3, "active": 2, "sold": 0, "show_up_share": 1.0}
    rows = [{**minute, **told, "updated_at_ms": minute["minute_at_ms"]} for minute in minutes]
    operations = [
        {"happened_at_ms": 60_000, "details": '{"rate_per_min":[60,30],"name":"Box office"}'},
        {"happened_at_ms": 120_000, "details": None},
        {"happened_at_ms": 180_000, "details": '{"max_active":[10,20]}'},
    ]

    settings = Settings(None, operations)
    rates = [row["rate_per_min"] for row in with_rate(minutes, [], settings)]
    caps = [level(row, settings)["cap"] for row in rows]

    assert len(parsed) == len(operations)
    assert (rates[0], rates[1:]) == (30, [30] * 199), "a minute has the rate of its end"
    assert (caps[:3], caps[3:]) == ([10] * 3, [20] * 197)


def test_estimates_are_compared_with_what_came(numbers: Numbers) -> None:
    assert numbers.estimates
    assert numbers.estimate_error is not None
    for row in numbers.estimates:
        assert row["waited_sec"] >= 30


@pytest.mark.parametrize(("speed", "error"), [(1.0, 0.0), (0.5, 1.0), (2.0, 0.5)])
def test_an_estimate_is_as_wrong_as_the_speed_it_was_made_of(speed: float, error: float) -> None:
    """Sixty come at once and one is called every second; they were told what the line's speed then said."""
    points = [[0, 0, 0, speed], [10, 60, 0, speed], [20, 60, 10, speed], [30, 60, 20, speed], [40, 60, 30, speed]]
    later = [[0, 60, 50, speed], [10, 60, 60, speed]]
    points.append([50, 60, 40, speed])
    rows = [{"minute_at_ms": 0, "course": {"general": points}}, {"minute_at_ms": 60_000, "course": {"general": later}}]
    (row,) = estimates(rows, 0)
    # Half a minute and more: those who were called from 35 s on.
    assert (row["minute_at_ms"], row["lane"]) == (0, "general")
    assert 25 <= row["called"] <= 40
    assert row["error"] == pytest.approx(error, abs=0.25)
    assert row["promised_sec"] == pytest.approx(row["waited_sec"] / speed, rel=0.25)
    assert line(rows)[1] == {"at_ms": 10_000, "waiting": 60, "waiting_general": 60}
    assert [each["waiting"] for each in line(rows)] == [0, 60, 50, 40, 30, 20, 10, 0]


def test_the_line_is_that_of_all_lanes(numbers: Numbers) -> None:
    for row in numbers.line:
        assert row["waiting"] == sum(row[name] or 0 for name in row if name.startswith("waiting_"))
    assert numbers.longest_line == max(row["waiting"] for row in numbers.line) > 0
    assert numbers.longest_line >= max(level["waiting"] for level in numbers.levels)


def test_only_what_was_done_to_the_run_is_in_its_report() -> None:
    done = [(10, 1), (20, None), (30, 2), (40, None), (50, 2), (60, None), (70, 3), (80, None)]
    operations = [{"happened_at_ms": at_ms, "run": run} for at_ms, run in done]
    assert [each["happened_at_ms"] for each in during(operations, 2)] == [30, 40, 50, 60]
    assert [each["happened_at_ms"] for each in during(operations, 3)] == [70, 80]
    assert during(operations, 4) == []


def test_moments_are_told_as_moments_and_whole_minutes_as_whole(numbers: Numbers) -> None:
    details = json.dumps({"starts_at_ms": [None, 1_780_000_000_000]})
    text = page(Numbers(**{**vars(numbers), "operations": [{**numbers.operations[0], "details": details}]}))
    assert "starts_at_ms: none → 2026-05-28 20:26:40" in text
    assert numbers.drop_off
    assert all(type(row["minutes_waited"]) is int for row in numbers.drop_off)
    assert f"<dd>{sum(row['visitors'] for row in numbers.drop_off)}</dd>" in text


class Outline(HTMLParser):
    """What a page loads, and whether its tags are balanced."""

    VOID = ("meta", "line", "rect", "path", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(numbers: Numbers) -> None:
    text = page(numbers)
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert outline.addresses == []
    assert "url(" not in text
    # Beside every plot there is its table, and each has a text for those who do not see it.
    assert outline.seen["svg"] == outline.seen["desc"] == outline.seen["details"] == 7
    for value in (numbers.totals["admitted"], numbers.totals["completed"]):
        assert f"<dd>{value}</dd>" in text
    assert "rate_per_min: 40 → 20" in text
    assert "The shop is slow." in text


def test_what_operators_wrote_cannot_become_markup(numbers: Numbers) -> None:
    operation = {**numbers.operations[0], "reason": "<script>alert(1)</script>", "details": '{"message":["","<b>"]}'}
    text = page(Numbers(**{**vars(numbers), "operations": [operation], "zone": {"title": "<i>"}}))
    assert "<script" not in text
    assert "<b>" not in text
    assert "<i>" not in text


def test_the_export_has_every_number(numbers: Numbers, tmp_path: Path) -> None:
    written = {path.name for path in export(numbers, tmp_path / "out")}
    document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert document["totals"] == numbers.totals
    assert document["checks"][0].keys() >= {"archive", "counters", "agrees"}
    with (tmp_path / "out" / "by_minute.csv").open(encoding="utf-8", newline="") as file:
        told = [int(row["joined"]) for row in csv.DictReader(file)]
    assert sum(told) == VISITORS
    assert {"report.json", "totals.csv", "wait_by_arrival.csv", "levels.csv", "drop_off.csv"} <= written


def test_a_folder_without_rows_of_the_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="zone_id=gala"), archive_folder(str(tmp_path), "gala"):
        pass


def test_axes_are_round_and_plots_of_one_point_are_drawn() -> None:
    assert [nice(highest) for highest in (0, 3, 7, 100, 1001)] == [1, 1, 2, 25, 500]
    text = plot("One", "One point.", [Series("a", [(5, 3)]), Series("b", [(5, 1)], "bar")], str, "visitors", 1)
    assert re.search(r'<circle class="s0 fill"', text)
    assert '<rect class="s1 fill"' in text
    assert ticks(0, 2, 1) == [0, 1, 2]
    assert ticks(90_000, 600_000, 60_000) == [120_000, 240_000, 360_000, 480_000, 600_000]
    assert all(len(ticks(7, 7 + width, 1)) <= 6 for width in range(1, 5000))
    assert Check("a", 1, 1, "").agrees


def test_the_last_name_of_an_axis_ends_with_the_plot() -> None:
    text = plot(
        "One", "One line.", [Series("a", [(0, 3), (3, 1)]), Series("set", [(0, 2)], "step")], str, "visitors", 1
    )
    names = re.findall(r'<text x="([\d.]+)"[^>]*text-anchor="(middle|end)">(\d)</text>', text)
    assert [anchor for x, anchor, name in names if float(x) == WIDTH - RIGHT] == ["end"]
    assert re.search(r'class="s1 stroke dashed" d="M[\d.]+ [\d.]+H[\d.]+"', text), "what was set holds for its minute"


def test_the_bar_of_a_minute_is_as_wide_as_the_minute() -> None:
    text = plot("One", "Bars.", [Series("a", [(0, 3), (1, 2), (3, 1)], "bar")], str, "visitors", 1)
    bars = [(float(x), float(width)) for x, width in re.findall(r'<rect[^>]* x="([\d.]+)"[^>]* width="([\d.]+)"', text)]
    minute = bars[1][0] - bars[0][0]
    assert all(width == pytest.approx(minute * 0.9, abs=0.1) for _, width in bars)
    assert bars[-1][0] + bars[-1][1] <= WIDTH
