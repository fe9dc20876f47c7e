"""`wr metrics`: the questions mean what they say, pages are followed, and a refusal says what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from scripts.operator_api.errors import BadInput, OperatorError, Refused, Unreachable
from scripts.operator_cli import cli, metrics_commands
from scripts.operator_cli.timestream import MOST_PAGES, PAGE_ROWS, Timestream, questions, text_of, timestream_client
from tests.support.offline import offline
from waiting_room import schemas
from waiting_room.adapters.metrics import record_of
from waiting_room.ports import MetricPoint

MINUTE_MS = 1_780_315_200_000
COLUMNS = [
    {"Name": "time", "Type": {"ScalarType": "TIMESTAMP"}},
    {"Name": "lane", "Type": {"ScalarType": "VARCHAR"}},
    {"Name": "wait_median_sec", "Type": {"ScalarType": "DOUBLE"}},
    {"Name": "places", "Type": {"ScalarType": "BIGINT"}},
]


def lane(name: str, minute: int, run: int = 2, **values: float) -> MetricPoint:
    counted = dict.fromkeys(("admitted", "completed", "left", "gave_up", "revoked"), 0) | values
    return MetricPoint("gala", run, name, MINUTE_MS + minute * 60_000, minute + 1, counted)


def zone(minute: int, run: int = 2, zone_id: str = "gala", **values: float) -> MetricPoint:
    known = {"queue_length": 0, "in_zone": 0, "show_up_share": 1.0, "sold": 0, "gone": 0} | values
    return MetricPoint(zone_id, run, None, MINUTE_MS + minute * 60_000, minute + 1, known)


POINTS = [
    zone(-90, run=1, queue_length=4, sold=9),
    zone(0, queue_length=40, in_zone=5, gone=0),
    zone(1, queue_length=70, in_zone=8, sold=3, gone=2, wait_before_gone_sec=31.5),
    zone(2, queue_length=12, in_zone=6, sold=8, gone=3, wait_before_gone_sec=40.0),
    zone(1, zone_id="other", queue_length=999),
    lane("general", 0, admitted=5, wait_median_sec=20.0, wait_p95_sec=40.0),
    lane("general", 1, admitted=4, completed=3, left=1),
    lane("vip", 1, admitted=2, completed=1, gave_up=1, wait_median_sec=6.0, wait_p95_sec=9.0),
    lane("vip", -90, run=1, admitted=100),
]


@pytest.fixture
def ask() -> Iterator[Any]:
    """Asks an engine with the functions of Timestream, over points as Timestream is sent them."""
    duckdb = pytest.importorskip("duckdb")
    measures = schemas.load("metrics")["measures"]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE MACRO from_milliseconds(ms) AS epoch_ms(ms)")
        dimensions = ", ".join(f"{name} VARCHAR" for name in (*schemas.load("metrics")["dimensions"], "measure_name"))
        columns = ", ".join(f'"{name}" DOUBLE' for name in measures)
        connection.execute("CREATE SCHEMA foyer")
        connection.execute(f"CREATE TABLE foyer.visits ({dimensions}, time TIMESTAMP, {columns})")
        for record in map(record_of, POINTS):
            row = {each["Name"]: each["Value"] for each in record["Dimensions"] + record["MeasureValues"]}
            row["measure_name"] = record["MeasureName"]
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"INSERT INTO foyer.visits ({names}, time) VALUES ({marks}, epoch_ms({record['Time']}))",
                list(row.values()),
            )

        def answer(question: str, run: int | None = 2, since_ms: int = 0) -> list[tuple[Any, ...]]:
            rows = connection.execute(text_of(question, "foyer", "gala", run, since_ms)).fetchall()
            # Minutes since the first, in place of moments.
            begin = connection.execute(f"SELECT epoch_ms({MINUTE_MS})").fetchone()[0]
            return [
                tuple((v - begin).total_seconds() / 60 if type(v) is type(begin) else v for v in row) for row in rows
            ]

        yield answer


def test_each_question_is_answered_for_its_zone_and_run_alone(ask: Any) -> None:
    assert ask("runs", None) == [("1", -90, -90, 4, 0, 9), ("2", 0, 2, 70, 8, 8)]
    assert ask("line") == [(0, 40, 5, 1, 0), (1, 70, 8, 1, 3), (2, 12, 6, 1, 8)]
    assert ask("totals") == [("general", 9, 3, 1, 0, 0), ("vip", 2, 1, 0, 1, 0)]
    assert ask("admissions") == [(0, "general", 5, 0, 0, 0), (1, "general", 4, 3, 1, 0), (1, "vip", 2, 1, 0, 1)]
    assert ask("waits") == [(0, "general", 20, 40), (1, "vip", 6, 9)]
    assert ask("drop_off") == [(1, 2, 31.5), (2, 3, 40)]
    assert ask("line", since_ms=MINUTE_MS + 60_000) == ask("line")[1:]
    assert {"runs", "line", "totals", "admissions", "waits", "drop_off"} == questions().keys()


def test_questions_know_the_columns_of_the_table_and_no_others() -> None:
    document = schemas.load("metrics")
    for name in questions():
        text = text_of(name, "foyer", "gala", 1, 0)
        assert '"foyer"."visits"' in text
        assert "$" not in text
        assert sum(measure in text for measure in document["measures"]) > 1


@pytest.mark.parametrize(
    ("question", "database", "zone_id", "run"),
    [
        ("nothing", "foyer", "gala", 1),
        ("line", "foyer", "gala' OR ''='", 1),
        ("line", 'foyer"."secrets" --', "gala", 1),
        ("line", "foyer", "gala", None),
    ],
)
def test_what_would_be_another_question_is_not_asked(
    question: str, database: str, zone_id: str, run: int | None
) -> None:
    with pytest.raises(BadInput):
        text_of(question, database, zone_id, run, 0)


@pytest.fixture
def client() -> Iterator[Any]:
    with offline("timestream-query") as made:
        yield made


def page(*rows: list[Any], more: str = "") -> dict[str, Any]:
    data = [
        {"Data": [{"NullValue": True} if value is None else {"ScalarValue": value} for value in row]} for row in rows
    ]
    answer = {"QueryId": "query-1", "ColumnInfo": COLUMNS, "Rows": data}
    return answer | ({"NextToken": more} if more else {})


def test_pages_are_followed_also_past_an_empty_one(client: Any) -> None:
    text = text_of("waits", "foyer", "gala", 2, 5)
    asked = {"QueryString": text, "MaxRows": PAGE_ROWS}
    first = ["2026-06-01 12:00:00.000000000", "vip", "6.5", "3"]
    with Stubber(client) as stub:
        stub.add_response("query", page(more="a"), asked)
        stub.add_response("query", page(first, more="b"), {**asked, "NextToken": "a"})
        stub.add_response("query", page(["2026-06-01 12:01:00", "general", None, "4"]), {**asked, "NextToken": "b"})
        rows = Timestream(client, "foyer").ask("waits", "gala", 2, 5)
        stub.assert_no_pending_responses()
    assert rows == [
        {"time": "2026-06-01T12:00:00Z", "lane": "vip", "wait_median_sec": 6.5, "places": 3},
        {"time": "2026-06-01T12:01:00Z", "lane": "general", "wait_median_sec": None, "places": 4},
    ]


def test_an_answer_without_end_is_cancelled(client: Any) -> None:
    with Stubber(client) as stub:
        for number in range(MOST_PAGES):
            stub.add_response("query", page(more=f"after {number}"))
        stub.add_response("cancel_query", {"CancellationMessage": "done"}, {"QueryId": "query-1"})
        with pytest.raises(OperatorError, match="fewer --days"):
            Timestream(client, "foyer").ask("runs", "gala", None, 0)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "kind", "says"),
    [
        ("ThrottlingException", 400, OperatorError, "too busy .* ask again in a minute"),
        ("InternalServerException", 500, OperatorError, "too busy"),
        ("ValidationException", 400, Refused, "Is there a table foyer.visits in this Region"),
        ("AccessDeniedException", 400, Refused, "timestream:Select on the table foyer.visits"),
        ("QueryExecutionException", 400, OperatorError, "fewer --days"),
        ("ConflictException", 409, Refused, "refused \\(ConflictException\\)"),
    ],
)
def test_a_refusal_says_what_to_do(client: Any, code: str, status: int, kind: type[OperatorError], says: str) -> None:
    with Stubber(client) as stub:
        stub.add_response("query", page(more="a"))
        stub.add_client_error("query", code, "It does not work.", http_status_code=status)
        with pytest.raises(OperatorError, match=says) as caught:
            Timestream(client, "foyer").ask("line", "gala", 1, 0)
    assert type(caught.value) is kind


def test_a_timestream_that_cannot_be_reached_is_told_apart() -> None:
    class Away:
        def query(self, **_: Any) -> Any:
            raise EndpointConnectionError(endpoint_url="https://query.timestream.eu-west-1.amazonaws.com")

    with pytest.raises(Unreachable, match="cannot be asked"):
        Timestream(Away(), "foyer").ask("line", "gala", 1, 0)


def test_the_client_repeats_what_was_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    made = timestream_client("eu-west-1", None)
    assert made.meta.config.retries["mode"] == "standard"
    assert made.meta.config.retries["total_max_attempts"] > 1
    made.close()
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(BadInput, match="--region"):
        timestream_client(None, None)


def test_the_command_prints_a_table_or_json(
    client: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics_commands, "timestream_client", lambda *_: client)
    row = ["2026-06-01 12:00:00.000000000", "vip", "6.5", "3"]
    with Stubber(client) as stub:
        for given in ([row], [row], []):
            stub.add_response("query", page(*given))
        assert cli.main(["metrics", "gala", "waits", "--run", "2"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "time                  lane  wait_median_sec  places",
            "2026-06-01T12:00:00Z  vip               6.5       3",
        ]
        assert cli.main(["metrics", "gala", "waits", "--run", "2", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["lane"] == "vip"
        assert cli.main(["metrics", "gala", "runs", "--days", "3"]) == 0
        assert capsys.readouterr().out == "Nothing is known of gala in the last 3 days.\n"
        assert cli.main(["metrics", "gala", "line"]) == 2
        assert "wr: Say which run: --run N. `wr metrics gala runs` lists them." in capsys.readouterr().err
        stub.add_client_error("query", "ThrottlingException", "Slow down.")
        assert cli.main(["metrics", "gala", "runs"]) == 1
        assert capsys.readouterr().err.startswith("wr: Timestream is too busy (ThrottlingException).")
