"""Request parameters: which ones each operation takes, and what is refused before any expression is read."""

from __future__ import annotations

from typing import Any

from tests.memory_dynamo.errors import InvalidError, malformed

_EXPRESSIONS = {"ExpressionAttributeNames", "ExpressionAttributeValues"}
_CONDITIONAL = _EXPRESSIONS | {"ConditionExpression", "ReturnValuesOnConditionCheckFailure"}
_ANSWER = {"ReturnValues", "ReturnConsumedCapacity"}
_READ = {"ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"}
_PAGED = {"ExclusiveStartKey", "FilterExpression", "Limit", "Select", "ReturnConsumedCapacity"} | _READ | _EXPRESSIONS

TAKEN: dict[str, frozenset[str]] = {
    "GetItem": frozenset({"TableName", "Key", "ReturnConsumedCapacity"} | _READ),
    "PutItem": frozenset({"TableName", "Item"} | _CONDITIONAL | _ANSWER),
    "UpdateItem": frozenset({"TableName", "Key", "UpdateExpression"} | _CONDITIONAL | _ANSWER),
    "DeleteItem": frozenset({"TableName", "Key"} | _CONDITIONAL | _ANSWER),
    "Query": frozenset({"TableName", "KeyConditionExpression", "ScanIndexForward"} | _PAGED),
    "Scan": frozenset({"TableName"} | _PAGED),
    "BatchGetItem": frozenset({"RequestItems"}),
    "BatchWriteItem": frozenset({"RequestItems"}),
    "TransactWriteItems": frozenset({"TransactItems", "ClientRequestToken"}),
    "BatchGetItem.Keys": frozenset({"Keys"} | _READ),
    "Put": frozenset({"TableName", "Item"} | _CONDITIONAL),
    "Update": frozenset({"TableName", "Key", "UpdateExpression"} | _CONDITIONAL),
    "Delete": frozenset({"TableName", "Key"} | _CONDITIONAL),
    "ConditionCheck": frozenset({"TableName", "Key"} | _CONDITIONAL),
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "GetItem": ("TableName", "Key"),
    "PutItem": ("TableName", "Item"),
    "UpdateItem": ("TableName", "Key"),
    "DeleteItem": ("TableName", "Key"),
    "Query": ("TableName", "KeyConditionExpression"),
    "Scan": ("TableName",),
    "BatchGetItem": ("RequestItems",),
    "BatchWriteItem": ("RequestItems",),
    "TransactWriteItems": ("TransactItems",),
    "BatchGetItem.Keys": ("Keys",),
    "Put": ("TableName", "Item"),
    "Update": ("TableName", "Key", "UpdateExpression"),
    "Delete": ("TableName", "Key"),
    "ConditionCheck": ("TableName", "Key", "ConditionExpression"),
}
_RETURN_VALUES = {
    "PutItem": frozenset({"NONE", "ALL_OLD"}),
    "DeleteItem": frozenset({"NONE", "ALL_OLD"}),
    "UpdateItem": frozenset({"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"}),
}
_CHOICES = {
    "ReturnValuesOnConditionCheckFailure": frozenset({"NONE", "ALL_OLD"}),
    "ReturnConsumedCapacity": frozenset({"NONE", "TOTAL"}),
}


def check_parameters(operation: str, request: Any) -> None:
    """Refuses unknown and missing parameters as botocore does, and unknown choices as DynamoDB does."""
    if type(request) is not dict:
        raise malformed(f"Invalid type for the parameters of {operation}: {request!r}, valid types: dict")
    if not request.keys() <= TAKEN[operation]:
        unknown = ", ".join(sorted(request.keys() - TAKEN[operation]))
        raise malformed(f"Unknown parameter in input of {operation} (or one this model does not have): {unknown}")
    for name in REQUIRED[operation]:
        if name not in request:
            raise malformed(f'Missing required parameter in input of {operation}: "{name}"')
    for name, allowed in _CHOICES.items():
        if request.get(name, "NONE") not in allowed:
            raise InvalidError(f"{name} can only be one of {sorted(allowed)}")
    if request.get("ReturnValues", "NONE") not in _RETURN_VALUES.get(operation, frozenset({"NONE"})):
        raise InvalidError("Return values set to invalid value")
