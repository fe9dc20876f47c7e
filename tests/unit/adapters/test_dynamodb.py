"""What becomes of a call to DynamoDB: plain values there and back, and one name for every outcome."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError, SSLError

from tests.memory_dynamo import MemoryDynamo
from waiting_room import schemas
from waiting_room.adapters.dynamodb import (
    CONFLICT_PAUSE_SEC,
    CONFLICT_TRIES,
    Clients,
    Table,
    decode,
    encode,
    reading,
    writing,
)
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded


def refusal(code: str, status: int = 400, **more: Any) -> ClientError:
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, "UpdateItem")  # type: ignore[arg-type]


def raising(*errors: Exception) -> mock.Mock:
    return mock.Mock(side_effect=[*errors, {}])


@pytest.fixture
def large() -> Table:
    """A table with forty-five items of 400 KB, each in two places: by partition and in one partition."""
    store = MemoryDynamo([schemas.table("counters")])
    table = Table(Clients(store, store), "counters", "counters")
    for number in range(45):
        for key in ((f"apart#{number}", 0), ("together", number)):
            store.put_item(TableName="counters", Item=table.key(*key) | encode({"text": "x" * 400_000}))
    return table


def test_items_that_do_not_fit_into_one_answer_are_read_all_the_same(large: Table) -> None:
    """A batch answers 16 MB at the most, a page 1 MB."""
    found, complete = large.batch([(f"apart#{number}", 0) for number in range(45)])
    assert (len(found), complete) == (45, True)
    assert [item["slot"] for item in large.query("together")] == list(range(45))
    assert [item["slot"] for item in large.query("together", between=(10, 20))] == list(range(10, 21))
    assert len(large.scan("#slot >= :none", {"#slot": "slot"}, {":none": 0})) == 90


@pytest.mark.parametrize("newest", [1, 3, 4, 44, 45, 1_000])
def test_the_newest_are_as_many_as_asked_for_however_large(large: Table, newest: int) -> None:
    found = [item["slot"] for item in large.query("together", newest=newest)]
    assert found == list(range(44, 44 - min(newest, 45), -1))


def test_values_survive_the_table() -> None:
    values = {
        "text": "",
        "whole": 12,
        "part": 0.123457,
        "yes": True,
        "list": [1, {"x": "y"}],
        "map": {"n": -3},
        "raw": b"\x00",
    }
    assert decode(encode({**values, "absent": None})) == values
    assert encode({"n": 2.0}) == {"n": {"N": "2"}}
    with pytest.raises(TypeError):
        encode({"object": object()})


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (refusal("ConditionalCheckFailedException"), Answer.NO),
        (refusal("TransactionCanceledException", CancellationReasons=[{"Code": "ConditionalCheckFailed"}]), Answer.NO),
        (ReadTimeoutError(endpoint_url="x"), Answer.UNSURE),
        (refusal("InternalServerError", 500), Answer.UNSURE),
        (refusal("TransactionInProgressException"), Answer.UNSURE),
        (SSLError(endpoint_url="x", error=OSError("EOF occurred in violation of protocol")), Answer.UNSURE),
    ],
)
def test_outcomes_of_a_write(error: Exception, answer: Answer) -> None:
    assert writing(raising(error)) is answer


@pytest.mark.parametrize(
    "error",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}]),
        ConnectTimeoutError(endpoint_url="x"),
        EndpointConnectionError(endpoint_url="x"),
    ],
)
def test_what_was_surely_not_applied_may_be_tried_again(error: Exception) -> None:
    with pytest.raises(Overloaded):
        writing(raising(error))


def test_a_conflict_with_a_transaction_is_tried_again_but_not_for_ever() -> None:
    conflict = refusal("TransactionConflictException")
    canceled = refusal("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
    with mock.patch("time.sleep") as sleep:
        assert writing(raising(conflict, canceled)) is Answer.YES
        sleep.reset_mock()
        refused = raising(*[conflict] * CONFLICT_TRIES)
        with pytest.raises(Overloaded):
            writing(refused)
    assert refused.call_count == CONFLICT_TRIES
    pauses = [call.args[0] for call in sleep.call_args_list]
    assert len(pauses) == CONFLICT_TRIES - 1, "no pause before giving up"
    assert all(0.5 <= pause / (CONFLICT_PAUSE_SEC * 2**number) <= 1.5 for number, pause in enumerate(pauses))


def test_an_unknown_refusal_is_a_fault_of_ours() -> None:
    for call in (reading, writing):
        with pytest.raises(ClientError):
            call(raising(refusal("ValidationException")))


@pytest.mark.parametrize(
    "error", [refusal("ThrottlingException"), refusal("Boom", 503), ReadTimeoutError(endpoint_url="x")]
)
def test_a_read_that_fails_can_be_repeated(error: Exception) -> None:
    with pytest.raises(Overloaded):
        reading(raising(error))
