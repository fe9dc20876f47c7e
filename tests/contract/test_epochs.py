"""Epochs on every engine: written once each, found by number and by mark; and counters read in batches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.contract.engines import Dynamo
from tests.contract.runs import LANE, RUN, ZONE_ID
from waiting_room.adapters.counters import COUNTERS_PER_COPY, EPOCH_BLOCK, Joins
from waiting_room.adapters.dynamodb import BATCH, BATCH_TRIES, Clients
from waiting_room.domain.answers import Answer
from waiting_room.domain.line.epochs import Epoch, before_all

LINE = (ZONE_ID, RUN, LANE)
FIRST = Epoch(1, 0, (3, 0))
SECOND = Epoch(2, 3, (3, 4), close=True, early=7)


def _joins(dynamo: Dynamo) -> Joins:
    return Joins(dynamo.clients, dynamo.table("joins"))


def test_an_epoch_reads_as_it_was_written(dynamo: Dynamo) -> None:
    joins = _joins(dynamo)
    assert joins.latest_epoch(*LINE) is None
    assert joins.seal(*LINE, before_all(2), FIRST) is Answer.YES
    assert joins.seal(*LINE, FIRST, SECOND) is Answer.YES
    assert joins.latest_epoch(*LINE) == SECOND
    assert joins.epochs(*LINE, 0, 9) == [FIRST, SECOND]
    assert joins.epochs(*LINE, 2, 2) == [SECOND]
    assert joins.epochs(ZONE_ID, RUN, "vip", 0, 9) == []


def test_an_epoch_is_written_once(dynamo: Dynamo) -> None:
    joins = _joins(dynamo)
    assert joins.seal(*LINE, before_all(2), FIRST) is Answer.YES
    assert joins.seal(*LINE, before_all(2), Epoch(1, 0, (3, 1))) is Answer.NO
    assert joins.latest_epoch(*LINE) == FIRST


def test_a_line_of_many_counters_is_read_from_as_many_copies(exact_dynamo: Dynamo) -> None:
    joins, shards = _joins(exact_dynamo), 3 * COUNTERS_PER_COPY
    first = Epoch(1, 0, (1,) * shards)
    assert joins.seal(*LINE, before_all(shards), first) is Answer.YES
    assert joins.seal(*LINE, before_all(shards), Epoch(1, 0, (2,) * shards)) is Answer.NO
    end = Epoch(EPOCH_BLOCK, 9, (9,) * shards)
    after = Epoch(EPOCH_BLOCK + 1, 9, (10,) * shards)
    assert joins.seal(*LINE, end, after) is Answer.YES
    for shard in range(shards):
        assert joins.epochs(*LINE, 1, 2, shard) == [first]
        assert joins.epoch_marks(*LINE, 0, shard) == [end]
    assert joins.latest_epoch(*LINE) == after
    keys = {
        item["counter"]["S"] for item in exact_dynamo.clients.once.scan(TableName=exact_dynamo.table("joins"))["Items"]
    }
    assert len([key for key in keys if key.startswith("epoch#")]) == 3


def test_of_many_who_seal_one_wins(exact_dynamo: Dynamo) -> None:
    joins = _joins(exact_dynamo)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: joins.seal(*LINE, before_all(1), Epoch(1, 0, (n,))), range(1, 33)))
    assert answers.count(Answer.YES) == 1
    assert joins.latest_epoch(*LINE) == Epoch(1, 0, (answers.index(Answer.YES) + 1,))


def test_every_full_block_leaves_a_mark_before_the_next_epoch(dynamo: Dynamo) -> None:
    joins = _joins(dynamo)
    ends = [Epoch(number * EPOCH_BLOCK, number, (number,)) for number in (1, 2, 3)]
    for end in ends:
        joins.seal(*LINE, end, Epoch(end.number + 1, 5, (5,)))
    assert joins.epoch_marks(*LINE, 0) == ends
    assert joins.epoch_marks(*LINE, EPOCH_BLOCK - 1) == ends
    assert joins.epoch_marks(*LINE, EPOCH_BLOCK) == ends[1:]
    assert joins.epoch_marks(*LINE, 3 * EPOCH_BLOCK) == []
    assert joins.latest_epoch(*LINE) == Epoch(3 * EPOCH_BLOCK + 1, 5, (5,)), "a mark is no epoch"


def test_counters_of_all_lanes_and_shards_are_read_at_once(dynamo: Dynamo) -> None:
    joins = _joins(dynamo)
    shards = BATCH
    for lane, shard, count in ((LANE, 0, 2), (LANE, shards - 1, 1), ("vip", 7, 3)):
        for _ in range(count):
            joins.next(ZONE_ID, RUN, lane, shard)
    numbers, complete = joins.taken(ZONE_ID, RUN, (LANE, "vip"), shards)
    assert complete
    assert numbers == {LANE: {0: 2, shards - 1: 1}, "vip": {7: 3}}


class Stingy:
    """A client that serves one key of a batch at a time, or refuses the whole of it now and then."""

    def __init__(self, client: Any, refusals: int = 0) -> None:
        self._client = client
        self.refusals = refusals
        self.asked: list[int] = []

    def batch_get_item(self, **request: Any) -> Any:
        ((table, wanted),) = request["RequestItems"].items()
        self.asked.append(len(wanted["Keys"]))
        if len(self.asked) <= self.refusals:
            code = "ProvisionedThroughputExceededException"
            raise ClientError({"Error": {"Code": code, "Message": code}}, "BatchGetItem")
        few = self._client.batch_get_item(RequestItems={table: {**wanted, "Keys": wanted["Keys"][:1]}})
        left = wanted["Keys"][1:]
        return {**few, "UnprocessedKeys": {table: {**wanted, "Keys": left}} if left else {}}


@pytest.mark.parametrize(
    ("shards", "refusals", "asked", "complete"),
    [
        (3, 0, [3, 2, 1], True),
        (2, 1, [2, 2, 1], True),
        (BATCH_TRIES + 2, 0, [BATCH_TRIES + 2 - each for each in range(BATCH_TRIES)], False),
        (2, BATCH_TRIES, [2] * BATCH_TRIES, False),
    ],
)
def test_what_a_batch_leaves_is_asked_for_again(
    dynamo: Dynamo,
    monkeypatch: pytest.MonkeyPatch,
    shards: int,
    refusals: int,
    asked: list[int],
    complete: bool,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("waiting_room.adapters.dynamodb.time.sleep", pauses.append)
    for shard in range(shards):
        _joins(dynamo).next(ZONE_ID, RUN, LANE, shard)
    stingy = Stingy(dynamo.clients.repeating, refusals)
    numbers, all_read = Joins(Clients(stingy, stingy), dynamo.table("joins")).taken(ZONE_ID, RUN, (LANE,), shards)
    served = max(0, len(asked) - refusals)
    assert (stingy.asked, all_read) == (asked, complete)
    assert numbers == {LANE: dict.fromkeys(list(numbers[LANE]), 1)}
    assert len(numbers[LANE]) == min(shards, served)
    assert pauses == sorted(pauses)
    assert len(pauses) == len(asked) - 1


def test_a_batch_that_is_never_answered_leaves_every_counter_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waiting_room.adapters.dynamodb.time.sleep", lambda _: None)

    class Silent:
        def batch_get_item(self, **_: Any) -> Any:
            raise ReadTimeoutError(endpoint_url="x")

    assert Joins(Clients(Silent(), Silent()), "joins").taken("z", 1, ("general",), 3) == ({"general": {}}, False)
