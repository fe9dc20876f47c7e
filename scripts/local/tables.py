"""DynamoDB tables, made from schemas/tables/*.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


def ensure_table(dynamodb: Any, name: str, schema: Mapping[str, Any]) -> list[str]:
    """Create a table as its schema says if it is not there. Return what was done, nothing when it was there."""
    try:
        dynamodb.describe_table(TableName=name)
        return []
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
    keys = [(schema["partition_key"], "HASH")]
    if "sort_key" in schema:
        keys.append((schema["sort_key"], "RANGE"))
    stream = schema["stream"]
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key["name"], "AttributeType": key["type"]} for key, _ in keys],
        KeySchema=[{"AttributeName": key["name"], "KeyType": kind} for key, kind in keys],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": stream} if stream else {"StreamEnabled": False},
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": schema["ttl_attribute"]}
    )
    return [f"table {name} created"]


def stream_arn(dynamodb: Any, name: str) -> str:
    """Return the address of a table's stream."""
    arn: str = dynamodb.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    return arn
