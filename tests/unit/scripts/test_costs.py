"""The cost table says what the code does: its counts are measured again here, its arithmetic is checked by hand."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts.costs import command as cost
from scripts.costs.batches import records_a_batch
from scripts.costs.bills import ARCHIVE
from scripts.costs.model import DELIVERY_BYTES, DELIVERY_SEC, MILLION, RECORDER, Assumptions, Costs
from scripts.costs.tables import MARK, PEER_COUNTS, compared, markdown, rows_of, text
from scripts.operator_cli import cli
from tests.support import measured_counts
from tests.support.tools import require_tool
from waiting_room import schemas

ROOT = Path(__file__).resolve().parents[3]
AGAIN = "; if it is meant: PYTHONPATH=layer/python python -m tests.support.measured_counts"


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(measured_counts.FILE.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def prices() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(measured_counts.FILE.with_name("prices.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def costs(kept: dict[str, Any], prices: dict[str, Any]) -> Costs:
    return Costs(kept, prices)


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return measured_counts.counts()


def test_every_operation_costs_what_the_table_is_computed_from(kept: dict[str, Any], measured: dict[str, Any]) -> None:
    assert measured["operations"] == kept["operations"], AGAIN
    assert measured["machinery"] == kept["machinery"], AGAIN
    assert measured["pushes"] == kept["pushes"], AGAIN
    assert measured["recording"].keys() == kept["recording"].keys()
    for speed, kinds in measured["recording"].items():
        for kind, batch in kinds.items():
            # How well rows are compressed is a matter of the library.
            assert batch == pytest.approx(kept["recording"][speed][kind], rel=0.1), AGAIN


def test_a_page_loads_what_the_table_is_computed_from(kept: dict[str, Any], measured: dict[str, Any]) -> None:
    assert measured["sizes"].keys() == kept["sizes"].keys()
    assert measured["sizes"]["page_requests"] == kept["sizes"]["page_requests"], AGAIN
    for name in ("page_bytes", "status_bytes"):
        assert measured["sizes"][name] == pytest.approx(kept["sizes"][name], rel=0.1), AGAIN


def test_a_page_asks_as_often_as_the_table_is_computed_from(kept: dict[str, Any]) -> None:
    require_tool("Node.js", shutil.which("node"), "install it to count the waiting page's own requests")
    assert measured_counts.page_counts() == kept["page_by_speed_per_sec"], AGAIN
    assert kept["wait_sec"] == measured_counts.WAIT_SEC
    assert measured_counts.polls_by_wait() == kept["polls_by_wait_min"], AGAIN


@pytest.mark.parametrize(
    ("what", "operations", "most"),
    [
        ("joined only", ("join_queue",), 2),
        ("joined, admitted, completed", ("join_queue", "issue_access_token", "checkout"), 6),
        ("the same with inventory", ("join_queue", "issue_access_token", "checkout_with_inventory"), 10),
        ("a renewal", ("renew_session",), 3),
    ],
)
def test_write_units_stay_within_the_design(
    kept: dict[str, Any], what: str, operations: tuple[str, ...], most: float
) -> None:
    assert sum(kept["operations"][name]["write_units"] for name in operations) <= most, what


def test_a_visitor_costs_two_api_calls_before_the_call_and_polls_reach_the_cdn_only(kept: dict[str, Any]) -> None:
    for page in kept["page_by_speed_per_sec"].values():
        assert page["api_calls"] - 1 <= 2
        assert page["polls"] > 1
    listed = {each["name"]: each for each in schemas.behaviours()["behaviours"]}
    assert listed["status"]["origin"] == "site_bucket"
    assert schemas.behaviours()["caches"][listed["status"]["cache"]]["min_ttl_sec"] >= 1


def test_an_idle_month_stays_within_the_design(costs: Costs) -> None:
    """At list price with the alarms that are everybody's choice left out, and with them in an account of its own."""
    idle = costs.idle_month()
    assert idle.usd - idle.parts["alarms"] <= 1.0
    assert idle.usd_after_free <= 2.0


def test_free_units_are_taken_off_once_for_all_parts(costs: Costs) -> None:
    waiting = costs.waiting()
    requests = [line for line in waiting.lines if line.price.key == "cloudfront_request"]
    assert len(requests) > 3
    assert sum(line.quantity for line in requests) > 10_000_000
    saved = waiting.usd - waiting.usd_after_free
    of = {line.price.key: 0.0 for line in waiting.lines}
    for line in waiting.lines:
        of[line.price.key] += line.quantity
    by_hand = sum(min(of[key], costs.prices[key].free) / costs.prices[key].per * costs.prices[key].usd for key in of)
    assert saved == pytest.approx(by_hand)
    assert saved > 10


def test_the_sums_are_those_of_a_calculation_by_hand(kept: dict[str, Any], prices: dict[str, Any]) -> None:
    assumed = Assumptions(aws_call_ms=10, own_ms=50, platform_log_bytes=0)
    costs = Costs(kept, prices, assumed)
    joining = [line for line in costs.waiting().lines if line.part == "joining"]
    of = {}
    for line in joining:
        of[line.price.key] = of.get(line.price.key, 0.0) + line.usd
    join = kept["operations"]["join_queue"]
    assert of["api_request"] == pytest.approx(1.0)
    assert of["cloudfront_request"] == pytest.approx(1.0)
    assert of["dynamodb_write"] == pytest.approx(join["write_units"] * 0.625)
    sec = (50 + 10 * join["aws_calls"]) / 1000
    assert of["lambda_compute_arm"] == pytest.approx(MILLION * sec * 0.5 * 0.0000133334)
    regional = [spec for spec in schemas.functions().values() if not spec["edge"]]
    streams = sum("stream" in spec["triggers"] for spec in regional)
    # A shut door. Failing: bouncer, operator, connections. Not started: connections, dispatcher. Four tables, and
    # four for all.
    assert costs.idle_month().parts["alarms"] == pytest.approx(0.3 + 0.1 * (3 + 2 + streams + 4 + 4))
    assert costs.waiting().usd == pytest.approx(sum(line.usd for line in costs.waiting().lines))


def test_the_recorder_is_charged_by_the_batch_and_the_archive_by_the_row(kept: dict[str, Any], costs: Costs) -> None:
    batch = kept["recording"]["400"]["admitted"]
    own: dict[str, dict[str, float]] = {}
    for line in costs.admitted().lines:
        charges = own.setdefault(line.part, {})
        charges[line.price.key] = charges.get(line.price.key, 0.0) + line.usd
    # Admitted, prolonged once, bought.
    batches = 3 * MILLION / batch["records"]
    counting, archive = own[RECORDER], own[ARCHIVE]
    assert counting["lambda_request"] == pytest.approx(batches / MILLION * 0.2)
    assert counting["dynamodb_write"] == pytest.approx(batches * batch["write_units"] / MILLION * 0.625)
    assert counting["dynamodb_read"] == pytest.approx(batches * batch["read_units"] / MILLION * 0.125)
    # A row of half a kilobyte is charged as five.
    assert batch["row_bytes"] < 5120
    assert archive["firehose_ingest"] == pytest.approx(3 * MILLION * 5120 / 1e9 * 0.029)
    # At 1,200 rows a second a file is full before its five minutes are over; at a third of that it is not.
    assert archive["s3_put"] == pytest.approx(3 * MILLION * batch["row_bytes"] / (64 * 2**20) / MILLION * 5)
    joined = [line for line in costs.waiting().lines if (line.part, line.price.key) == (ARCHIVE, "s3_put")]
    assert joined[0].quantity == pytest.approx(MILLION / 400 / 300)
    assert archive["s3_storage"] == pytest.approx(3 * MILLION * batch["row_gzip_bytes"] / 1e9 * 3 * 0.023)
    for bill in (costs.waiting(), costs.admitted(), costs.sale(MILLION, 10, MILLION)):
        assert bill.usd_without_archive == pytest.approx(bill.usd - bill.parts[ARCHIVE])
        assert bill.parts[ARCHIVE] > 0
    idle = costs.idle_month()
    assert idle.parts[RECORDER] == idle.parts[ARCHIVE] == 0


def test_a_slow_line_has_connections_and_a_fast_one_needs_none(kept: dict[str, Any], prices: dict[str, Any]) -> None:
    fast, slow = (Costs(kept, prices, Assumptions(speed_per_sec=speed)) for speed in (400, 10))
    part = "told of the call by WebSocket"
    assert fast.waiting().parts[part] == 0
    page = kept["page_by_speed_per_sec"]["10"]
    assert page["sockets"] == pytest.approx(1, abs=0.1)
    of: dict[str, float] = {}
    for line in slow.waiting().lines:
        if line.part == part:
            of[line.price.key] = of.get(line.price.key, 0.0) + line.usd
    assert of["websocket_minute"] == pytest.approx(page["socket_min"] * 0.25)
    assert of["websocket_message"] == pytest.approx(page["sockets"] + page["socket_min"] / 4.5)
    assert of["dynamodb_write"] == pytest.approx(page["sockets"] * kept["pushes"]["connect"]["write_units"] * 0.625)
    # Nobody is connected for longer than it waits.
    short = [line for line in slow.sale(MILLION, 2, 0).lines if line.price.key == "websocket_minute"]
    assert short[0].quantity == 2 * MILLION


def test_a_million_who_wait_ten_minutes_cost_no_more_than_the_design_allows(costs: Costs) -> None:
    """At list price, with metrics and archive, for the fastest line."""
    assert costs.waiting().usd <= 30


def test_metrics_are_charged_for_the_hours_in_which_they_are_told(costs: Costs) -> None:
    def told(visitors: int) -> float:
        return sum(line.quantity for line in costs.sale(visitors, 10, 0).lines if line.price.key == "custom_metric")

    measures = len(schemas.load("metrics")["measures"])
    assert told(400 * 60) == pytest.approx(measures / 730)
    assert told(400 * 3600) == pytest.approx(measures * 2 / 730)


@pytest.mark.parametrize(
    ("records_per_sec", "window_sec", "size", "records"),
    [(1600, 5, 500, 500), (400, 5, 500, 125), (400, 5, 100, 100), (400, 0, 500, 6.25), (1, 0, 500, 1)],
)
def test_a_batch_has_what_one_of_sixteen_readers_finds_in_its_window(
    records_per_sec: float, window_sec: int, size: int, records: float
) -> None:
    trigger = {"parallelization": 4, "batching_window_sec": window_sec, "batch_size": size}
    assert records_a_batch(trigger, records_per_sec) == records


def test_files_are_written_as_often_as_terraform_says() -> None:
    module = (ROOT / "terraform" / "modules" / "archive" / "delivery.tf").read_text(encoding="utf-8")
    said = {name: int(re.search(rf"buffering_{name}\s*= (\d+)", module)[1]) for name in ("size", "interval")}  # type: ignore[index]
    assert (said["size"] * 2**20, said["interval"]) == (DELIVERY_BYTES, DELIVERY_SEC)


def test_every_price_says_how_sure_it_is_and_every_one_that_is_not_is_marked(
    costs: Costs, prices: dict[str, Any]
) -> None:
    assert {price.confidence for price in costs.prices.values()} <= prices["confidence"].keys()
    alarms = next(name for name, _ in rows_of(costs.idle_month()) if name.startswith("alarms"))
    assert alarms.endswith(MARK)
    assert costs.prices["alarm"].confidence == "M"
    assert not next(name for name, _ in rows_of(costs.waiting()) if name.startswith("joining")).endswith(MARK)
    shown = text(costs, prices)
    assert prices["as_of"] in shown
    assert f"{costs.waiting().doubtful_usd:.2f} of the {costs.waiting().usd:.2f} USD" in shown


def test_no_price_lies_about_unused(costs: Costs) -> None:
    bills = (costs.idle_month(), costs.waiting(), costs.admitted(), costs.phones())
    assert {line.price.key for bill in bills for line in bill.lines} == costs.prices.keys()


def test_markdown_is_tables_and_their_notes(costs: Costs, prices: dict[str, Any]) -> None:
    shown = markdown(costs, prices)
    tables = [line for line in shown.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert "| write units, joined, admitted, completed | 6 | 7 |" in tables
    assert [row[0] for row in compared(costs.counts, 400)] == list(PEER_COUNTS)
    assert f"| together | {costs.idle_month().usd:.2f} |" in tables


def test_the_command_takes_every_assumption(capsys: pytest.CaptureFixture[str]) -> None:
    assert cost.main(["--json", "--own-ms", "0", "--guarded-requests-per-session", "5"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["assumed"]["guarded_requests_per_session"] == 5
    assert document["idle_month"]["usd"] < Costs.read().idle_month().usd
    for arguments in ([], ["--markdown"], ["--speed-per-sec", "10"]):
        assert cost.main(arguments) == 0
    assert "Assumed" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cost.main(["--speed-per-sec", "11"])
    assert "choose from 400, 10" in capsys.readouterr().err


def test_wr_shows_the_same_table_without_a_deployment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FOYER_API_URL", raising=False)
    assert cost.main(["--markdown"]) == 0
    table = capsys.readouterr().out
    assert cli.main(["cost", "--markdown"]) == 0
    assert capsys.readouterr().out == table


def test_the_bill_of_a_sale_is_the_two_of_a_million_for_a_million(costs: Costs) -> None:
    sale = costs.sale(MILLION, 10, MILLION)
    alike = [name for name in sale.parts if name != "looking at the line"]
    apart = (costs.waiting().parts, costs.admitted().parts)
    for name in alike:
        assert sale.parts[name] == pytest.approx(sum(parts.get(name, 0.0) for parts in apart)), name
    assert sale.parts["looking at the line"] == pytest.approx(costs.waiting().parts["looking at the line"], rel=0.02)
    tenth = costs.sale(MILLION // 10, 10, 0)
    assert tenth.parts["joining"] == pytest.approx(costs.waiting().parts["joining"] / 10)
    assert "claiming a session" in sale.parts
    assert sum(line.usd for line in tenth.lines if line.part == "claiming a session") == 0


@pytest.mark.parametrize(("wait_min", "polls"), [(0, 1.0), (1, 4.0), (2, 6.0), (3, 8.0), (4, 8.5), (10, 11.5)])
def test_looks_lie_on_straight_lines_between_and_beyond_the_measured(
    kept: dict[str, Any], prices: dict[str, Any], wait_min: float, polls: float
) -> None:
    measured = {"400": {"1": 4.0, "3": 8.0, "5": 9.0}}
    drawn = Costs({**kept, "polls_by_wait_min": measured}, prices)
    assert drawn.polls(wait_min) == pytest.approx(max(1.0, polls) if wait_min else 2.0)


def test_the_command_answers_for_one_sale(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cost", "--visitors", "1e6", "--wait", "10"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("1,000,000 visitors who wait 10 minutes, 1,000,000 of them admitted")
    assert f"{Costs.read().sale(MILLION, 10, MILLION).usd:.2f}" in shown
    assert cli.main(["cost", "--visitors", "250000", "--wait", "20.5", "--admitted", "8e3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["asked"] == {"visitors": 250_000, "wait_min": 20.5, "admitted": 8_000}
    assert document["sale"]["usd"] == pytest.approx(Costs.read().sale(250_000, 20.5, 8_000).usd)


@pytest.mark.parametrize(
    "wrong", ["--visitors=many", "--visitors=1.5", "--visitors=-1", "--admitted=2e9", "--wait=nan"]
)
def test_a_sale_that_cannot_be_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        cli.main(["cost", wrong])
    assert ending.value.code == 2
    assert "give " in capsys.readouterr().err
