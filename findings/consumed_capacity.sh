#!/usr/bin/env bash
# What an emulator says a call has consumed is no bill.
#
# One would guess: an emulator that answers ReturnConsumedCapacity counts as AWS does: a write unit for each KB, a read
#   unit for each 4 KB, half of it where the read need not be consistent, twice for what is in a transaction
#   (Developer Guide of DynamoDB, "DynamoDB reads and writes").
# Seen with moto 5.2.5 and ministack 1.5.33, for an item of 10 KB:
#
#                                     AWS's rule   ministack   moto
#   put_item                              11           11         1
#   get_item                             1.5          0.5       0.5
#   get_item, consistent                   3            1       0.5
#   transact_write_items, one put         22           22      nothing
#
#   ministack knows the size of what is written and forgets it for what is read; moto knows it for neither.
#
# What to do: count units from the sizes, by the rule, and test that; take no emulator's figure into a cost table.
set -euo pipefail
scratch=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator"; rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
cd "$scratch"
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.43.106 'moto[dynamodb]==5.2.5' ministack==1.5.33
cat >run.py <<'PYTHON'
import os
import sys

import boto3
from moto import mock_aws

ITEM = {"k": {"S": "a"}, "text": {"S": "x" * 10 * 1024}}


def units():
    client = boto3.client(
        "dynamodb",
        "us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        endpoint_url=os.environ.get("EMULATOR"),
    )
    client.create_table(
        TableName="seats",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    asked = {"ReturnConsumedCapacity": "TOTAL"}
    read = {"TableName": "seats", "Key": {"k": {"S": "a"}}, **asked}
    yield client.put_item(TableName="seats", Item=ITEM, **asked)
    yield client.get_item(**read)
    yield client.get_item(**read, ConsistentRead=True)
    yield client.transact_write_items(TransactItems=[{"Put": {"TableName": "seats", "Item": ITEM}}], **asked)


def told(answer):
    consumed = answer.get("ConsumedCapacity") or []
    return [each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed])]


if "EMULATOR" in os.environ:
    found = [told(answer) for answer in units()]
else:
    with mock_aws():
        found = [told(answer) for answer in units()]
print(sys.argv[1], found)
assert str(found) == sys.argv[2]
PYTHON
venv/bin/python run.py moto '[[1.0], [0.5], [0.5], []]'
port=$(venv/bin/python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
export GATEWAY_PORT=$port BIND_HOST=127.0.0.1 SERVICES=dynamodb IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 LOG_LEVEL=ERROR
TMPDIR=$scratch venv/bin/ministack >emulator.log 2>&1 &
emulator=$!
ready="import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/_ministack/ready')"
for _ in $(seq 100); do venv/bin/python -c "$ready" 2>/dev/null && break || sleep 0.1; done
EMULATOR=http://127.0.0.1:$port venv/bin/python run.py ministack '[[11.0], [0.5], [1.0], [22.0]]'
