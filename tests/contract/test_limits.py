"""How much fits into one call: our models stop where Amazon's own engine does (Developer Guide, "Constraints")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.engines import Dynamo, fresh_tables
from tests.support.dynamo_calls import TABLE

LARGE = "x" * 400_000
"""As text of an item, nearly as much as an item may have."""


@pytest.fixture(params=["memory", "simulation", "dynamodb_local"])
def things(request: pytest.FixtureRequest) -> Iterator[Dynamo]:
    local = request.param == "dynamodb_local"
    endpoint = request.getfixturevalue("dynamodb_local_endpoint") if local else None
    with fresh_tables(request.param, endpoint, [TABLE]) as engine:
        yield engine


def _key(number: int, partition: str = "a") -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"N": str(number)}}


def _fill(things: Dynamo, count: int, size: int) -> None:
    """Items of so many bytes each in one partition."""
    rest = len("pk" + "a" + "sk" + "text") + 2
    for number in range(1, count + 1):
        item = {**_key(number), "text": {"S": "x" * (size - rest)}}
        things.clients.once.put_item(TableName=things.table("things"), Item=item)


def _page(things: Dynamo, **more: Any) -> list[int]:
    answer = things.clients.once.query(
        TableName=things.table("things"),
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "a"}},
        **more,
    )
    return [int(item["sk"]["N"]) for item in answer["Items"]]


def test_a_batch_answers_16_mb_and_hands_the_rest_back(things: Dynamo) -> None:
    _fill(things, 45, 400_000)
    name = things.table("things")
    answer = things.clients.once.batch_get_item(
        RequestItems={name: {"Keys": [_key(number) for number in range(1, 46)]}}
    )
    assert len(answer["Responses"][name]) == 16 * 1024 * 1024 // 400_000
    assert len(answer["UnprocessedKeys"][name]["Keys"]) == 45 - 41


@pytest.mark.parametrize(("size", "served"), [(131_071, 9), (131_072, 8), (400_000, 3)])
def test_a_page_ends_with_the_item_that_reaches_1_mb(things: Dynamo, size: int, served: int) -> None:
    _fill(things, 9, size)
    assert _page(things) == list(range(1, served + 1))
    assert _page(things, ProjectionExpression="sk") == list(range(1, served + 1))
    assert _page(things, ExclusiveStartKey=_key(2), Limit=2) == [3, 4]


@pytest.mark.parametrize("count", [10, 11])
def test_a_transaction_brings_4_mb(strict_dynamo: Dynamo, count: int) -> None:
    puts = [
        {"Put": {"TableName": strict_dynamo.table("things"), "Item": {**_key(number), "text": {"S": LARGE}}}}
        for number in range(count)
    ]
    if count == 10:
        strict_dynamo.clients.once.transact_write_items(TransactItems=puts)
    else:
        with pytest.raises(ClientError, match="ValidationException"):
            strict_dynamo.clients.once.transact_write_items(TransactItems=puts)


@pytest.mark.parametrize("many", [0, 1])
def test_calls_have_a_number_of_parts(things: Dynamo, many: int) -> None:
    name = things.table("things")
    keys = [_key(number) for number in range(100 + many)]
    calls = [
        ("batch_get_item", {"RequestItems": {name: {"Keys": keys}}}),
        ("batch_write_item", {"RequestItems": {name: [{"DeleteRequest": {"Key": key}} for key in keys[: 25 + many]]}}),
        ("transact_write_items", {"TransactItems": [{"Delete": {"TableName": name, "Key": key}} for key in keys]}),
        ("put_item", {"TableName": name, "Item": {**_key(1), "t": {"S": "x" * (409_600 - len("pkask11t") + many)}}}),
    ]
    for method, request in calls:
        if many:
            with pytest.raises(ClientError, match="ValidationException"):
                getattr(things.clients.once, method)(**request)
        else:
            getattr(things.clients.once, method)(**request)
