#!/usr/bin/env bash
# The item inside a refusal is not the item that get_item gives.
#
# One would guess: boto3's DynamoDB resource speaks Python everywhere. It takes 5 for {"N": "5"} and gives Decimal("5")
#   back, and so does the item that comes with a refused condition (ReturnValuesOnConditionCheckFailure="ALL_OLD").
# Seen with boto3 1.44.5 and 1.43.106 (against moto 5.2.5, which answers as AWS does): get_item gives Decimal("5");
#   the refusal of the same item, by the same Table object, carries {"N": "5"}. So do the cancellation reasons of a
#   transaction sent by the resource's client.
# Why: boto3 converts what the service model says of an output. An error's members are no part of any output.
# What to do: put what `error.response["Item"]` holds through boto3.dynamodb.types.TypeDeserializer, or use the plain
#   client, which never converts.
#
# Output, for each version:
#   get_item          {'k': 'seats', 'n': Decimal('5')}
#   refused update    {'k': {'S': 'seats'}, 'n': {'N': '5'}}
#   refused in a transaction {'k': {'S': 'seats'}, 'n': {'N': '5'}}
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
cd "$scratch"
cat >run.py <<'PYTHON'
import boto3
from botocore.exceptions import ClientError
from decimal import Decimal
from moto import mock_aws

KEY = {"k": "seats"}
LESS = {
    "UpdateExpression": "SET n = n - :one",
    "ConditionExpression": "n > :least",
    "ExpressionAttributeValues": {":one": 1, ":least": 9},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
RAW = {"k": {"S": "seats"}, "n": {"N": "5"}}


def refusal(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response
    raise AssertionError("it was not refused")


with mock_aws():
    resource = boto3.resource("dynamodb", "us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    table = resource.create_table(
        TableName="seats",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.put_item(Item={**KEY, "n": 5})
    item = table.get_item(Key=KEY)["Item"]
    refused = refusal(table.update_item, Key=KEY, **LESS)["Item"]
    update = {"Update": {"TableName": "seats", "Key": KEY, **LESS}}
    (reason,) = refusal(resource.meta.client.transact_write_items, TransactItems=[update])["CancellationReasons"]
print("boto3", boto3.__version__)
print("get_item         ", item)
print("refused update   ", refused)
print("refused in a transaction", reason["Item"])
assert item == {**KEY, "n": Decimal(5)}
assert refused == reason["Item"] == RAW
PYTHON
for version in 1.43.106 1.44.5; do
    venv/bin/pip install --quiet --disable-pip-version-check "boto3==$version" "botocore==$version" 'moto[dynamodb]==5.2.5'
    venv/bin/python run.py
done
