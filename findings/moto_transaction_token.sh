#!/usr/bin/env bash
# One transaction, sent twice with one token, happens twice.
#
# One would guess: a ClientRequestToken makes TransactWriteItems idempotent, in an emulator that takes it as on AWS
#   ("multiple identical calls have the same effect as one single call", API reference of DynamoDB). boto3 makes up a
#   token for every call, so that its own repetition after a lost answer is harmless.
# Seen with moto 5.2.5: the token is taken and ignored. A counter at 0 that is raised by 1 in the same transaction
#   twice stands at 2, and a put on condition that there is nothing yet is refused at the second time: what AWS answers
#   with success looks like somebody else's write.
# What to do: test what relies on the token on DynamoDB Local or ministack 1.5.33, which both know it.
#
# Output:
#   after the same transaction twice the counter is at 2
#   the same put twice: TransactionCanceledException
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
cd "$scratch"
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.43.106 'moto[dynamodb]==5.2.5'
venv/bin/python - <<'PYTHON'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

COUNTER = {"k": {"S": "counter"}}
ADD = {
    "TableName": "seats",
    "Key": COUNTER,
    "UpdateExpression": "ADD n :one",
    "ExpressionAttributeValues": {":one": {"N": "1"}},
}
PUT = {"TableName": "seats", "Item": {"k": {"S": "place"}}, "ConditionExpression": "attribute_not_exists(k)"}

with mock_aws():
    client = boto3.client("dynamodb", "us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    client.create_table(
        TableName="seats",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for _ in range(2):
        client.transact_write_items(TransactItems=[{"Update": ADD}], ClientRequestToken="once")
    count = client.get_item(TableName="seats", Key=COUNTER)["Item"]["n"]["N"]
    print("after the same transaction twice the counter is at", count)
    client.transact_write_items(TransactItems=[{"Put": PUT}], ClientRequestToken="one place")
    try:
        client.transact_write_items(TransactItems=[{"Put": PUT}], ClientRequestToken="one place")
        again = "success"
    except ClientError as error:
        again = error.response["Error"]["Code"]
    print("the same put twice:", again)
assert (count, again) == ("2", "TransactionCanceledException")
PYTHON
