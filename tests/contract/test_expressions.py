"""The memory model refuses and takes the same expressions as Amazon's own engine, with the same effect."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.contract.engines import Dynamo, fresh_tables
from tests.support import dynamo_refusals as cases
from tests.support.dynamo_calls import TABLE, Call, comparable, outcome, single_call, transaction


def _update(dynamo: Dynamo, **request: Any) -> Any:
    """One update of the item the cases are about, put back first. Returns the item, or the error's code."""
    table = dynamo.table(TABLE["name"])
    dynamo.clients.once.put_item(TableName=table, Item=cases.ITEM)
    if not request.get("ExpressionAttributeValues", True):
        del request["ExpressionAttributeValues"]
    try:
        answer = dynamo.clients.once.update_item(TableName=table, Key=cases.KEY, ReturnValues="ALL_NEW", **request)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return comparable(answer["Attributes"])


@pytest.mark.parametrize(("expression", "values"), cases.REFUSED_CONDITIONS)
def test_refused_condition(strict_dynamo: Dynamo, expression: str, values: dict[str, Any]) -> None:
    answer = _update(strict_dynamo, ConditionExpression=expression, ExpressionAttributeValues=values)
    assert answer == "ValidationException"


@pytest.mark.parametrize(("expression", "values", "holds"), cases.ACCEPTED_CONDITIONS)
def test_accepted_condition(strict_dynamo: Dynamo, expression: str, values: dict[str, Any], holds: bool) -> None:
    answer = _update(strict_dynamo, ConditionExpression=expression, ExpressionAttributeValues=values)
    assert answer == (comparable(cases.ITEM) if holds else "ConditionalCheckFailedException")


@pytest.mark.parametrize(("expression", "values"), cases.REFUSED_UPDATES)
def test_refused_update(strict_dynamo: Dynamo, expression: str, values: dict[str, Any]) -> None:
    answer = _update(strict_dynamo, UpdateExpression=expression, ExpressionAttributeValues=values)
    assert answer == "ValidationException"


@pytest.mark.parametrize(("expression", "values", "changes"), cases.ACCEPTED_UPDATES)
def test_accepted_update(
    strict_dynamo: Dynamo, expression: str, values: dict[str, Any], changes: dict[str, Any]
) -> None:
    answer = _update(strict_dynamo, UpdateExpression=expression, ExpressionAttributeValues=values)
    expected = {name: value for name, value in {**cases.ITEM, **changes}.items() if value is not None}
    assert answer == comparable(expected)


@pytest.mark.parametrize(("expression", "values"), cases.REFUSED_KEY_CONDITIONS)
def test_refused_key_condition(strict_dynamo: Dynamo, expression: str, values: dict[str, Any]) -> None:
    request = {"KeyConditionExpression": expression, "ExpressionAttributeValues": values}
    with pytest.raises(ClientError) as caught:
        strict_dynamo.clients.once.query(TableName=strict_dynamo.table(TABLE["name"]), **request)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@settings(
    max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(calls=st.lists(single_call("things") | transaction("things"), min_size=4, max_size=10))
def test_any_calls_answer_as_in_dynamodb_local(dynamodb_local_endpoint: str, calls: list[Call]) -> None:
    with (
        fresh_tables("memory", None, [TABLE]) as memory,
        fresh_tables("dynamodb_local", dynamodb_local_endpoint, [TABLE]) as reference,
    ):
        for call in calls:
            assert outcome(memory.clients.once, call) == outcome(reference.clients.once, _renamed(call, reference)), (
                call
            )


def _renamed(call: Call, dynamo: Dynamo) -> Call:
    """The same call on the table as it is called there."""
    method, request = call
    if method != "transact_write_items":
        return method, {**request, "TableName": dynamo.table(TABLE["name"])}
    actions = [
        {kind: {**action, "TableName": dynamo.table(TABLE["name"])} for kind, action in one.items()}
        for one in request["TransactItems"]
    ]
    return method, {"TransactItems": actions}
