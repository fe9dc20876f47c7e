"""The in-memory DynamoDB answers the same calls as moto does (single thread, and only what moto does as AWS)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.memory_dynamo import MemoryDynamo
from tests.support.dynamo_calls import TABLE, Call, outcome, single_call, transaction


@pytest.fixture(scope="module")
def moto_client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def _fresh_table(client: Any) -> None:
    if TABLE["name"] in client.list_tables()["TableNames"]:
        client.delete_table(TableName=TABLE["name"])
    client.create_table(
        TableName=TABLE["name"],
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
    )


def _same_answers(reference: Any, calls: list[Call]) -> None:
    _fresh_table(reference)
    memory = MemoryDynamo([TABLE])
    for call in calls:
        assert outcome(memory, call, _MOTO_ERRS) == outcome(reference, call, _MOTO_ERRS), call
    assert _everything(memory) == _everything(reference)


# moto leaves it out when a page ends with the last item there is; DynamoDB and DynamoDB Local do not.
_MOTO_ERRS = ("LastEvaluatedKey",)


def _everything(client: Any) -> list[Any]:
    items = outcome(client, ("scan", {"TableName": TABLE["name"], "ConsistentRead": True}))["Items"]
    return sorted(items, key=lambda item: (item["pk"]["S"], int(item["sk"]["N"])))


# The same examples every time, and no shrinking: moto takes minutes to shrink what it needs milliseconds to find.
_REPEATABLE = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@_REPEATABLE
@given(calls=st.lists(single_call("things"), min_size=4, max_size=12))
def test_single_calls_answer_as_in_moto(moto_client: Any, calls: list[Call]) -> None:
    _same_answers(moto_client, calls)


@_REPEATABLE
@given(calls=st.lists(single_call("things") | transaction("things"), min_size=3, max_size=8))
def test_transactions_answer_as_in_moto(moto_client: Any, calls: list[Call]) -> None:
    _same_answers(moto_client, calls)
