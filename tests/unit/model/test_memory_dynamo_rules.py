"""What the in-memory DynamoDB refuses, counts and calls back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests.memory_dynamo import MemoryDynamo
from tests.support import dynamo_refusals as cases
from tests.support.dynamo_calls import TABLE

_KEY = cases.KEY
_OTHER = {"pk": {"S": "b"}, "sk": {"N": "1"}}
_HASH_ONLY = {"name": "rows", "partition_key": {"name": "row", "type": "S"}}
_ONE = cases.ONE


@pytest.fixture
def memory() -> MemoryDynamo:
    client = MemoryDynamo([TABLE, _HASH_ONLY])
    client.put_item(TableName="things", Item=cases.ITEM)
    client.units.reset()
    return client


def _refusal(act: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        act(**request)
    return str(caught.value.response["Error"]["Code"])


def _item(memory: MemoryDynamo, key: dict[str, Any] = _KEY) -> dict[str, Any] | None:
    return memory.get_item(TableName="things", Key=key).get("Item")


def _add_one(memory: MemoryDynamo, attribute: str, **more: Any) -> dict[str, Any]:
    return memory.update_item(
        TableName="things",
        Key=_KEY,
        UpdateExpression="ADD #a :one",
        ExpressionAttributeNames={"#a": attribute},
        ExpressionAttributeValues={":one": _ONE},
        **more,
    )


def test_documented_only_refusals(memory: MemoryDynamo) -> None:
    for expression, values in cases.ONLY_DOCUMENTED:
        request = {"TableName": "things", "Key": _KEY, "UpdateExpression": expression}
        assert _refusal(memory.update_item, **request, ExpressionAttributeValues=values) == "ValidationException"


@pytest.mark.parametrize(
    "key",
    [
        {"pk": {"S": ""}, "sk": _ONE},
        {"pk": {"S": "a"}},
        {"pk": {"S": "a"}, "sk": {"S": "1"}},
        {**_KEY, "n": _ONE},
        {"pk": {"S": "x" * 2049}, "sk": _ONE},
    ],
)
def test_bad_keys_are_refused(memory: MemoryDynamo, key: dict[str, Any]) -> None:
    assert _refusal(memory.get_item, TableName="things", Key=key) == "ValidationException"
    assert _refusal(memory.update_item, TableName="things", Key=key) == "ValidationException"
    assert _refusal(memory.delete_item, TableName="things", Key=key) == "ValidationException"


@pytest.mark.parametrize(
    "request_part",
    [
        {"Item": {**_KEY, "n": {"N": 5}}},
        {"Item": {**_KEY, "n": {"S": None}}},
        {"Item": {**_KEY, "n": {"X": "5"}}},
        {"Item": {**_KEY, "n": 5}},
        {"Item": _KEY, "Unheard": 1},
        {},
    ],
)
def test_what_botocore_refuses_is_refused_before_the_call(memory: MemoryDynamo, request_part: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        memory.put_item(TableName="things", **request_part)


def test_unknown_table(memory: MemoryDynamo) -> None:
    assert _refusal(memory.get_item, TableName="nothing", Key=_KEY) == "ResourceNotFoundException"


def test_names_and_values_need_an_expression_that_uses_them(memory: MemoryDynamo) -> None:
    for part in (
        {"ExpressionAttributeNames": {"#n": "n"}},
        {"ExpressionAttributeValues": {":k": _ONE}},
        {"ConditionExpression": "n = :k", "ExpressionAttributeValues": {":k": _ONE, ":j": _ONE}},
        {"ConditionExpression": "attribute_exists(n)", "ExpressionAttributeNames": {"#n": "n"}},
        {"ConditionExpression": "attribute_exists(n)", "ExpressionAttributeValues": {}},
        {"ConditionExpression": "attribute_exists(#n)", "ExpressionAttributeNames": {"n": "n"}},
    ):
        assert _refusal(memory.put_item, TableName="things", Item=cases.ITEM, **part) == "ValidationException"


def test_a_failed_condition_shows_the_item_only_when_asked(memory: MemoryDynamo) -> None:
    request = {"TableName": "things", "Key": _KEY, "ConditionExpression": "attribute_not_exists(pk)"}
    for shown, expected in (("NONE", None), ("ALL_OLD", cases.ITEM)):
        with pytest.raises(ClientError) as caught:
            memory.delete_item(**request, ReturnValuesOnConditionCheckFailure=shown)
        assert caught.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
        assert caught.value.response.get("Item") == expected


def test_returned_values(memory: MemoryDynamo) -> None:
    assert "Attributes" not in _add_one(memory, "n")
    assert _add_one(memory, "n", ReturnValues="UPDATED_OLD")["Attributes"] == {"n": {"N": "6"}}
    assert _add_one(memory, "n", ReturnValues="UPDATED_NEW")["Attributes"] == {"n": {"N": "8"}}
    assert _add_one(memory, "n", ReturnValues="ALL_OLD")["Attributes"] == {**cases.ITEM, "n": {"N": "8"}}
    assert _add_one(memory, "n", ReturnValues="ALL_NEW")["Attributes"] == {**cases.ITEM, "n": {"N": "10"}}
    assert _refusal(memory.put_item, TableName="things", Item=_KEY, ReturnValues="ALL_NEW") == "ValidationException"


def test_answers_and_requests_share_nothing_with_the_table(memory: MemoryDynamo) -> None:
    given: dict[str, Any] = {**_OTHER, "m": {"M": {"a": {"N": "1"}}}}
    memory.put_item(TableName="things", Item=given)
    given["m"]["M"]["a"]["N"] = "2"
    answered = _item(memory, _OTHER)
    assert answered is not None
    answered["m"]["M"]["a"]["N"] = "3"
    assert _item(memory, _OTHER) == {**_OTHER, "m": {"M": {"a": {"N": "1"}}}}


def test_numbers_come_back_as_aws_writes_them(memory: MemoryDynamo) -> None:
    for sent, kept in (
        ("007", "7"),
        ("+5.10", "5.1"),
        ("1E2", "100"),
        ("-0", "0"),
        (".5", "0.5"),
        ("9" * 38, "9" * 38),
    ):
        memory.put_item(TableName="things", Item={**_OTHER, "n": {"N": sent}})
        assert _item(memory, _OTHER) == {**_OTHER, "n": {"N": kept}}


def test_an_item_of_400_kb_is_kept_and_one_byte_more_is_refused(memory: MemoryDynamo) -> None:
    room = 400 * 1024 - len("rowab")
    memory.put_item(TableName="rows", Item={"row": {"S": "a"}, "b": {"S": "x" * room}})
    too_large = {"row": {"S": "a"}, "b": {"S": "x" * (room + 1)}}
    assert _refusal(memory.put_item, TableName="rows", Item=too_large) == "ValidationException"


def test_a_refused_update_leaves_the_item_alone(memory: MemoryDynamo) -> None:
    request = {"TableName": "things", "Key": _KEY, "UpdateExpression": "SET m.a = :k, n = s + :k"}
    assert (
        _refusal(memory.update_item, **request, ExpressionAttributeValues={":k": {"N": "9"}}) == "ValidationException"
    )
    assert _item(memory) == cases.ITEM


def test_a_page_ends_at_one_megabyte(memory: MemoryDynamo) -> None:
    for number in range(4):
        item = {"pk": {"S": "big"}, "sk": {"N": str(number)}, "s": {"S": "x" * 390_000}}
        memory.put_item(TableName="things", Item=item)
    request = {
        "TableName": "things",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "big"}},
    }
    first = memory.query(**request)
    rest = memory.query(**request, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [first["Count"], rest["Count"]] == [3, 1]
    assert "LastEvaluatedKey" not in rest


def test_a_scan_in_pages_meets_every_item_once(memory: MemoryDynamo) -> None:
    for number in range(7):
        memory.put_item(TableName="rows", Item={"row": {"S": str(number)}})
    found: list[str] = []
    page = memory.scan(TableName="rows", Limit=2)
    while "LastEvaluatedKey" in page:
        found += [item["row"]["S"] for item in page["Items"]]
        page = memory.scan(TableName="rows", Limit=2, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert sorted(found + [item["row"]["S"] for item in page["Items"]]) == list("0123456")


def test_projections(memory: MemoryDynamo) -> None:
    answer = memory.get_item(TableName="things", Key=_KEY, ProjectionExpression="m.a, l[2], l[0], absent")
    assert answer["Item"] == {"m": {"M": {"a": _ONE}}, "l": {"L": [{"N": "1"}, {"N": "3"}]}}
    overlapping = {"TableName": "things", "Key": _KEY, "ProjectionExpression": "m, m.a"}
    assert _refusal(memory.get_item, **overlapping) == "ValidationException"
