"""Each Lambda as it is composed for AWS, against moto: settings, clients, tables and names fit together."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.api_world import BROWSER, EVENTS, ORIGIN_SECRET, ROOT, ZONE, ZONE_ID, ListLog, event, send
from waiting_room import bootstrap, schemas
from waiting_room.adapters.functions import LambdaFunctions
from waiting_room.domain.errors import Overloaded

ENV = {
    "PROTECTED_ZONES_TABLE": "foyer-protected-zones",
    "COUNTERS_TABLE": "foyer-counters",
    "JOINS_TABLE": "foyer-joins",
    "QUEUE_TABLE": "foyer-queue",
    "USER_CONNECTIONS_TABLE": "foyer-user-connections",
    "WEBSOCKET_ENDPOINT": "https://abc123.execute-api.eu-west-1.amazonaws.com/live",
    "SITE_BUCKET": "foyer-site",
    "SIGNING_KEYS_SECRET": "foyer/signing-keys",
    "SIGNING_KEYS_PARAMETER": "/foyer/signing-keys",
    "JOIN_SECRETS_PATH": "foyer/join-secrets",
    "TOKEN_ISSUER": "foyer",
    "ORIGIN_SECRET": ORIGIN_SECRET,
    "ARCHIVE_STREAM": "none",
    "ALERTS_IDENTITY": "none",
    "ALERTS_CONFIGURATION_SET": "none",
    "ALERTS_KEY": "none",
    "CODES_IDENTITY": "none",
    "CODES_CONFIGURATION": "none",
    "CODES_CONFIGURATION_SET": "none",
    "CORS_ORIGINS": "none",
    "MACHINE_LABELS": "told",
    "RETENTION_DAYS": '{"minutes":30,"places":2}',
    "EXCHANGER_FUNCTION": "foyer-exchanger",
    "BOUNCER_FUNCTION": "foyer-bouncer",
    "DISPATCHER_FUNCTION": "foyer-dispatcher",
    "WARM_INSTANCES": "2",
    "PUBLISHER_FUNCTION": "foyer-publisher",
    "SNAPSHOT_KEY": ".waiting-room/gate-0123456789abcdef0123456789abcdef.json",
}
ROLE = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture
def logs() -> dict[str, ListLog]:
    return defaultdict(ListLog)


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, logs: dict[str, ListLog]) -> Iterator[None]:
    monkeypatch.setattr(bootstrap, "json_log", logs.__getitem__)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        for name in ("protected_zones", "counters", "joins", "queue", "user_connections"):
            make_table(name)
        boto3.client("s3").create_bucket(
            Bucket="foyer-site", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        boto3.client("secretsmanager").create_secret(Name=ENV["SIGNING_KEYS_SECRET"])
        make_functions("foyer-exchanger", "foyer-publisher")
        yield


def make_table(name: str) -> None:
    schema = schemas.table(name)
    keys = [(schema[part], kind) for part, kind in (("partition_key", "HASH"), ("sort_key", "RANGE")) if part in schema]
    boto3.client("dynamodb").create_table(
        TableName=ENV[f"{name.upper()}_TABLE"],
        KeySchema=[{"AttributeName": key["name"], "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key["name"], "AttributeType": key["type"]} for key, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )


def make_functions(*names: str) -> None:
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]["Arn"]
    for name in names:
        boto3.client("lambda").create_function(
            FunctionName=name, Role=role, Runtime="python3.13", Handler="handler.handler", Code={"ZipFile": b"zip"}
        )


def visit(path: str, **parts: Any) -> Any:
    sample = event("enter")
    sample["headers"] |= {"x-foyer-origin-secret": ORIGIN_SECRET, **BROWSER}
    sample["cookies"] = parts.pop("cookies", [])
    return send(bootstrap.bouncer(ENV), sample, parts.pop("method", "GET"), path, **parts)


def test_operator_publisher_bouncer_and_dispatcher_work_together(logs: dict[str, ListLog]) -> None:
    path = f"{ROOT}/admin/zones/{ZONE_ID}"
    made = send(bootstrap.operator(ENV), event("control_iam"), "PUT", path, body=ZONE)
    site = Path(__file__).parents[2] / "lambdas" / "publisher" / "site" / "assets"
    published = bootstrap.publisher(ENV, site)({"Records": []}, None)
    first = visit(f"{ROOT}/zones/{ZONE_ID}/enter", query="to=/events/midnight-sun")
    cookies = [f"{name}={value}" for name, value in first.cookies.items()]
    second = visit(first.location.partition("?")[0], query=first.location.partition("?")[2], cookies=cookies)
    dispatched = bootstrap.dispatcher(ENV)({}, None)

    assert made.status == 201
    assert f".waiting-room/pages/{ZONE_ID}/index.html" in published["written"]
    snapshot = boto3.client("s3").get_object(Bucket="foyer-site", Key=ENV["SNAPSHOT_KEY"])["Body"].read()
    assert [zone["zone_id"] for zone in json.loads(snapshot)["zones"]] == [ZONE_ID]
    assert second.location.startswith(f"/.waiting-room/pages/{ZONE_ID}/index.html?to=")
    assert dispatched == {"started_for": [ZONE_ID], "warming": 0}
    assert {name: len(log.lines) for name, log in logs.items()} == {
        "operator": 1,
        "publisher": 1,
        "bouncer": 2,
        "dispatcher": 1,
    }


def test_a_dispatcher_that_could_not_start_a_function_fails_for_the_alarm_to_see(
    logs: dict[str, ListLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: LambdaFunctions, name: str, payload: object) -> None:
        raise Overloaded

    dispatcher = bootstrap.dispatcher(ENV)
    assert dispatcher({}, None) == {"started_for": [], "warming": 0}
    monkeypatch.setattr(LambdaFunctions, "start", start)
    boto3.client("s3").delete_object(Bucket="foyer-site", Key=ENV["SNAPSHOT_KEY"])
    with pytest.raises(Overloaded):
        dispatcher({}, None)


def test_a_visitor_connects_and_the_notifier_finds_the_connection(logs: dict[str, ListLog]) -> None:
    path = f"{ROOT}/admin/zones/{ZONE_ID}"
    assert send(bootstrap.operator(ENV), event("control_iam"), "PUT", path, body=ZONE).status == 201
    joined = visit(f"{ROOT}/zones/{ZONE_ID}/visitors", method="POST")
    handshake = json.loads((EVENTS / "websocket_connect.json").read_text())
    handshake["headers"]["Cookie"] = "; ".join(f"{name}={value}" for name, value in joined.cookies.items())
    called = {"counter": {"S": f"calls#{ZONE_ID}#1#general"}, "from": {"N": "0"}, "to": {"N": "3"}, "tick": {"N": "9"}}
    record = {"dynamodb": {"SequenceNumber": "1", "NewImage": called}}

    assert bootstrap.connections(ENV)(handshake, None) == {"statusCode": 200}
    answer = bootstrap.notifier(ENV)({"Records": [record]}, None)

    assert answer == {"batchItemFailures": [], "sent": 1, "gone": 0, "failed": 0}
    assert {"zone_id": ZONE_ID, "status": 200}.items() <= logs["connections"].lines[0].items()


def test_writes_that_may_not_be_repeated_have_a_client_that_never_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    clients = bootstrap._clients()

    assert clients.once.meta.config.retries["total_max_attempts"] == 1
    assert clients.repeating.meta.config.retries["total_max_attempts"] > 1


def test_on_aws_an_operator_is_somebody_and_on_a_local_engine_nobody_in_particular() -> None:
    unsigned = event("control_iam")
    del unsigned["requestContext"]["authorizer"]
    path = f"{ROOT}/admin/zones"

    assert send(bootstrap.operator(ENV), unsigned, "GET", path).status == 403
    local = {**ENV, "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    assert send(bootstrap.operator(local), unsigned, "GET", path).status == 200
