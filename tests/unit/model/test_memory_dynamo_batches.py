"""Batches, transactions, consumed units and the call hook of the in-memory DynamoDB."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.memory_dynamo import MemoryDynamo
from tests.support.dynamo_calls import TABLE

_ADD = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}


def _key(number: int) -> dict[str, Any]:
    return {"pk": {"S": "k"}, "sk": {"N": str(number)}}


def _add(number: int) -> dict[str, Any]:
    return {"Update": {"TableName": "things", "Key": _key(number), **_ADD}}


def _count(memory: MemoryDynamo, number: int) -> int:
    item = memory.get_item(TableName="things", Key=_key(number)).get("Item", {})
    return int(item.get("n", {"N": "0"})["N"])


def _code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


@pytest.fixture
def memory() -> MemoryDynamo:
    return MemoryDynamo([TABLE])


def test_a_cancelled_transaction_changes_nothing_and_says_why(memory: MemoryDynamo) -> None:
    memory.put_item(TableName="things", Item={**_key(2), "n": {"S": "text"}})
    check = {"TableName": "things", "Key": _key(3), "ConditionExpression": "attribute_exists(pk)"}
    with pytest.raises(ClientError) as caught:
        memory.transact_write_items(TransactItems=[_add(1), _add(2), {"ConditionCheck": check}])
    assert _code(caught) == "TransactionCanceledException"
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "ValidationError", "ConditionalCheckFailed"]
    assert _count(memory, 1) == 0


def test_a_repeated_token_is_done_once_and_may_not_change_its_mind(memory: MemoryDynamo) -> None:
    for _ in range(3):
        memory.transact_write_items(TransactItems=[_add(1)], ClientRequestToken="token")
    assert _count(memory, 1) == 1
    with pytest.raises(ClientError) as caught:
        memory.transact_write_items(TransactItems=[_add(2)], ClientRequestToken="token")
    assert _code(caught) == "IdempotentParameterMismatchException"


def test_a_token_has_at_most_36_characters(memory: MemoryDynamo) -> None:
    with pytest.raises(ClientError) as caught:
        memory.transact_write_items(TransactItems=[_add(1)], ClientRequestToken="x" * 37)
    assert _code(caught) == "ValidationException"


def test_a_cancelled_transaction_may_be_tried_again_with_its_token(memory: MemoryDynamo) -> None:
    guarded = {"Update": {**_add(1)["Update"], "ConditionExpression": "attribute_exists(pk)"}}
    with pytest.raises(ClientError):
        memory.transact_write_items(TransactItems=[guarded], ClientRequestToken="token")
    memory.put_item(TableName="things", Item=_key(1))
    memory.transact_write_items(TransactItems=[guarded], ClientRequestToken="token")
    assert _count(memory, 1) == 1


@pytest.mark.parametrize(
    "actions", [[_add(1), _add(1)], [_add(number) for number in range(101)], [{**_add(1), "Put": {}}]]
)
def test_refused_transactions(memory: MemoryDynamo, actions: list[Any]) -> None:
    with pytest.raises(ClientError) as caught:
        memory.transact_write_items(TransactItems=actions)
    assert _code(caught) == "ValidationException"


def test_batch_get_hands_back_what_it_did_not_serve(memory: MemoryDynamo) -> None:
    for number in range(5):
        memory.put_item(TableName="things", Item=_key(number))
    memory.batch_limit = 2
    asked: dict[str, Any] = {"things": {"Keys": [_key(number) for number in range(6)], "ConsistentRead": True}}
    served: list[int] = []
    while asked:
        answer = memory.batch_get_item(RequestItems=asked)
        served += [int(item["sk"]["N"]) for item in answer["Responses"]["things"]]
        asked = answer["UnprocessedKeys"]
    assert sorted(served) == [0, 1, 2, 3, 4]


def test_batch_write_hands_back_what_it_did_not_serve(memory: MemoryDynamo) -> None:
    memory.batch_limit = 2
    asked: dict[str, Any] = {"things": [{"PutRequest": {"Item": _key(number)}} for number in range(5)]}
    calls = 0
    while asked:
        asked = memory.batch_write_item(RequestItems=asked)["UnprocessedItems"]
        calls += 1
    assert calls == 3
    assert memory.scan(TableName="things", Select="COUNT")["Count"] == 5


def test_batches_refuse_duplicates_and_too_many(memory: MemoryDynamo) -> None:
    put = {"PutRequest": {"Item": _key(1)}}
    for writes in ([put, put], [{"PutRequest": {"Item": _key(number)}} for number in range(26)]):
        with pytest.raises(ClientError) as caught:
            memory.batch_write_item(RequestItems={"things": writes})
        assert _code(caught) == "ValidationException"
    for keys in ([_key(1), _key(1)], [_key(number) for number in range(101)]):
        with pytest.raises(ClientError) as caught:
            memory.batch_get_item(RequestItems={"things": {"Keys": keys}})
        assert _code(caught) == "ValidationException"


def test_write_units_count_the_larger_of_before_and_after(memory: MemoryDynamo) -> None:
    consumed = []
    for text in ("x", "x" * 3000, "x"):
        before = memory.units.write
        memory.put_item(TableName="things", Item={**_key(1), "s": {"S": text}})
        consumed.append(memory.units.write - before)
    assert consumed == [1, 3, 3]


def test_a_refused_condition_and_a_transaction_are_billed(memory: MemoryDynamo) -> None:
    with pytest.raises(ClientError):
        memory.delete_item(TableName="things", Key=_key(1), ConditionExpression="attribute_exists(pk)")
    assert memory.units.write == 1
    memory.transact_write_items(TransactItems=[_add(1), _add(2)])
    assert memory.units.write == 5
    assert memory.units.writes_by["TransactWriteItems", "things"] == 4


def test_read_units_halve_when_eventually_consistent(memory: MemoryDynamo) -> None:
    memory.put_item(TableName="things", Item={**_key(1), "s": {"S": "x" * 5000}})
    memory.get_item(TableName="things", Key=_key(1), ConsistentRead=True)
    memory.get_item(TableName="things", Key=_key(1))
    memory.get_item(TableName="things", Key=_key(9))
    assert memory.units.read == 2 + 1 + 0.5


def test_the_hook_sees_both_sides_and_may_lose_the_answer(memory: MemoryDynamo) -> None:
    seen: list[tuple[str, str]] = []

    def lose_answers(method: str, request: dict[str, Any], phase: str) -> None:
        seen.append((method, phase))
        if phase == "after":
            raise ConnectionError("answer lost")

    memory.on_call = lose_answers
    with pytest.raises(ConnectionError):
        memory.update_item(TableName="things", Key=_key(1), **_ADD)
    with pytest.raises(ConnectionError):
        memory.delete_item(TableName="things", Key=_key(1), ConditionExpression="attribute_not_exists(pk)")
    memory.on_call = None
    assert seen == [(name, phase) for name in ("update_item", "delete_item") for phase in ("before", "after")]
    assert _count(memory, 1) == 1


def test_the_hook_may_stop_a_call_before_it_happens(memory: MemoryDynamo) -> None:
    def crash(method: str, request: dict[str, Any], phase: str) -> None:
        raise KeyboardInterrupt

    memory.on_call = crash
    with pytest.raises(KeyboardInterrupt):
        memory.put_item(TableName="things", Item=_key(1))
    memory.on_call = None
    assert memory.scan(TableName="things")["Items"] == []


def test_conditional_adds_from_many_threads_stop_at_the_cap(memory: MemoryDynamo) -> None:
    def claim(_: int) -> bool:
        try:
            memory.update_item(
                TableName="things",
                Key=_key(1),
                UpdateExpression="ADD n :one",
                ConditionExpression="attribute_not_exists(n) OR n < :cap",
                ExpressionAttributeValues={":one": {"N": "1"}, ":cap": {"N": "500"}},
            )
        except ClientError:
            return False
        return True

    usual = sys.getswitchinterval()
    # Python's usual 5 ms would hide a missing lock: each thread would be done before the next one starts.
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(16) as pool:
            won = sum(pool.map(claim, range(2000)))
    finally:
        sys.setswitchinterval(usual)
    assert won == _count(memory, 1) == 500
