"""The recorder: what a batch of the queue's stream becomes, however often and in whatever order it is delivered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.memory_dynamo import MemoryDynamo
from tests.support.fakes import FakeClock
from tests.support.memory_aws import MemoryFirehose, MemoryQueue, refusal
from tests.support.sale import Sale
from waiting_room import schemas
from waiting_room.adapters.archive import MOST_RECORDS, FirehoseArchive
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.failures import SqsFailures
from waiting_room.adapters.tallies import Tallies
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.record.visits import bin_of, bin_sec, by_lane, percentile
from waiting_room.ports import MetricPoint
from waiting_room.streams import QueueStream, change_in
from waiting_room.use_cases.record import REST_MS, Record

ARCHIVE = schemas.load("archive")


@dataclass
class FakeMetrics:
    """Keeps of each minute the point with the highest version, as a backend does."""

    points: dict[tuple[Any, ...], MetricPoint] = field(default_factory=dict)
    calls: int = 0
    down: bool = False

    def put(self, points: Sequence[MetricPoint]) -> None:
        self.calls += 1
        if self.down:
            raise Overloaded
        for point in points:
            key = (point.zone_id, point.run, point.lane, point.minute_at_ms)
            if key not in self.points or self.points[key].version < point.version:
                self.points[key] = point


class Recorder:
    """A recorder over fresh tables, with an archive, a queue of failures and a backend to look into."""

    def __init__(self, store: Any = None) -> None:
        self.store = store or MemoryDynamo([schemas.table("counters")])
        self.archive, self.failures, self.metrics = MemoryFirehose(), MemoryQueue(), FakeMetrics()
        self.clock = FakeClock()
        clients = Clients(self.store, self.store)
        self.tallies = Tallies(clients, "counters")
        firehose = FirehoseArchive(self.archive, "archive", lambda _: None)
        record = Record(firehose, self.tallies, self.metrics, self.clock)
        self.stream = QueueStream(record, SqsFailures(self.failures, "https://sqs.test/1/failures"))

    def __call__(self, records: Sequence[Any]) -> list[str]:
        """Deliver a batch; the sequence numbers that have to come again."""
        answer = self.stream({"Records": list(records)})
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def numbers(self) -> dict[str, Any]:
        """Everything that is told of the visits: rows once each, sums, minute rows, points."""
        rows = {row["event_id"]: row for row in self.archive.rows}
        minutes = sorted({row["happened_at_ms"] // 60_000 for row in rows.values()})
        return {
            "rows": rows,
            "sums": {minute: self.tallies.sums("z", 1, minute) for minute in minutes},
            "minutes": self.tallies.minutes("z", 1, minutes[0], minutes[-1]) if minutes else {},
            "points": self.metrics.points,
        }


def small_sale() -> Sale:
    """A sale in which everything happens that can happen to a place."""
    sale = Sale(max_active=4)
    sale.tick()
    for name in ("a", "b", "c", "d"):
        sale.enter(name)
        sale.clock.advance(7)
    for name in ("e", "f", "g"):
        sale.join(name)
    sale.tick(9)
    sale.mark_away("e")
    sale.mark_back("e")
    sale.mark_away("f")
    buyer = sale.claim("a")
    assert not hasattr(buyer, "retry_after_sec")
    sale.confirm(buyer, "order-1", checkout=False)  # type: ignore[arg-type]
    sale.confirm(buyer, "order-1")  # type: ignore[arg-type]
    sale.leave("b")
    sale.leave("g")
    sale.bar("c")
    sale.tick(20)
    sale.renew(sale.claim("d"))  # type: ignore[arg-type]
    sale.claim("e")
    return sale


SALE = small_sale().stream.records
EXPECTED = Recorder()
EXPECTED(SALE)
EXPECTED_NUMBERS = EXPECTED.numbers()


def test_a_sale_has_every_kind_of_change() -> None:
    kinds = Counter(row["change"] for row in EXPECTED.archive.rows)
    assert kinds == {
        **{"joined": 7, "admitted": 5, "away": 2, "back": 1, "confirmed": 1, "completed": 1, "left": 2, "revoked": 1},
        **({"renewed": kinds["renewed"]} if kinds["renewed"] else {}),
    }
    assert kinds.keys() <= ARCHIVE["changes"].keys()


def test_sums_are_those_of_the_sale() -> None:
    total: Counter[str] = Counter()
    for sums in EXPECTED_NUMBERS["sums"].values():
        total.update(sums)
    counts = {name: value for name, value in total.items() if "#wait#" not in name and not name.endswith("_sec")}
    assert counts == {
        "general#admitted": 5,
        "general#completed": 1,
        "general#left": 1,
        "general#gave_up": 1,
        "general#revoked": 1,
    }
    assert sum(value for name, value in total.items() if "#wait#" in name) == 5
    told: Counter[str] = Counter()
    for point in EXPECTED.metrics.points.values():
        told.update({name: int(value) for name, value in point.values.items() if not name.startswith("wait")})
    assert {f"general#{name}": value for name, value in told.items()} == counts


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_shuffled_repeated_and_split_batches_give_the_same_numbers(data: st.DataObject) -> None:
    deliveries = list(range(len(SALE))) + data.draw(st.lists(st.integers(0, len(SALE) - 1), max_size=30))
    order = data.draw(st.permutations(deliveries))
    recorder, at = Recorder(), 0
    while at < len(order):
        size = data.draw(st.integers(1, 12))
        assert recorder([SALE[number] for number in order[at : at + size]]) == []
        at += size
    assert recorder.numbers() == EXPECTED_NUMBERS


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_fails_in_between_the_numbers_are_the_same_in_the_end(data: st.DataObject) -> None:
    faults = data.draw(st.lists(st.sampled_from(["none", "lost", "throttled", "archive", "refused"]), max_size=12))
    store = Shaky()
    recorder = Recorder(store)
    batches = [SALE[at : at + 5] for at in range(0, len(SALE), 5)]
    for number, batch in enumerate(batches):
        fault = faults[number] if number < len(faults) else "none"
        store.fault = fault if fault in ("lost", "throttled") else ""
        recorder.archive.down, recorder.archive.refused = fault == "archive", 20 if fault == "refused" else 0
        again = recorder(batch)
        store.fault, recorder.archive.down, recorder.archive.refused = "", False, 0
        numbers = [each["dynamodb"]["SequenceNumber"] for each in batch]
        if again:
            # Lambda goes on from the first that is named.
            assert recorder(batch[min(map(numbers.index, again)) :]) == []
    assert recorder.numbers() == EXPECTED_NUMBERS


class Shaky:
    """A store whose updates can be throttled, or applied with the answer lost."""

    def __init__(self) -> None:
        self._store = MemoryDynamo([schemas.table("counters")])
        self.fault = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def update_item(self, **request: Any) -> Any:
        if self.fault == "throttled":
            raise refusal("ThrottlingException", "UpdateItem")
        answer = self._store.update_item(**request)
        if self.fault == "lost":
            raise refusal("InternalServerError", "UpdateItem", 500)
        return answer


def test_rows_have_the_fields_of_the_schema_and_no_secret() -> None:
    for row in EXPECTED.archive.rows:
        assert row.keys() <= ARCHIVE["fields"].keys()
        for name, value in row.items():
            assert isinstance(value, str if ARCHIVE["fields"][name]["type"] == "string" else int), name
    text = b"".join(EXPECTED.archive.lines).decode()
    assert "order-1" not in text
    for record in SALE:
        for secret in ("sid", "attempt"):
            value = record["dynamodb"]["NewImage"].get(secret, {}).get("S")
            assert not value or value not in text


def test_a_poison_record_is_set_apart_and_the_rest_of_the_batch_is_done() -> None:
    poison: list[dict[str, Any]] = [
        {
            "eventID": "p1",
            "eventName": "MODIFY",
            "dynamodb": {"SequenceNumber": "1", "Keys": {"place": {"S": "nobody"}}},
        },
        {"eventID": "p2", "eventName": "INSERT"},
        {"eventID": "p3", "dynamodb": {**SALE[0]["dynamodb"], "NewImage": {"status": {"S": "asleep"}}}},
        {"eventID": "p4", "dynamodb": {**SALE[0]["dynamodb"], "Keys": {"place": {"N": "1"}}}},
    ]
    recorder = Recorder()
    assert recorder([poison[0], *SALE[:5], *poison[1:], *SALE[5:]]) == []
    assert recorder.numbers() == EXPECTED_NUMBERS
    assert [each["event_id"] for each in recorder.failures.messages] == ["p1", "p2", "p3", "p4"]
    # Who it was about stays out of the queue, which people read.
    assert all(each.keys() == {"component", "event_id", "sequence", "why"} for each in recorder.failures.messages)


def test_a_poison_record_comes_again_while_it_cannot_be_set_apart() -> None:
    recorder = Recorder()
    recorder.failures.down = True
    poison = {"eventID": "p", "dynamodb": {"SequenceNumber": "77", "Keys": {"place": {"S": "nobody"}}}}
    assert recorder([SALE[0], poison]) == ["77"]
    recorder.failures.down = False
    assert recorder([poison]) == []
    assert len(recorder.failures.messages) == 1


def test_a_removed_item_is_no_change() -> None:
    recorder = Recorder()
    removed = {**SALE[0], "eventName": "REMOVE", "dynamodb": {**SALE[0]["dynamodb"], "OldImage": {}}}
    assert recorder([removed]) == []
    assert recorder.archive.lines == []


def test_a_backend_that_is_down_loses_nothing_and_is_left_alone_for_a_while() -> None:
    recorder = Recorder()
    recorder.metrics.down = True
    for record in SALE[:-3]:
        assert recorder([record]) == []
    assert recorder.metrics.calls == 1
    recorder.metrics.down = False
    recorder.clock.advance(REST_MS / 1000)
    recorder(SALE[-3:])
    recorder(SALE)
    assert recorder.numbers() == EXPECTED_NUMBERS


def test_an_archive_that_is_down_keeps_the_records_coming() -> None:
    recorder = Recorder()
    recorder.archive.down = True
    assert recorder(SALE) == [record["dynamodb"]["SequenceNumber"] for record in SALE]
    recorder.archive.down = False
    assert recorder(SALE) == []
    assert recorder.numbers() == EXPECTED_NUMBERS


def test_only_what_was_refused_is_sent_again() -> None:
    firehose = MemoryFirehose(refused=3)
    archive = FirehoseArchive(firehose, "archive", lambda _: None)
    assert archive.put([{"n": number} for number in range(MOST_RECORDS + 10)]) == set()
    assert sorted(row["n"] for row in firehose.rows) == list(range(MOST_RECORDS + 10))
    assert firehose.batches == [500, 3, 10]
    stubborn = MemoryFirehose(refused=6)
    assert FirehoseArchive(stubborn, "archive", lambda _: None).put([{"n": 0}, {"n": 1}]) == {0, 1}


def test_a_batch_is_never_too_large() -> None:
    firehose = MemoryFirehose()
    rows = [{"text": "x" * 900_000} for _ in range(9)]
    assert FirehoseArchive(firehose, "archive", lambda _: None).put(rows) == set()
    assert firehose.batches == [4, 4, 1]


def test_more_changes_than_one_write_takes_count_once_each() -> None:
    recorder = Recorder()
    added = {str(number): {"general#admitted": 1} for number in range(250)}
    recorder.tallies.add("z", 1, 120, added)
    recorder.tallies.add("z", 1, 120, dict(list(added.items())[100:]) | {"new": {"vip#left": 1}})
    assert recorder.tallies.sums("z", 1, 2) == {"general#admitted": 250, "vip#left": 1}


def test_a_percentile_is_right_to_ten_per_cent() -> None:
    for sec in (0.2, 1, 1.9, 7, 61, 599, 3600, 80_000):
        assert bin_sec(bin_of(sec)) == pytest.approx(sec, rel=0.1, abs=0.5)
    waits = Counter(bin_of(sec) for sec in range(1, 1001))
    assert percentile(waits, 0.5) == pytest.approx(500, rel=0.1)
    assert percentile(waits, 0.95) == pytest.approx(950, rel=0.1)
    assert by_lane({"vip#left": 2}) == {"vip": {"admitted": 0, "completed": 0, "left": 2, "revoked": 0, "gave_up": 0}}


def test_measures_have_the_names_of_the_schema() -> None:
    measures = schemas.load("metrics")["measures"]
    for point in EXPECTED.metrics.points.values():
        assert {measures[name]["of"] for name in point.values} == {"lane"}
    lanes = {name for point in EXPECTED.metrics.points.values() for name in point.values}
    assert lanes == {name for name, measure in measures.items() if measure["of"] == "lane"}


def test_a_change_is_the_same_after_its_way_through_json() -> None:
    for record in SALE:
        assert change_in(json.loads(json.dumps(record))) == change_in(record)
