"""Each right of schemas/functions.json is used by the code, and the code uses no other."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from scripts.deployment.names import Names
from scripts.local import permissions
from tests.support.api_world import BROWSER, EVENTS, ROOT, ZONE_ID, Browser
from tests.support.deployment import OWN, Deployment
from tests.support.memory_secrets import PARAMETERS_PER_SEC, SECRETS_PER_SEC
from waiting_room import schemas
from waiting_room.http.credentials import JOIN_CLAIM_HEADER
from waiting_room.use_cases.connect import MOST_OF_A_PLACE, SETTLE_MS
from waiting_room.use_cases.identify import AUDIENCE

STREAM_READER = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
}
"""What Lambda does in the function's name to feed it from a stream (AWSLambdaDynamoDBExecutionRole, without logs)."""

ALERTS = {"channels": ["sms", "voice"], "prefixes": ["+44"], "lead_sec": 60}
ALARMS = {"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*"}
"""Whoever runs the site names them; reading their state is all that is allowed."""
PASSCODES = {"*"}
"""Checks of passcodes name no resource."""
STREAMS = {"*"}
"""To list them is a right on all or none."""

VISITORS_FUNCTIONS = ("gatekeeper", "bouncer", "connections")
LEAST_PER_SEC = 2_000
CALLS_PER_SEC = {
    "dynamodb": 40_000,  # units of a table; one that is new and cold takes 4,000 ("Quotas in Amazon DynamoDB")
    "end-user-messaging": LEAST_PER_SEC,  # asked while waiting: whoever is refused asks again, and nobody's turn waits
    "execute-api": 10_000,  # of the account, with everything that API Gateway is asked for (limits of API Gateway)
    "kms": 10_000,  # symmetric, in the smallest Regions, shared by all keys ("Request quotas", KMS guide)
    "lambda": 10_000,  # ten times the default concurrency ("Lambda quotas"); a lock lets through one for a zone
    "secretsmanager": SECRETS_PER_SEC,
    "ssm": PARAMETERS_PER_SEC,
}
"""What a service takes of an account in a Region, unasked."""

COMPONENTS = [component for component, spec in schemas.functions().items() if not spec["edge"]]


def operators_day(world: Deployment) -> str:
    """Everything operators can ask for; returns the site key of the zone that stays."""
    world.put_zone(zone_id="old")
    site_key = str(world.put_zone(max_active=1, inventory=5, alerts=ALERTS).json["site_key"])
    assert world.operate("GET", "/zones").status == 200
    assert world.operate("GET", f"/zones/{ZONE_ID}").status == 200
    assert world.operate("GET", "/keys").status == 200
    assert world.operate("POST", "/keys/rotations").json["step"] == "waiting"
    assert world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"max_active": 2}}).status == 200
    made = world.operate("POST", f"/zones/{ZONE_ID}/bypass-tokens", {"name": "Box office"})
    assert world.operate("POST", f"/zones/{ZONE_ID}/revocations", {"bypass_id": made.json["id"]}).status == 201
    assert world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True}).status == 200
    assert world.operate("DELETE", "/zones/old").status == 204
    return site_key


def visits(world: Deployment, site_key: str) -> None:
    """Everything visitors and the site's server can ask for."""
    buyer, leaver, waiting, barred = (Browser(world) for _ in range(4))  # type: ignore[arg-type]
    for browser in (buyer, leaver):
        browser.enter()
    for browser in (waiting, barred):
        assert browser.ask("POST", "/visitors").status == 201
    world.run_started()
    for browser in (buyer, leaver):
        assert browser.enter().location == "/events/midnight-sun"
    assert waiting.ask("GET", "/visitors/me").status == 200
    assert waiting.ask("POST", "/access-tokens").status == 202
    pushes(world)
    assert waiting.ask("POST", "/visitors/me/away").status == 204
    world.clock.advance(200)
    assert buyer.ask("POST", "/sessions/me/renewals").status == 200
    assert leaver.ask("GET", "/sessions/me/renew", headers=BROWSER, query="to=/events/midnight-sun").status == 303
    assert leaver.ask("DELETE", "/sessions/me").status == 204
    purchase = {"token": buyer.access_token, "reference": "order-1", "checkout": True}
    key = {"accept": "application/json", "authorization": f"Bearer {site_key}"}
    assert world.visit("POST", f"{ROOT}/confirmations", purchase, headers=key).json["status"] == "completed"
    visitor_id = barred.ask("GET", "/visitors/me").json["visitor_id"]
    assert world.operate("POST", f"/zones/{ZONE_ID}/revocations", {"visitor_id": visitor_id}).status == 201
    assert world.operate("GET", f"/zones/{ZONE_ID}/visitors/{visitor_id}").json["status"] == "revoked"
    assert world.operate("DELETE", f"/zones/{ZONE_ID}/visitors/{visitor_id}").status in (200, 204)
    assert world.operate("GET", f"/zones/{ZONE_ID}/metrics").json["minutes"]


def pushes(world: Deployment) -> None:
    """Somebody near the front opens a WebSocket and is called; by then the connection is gone."""
    waiting = Browser(world)  # type: ignore[arg-type]
    position = waiting.ask("POST", "/visitors").json["position"]
    handshake = json.loads((EVENTS / "websocket_connect.json").read_text(encoding="utf-8"))
    handshake["headers"]["Cookie"] = "; ".join(f"{name}={value}" for name, value in waiting.cookies.items())
    for number in range(MOST_OF_A_PLACE + 1):
        handshake["requestContext"]["connectionId"] = f"c{number}="
        assert world.apps["connections"](handshake, None) == {"statusCode": 200}
        world.clock.advance(SETTLE_MS / 1000 / MOST_OF_A_PLACE)
    calls = {"counter": {"S": f"calls#{ZONE_ID}#2#general"}, "slot": {"N": "0"}, "tick": {"N": "9"}}
    span = {"from": {"N": "0"}, "to": {"N": str(position + 1)}}
    # Far enough back that a message comes before the turn.
    *_, doubtful, later = (Browser(world) for _ in range(300))  # type: ignore[arg-type]
    end = max(browser.ask("POST", "/visitors").json["position"] for browser in (*_, doubtful, later)) + 1
    for channel in ("sms", "voice"):
        asked = {"channel": channel, "number": "+44 7700 900123", "consent": True}
        assert later.ask("POST", "/visitors/me/alerts", asked).status == 202
        assert doubtful.ask("POST", "/visitors/me/alerts", asked).status == 202
    assert doubtful.ask("DELETE", "/visitors/me/alerts").status == 204
    near = {"near": {"N": str(end)}}
    record = {"dynamodb": {"SequenceNumber": "1", "NewImage": calls | span | near}}
    told = world.run("notifier", Records=[record])
    assert (told["gone"], told["alerts_sent"]) == (MOST_OF_A_PLACE, 2)


def large_sale(world: Deployment) -> None:
    """A zone whose joins are spread over several counters: positions come from sealed epochs."""
    zone = f"{ROOT}/zones/large"
    starts_at_ms = world.clock.ms + 5_000
    world.put_zone(
        zone_id="large", expected_joins_per_sec=2_000, order="lottery", starts_at_ms=starts_at_ms, alerts=ALERTS
    )
    joined = world.visit("POST", f"{zone}/visitors", headers={"accept": "application/json"})
    assert (joined.status, joined.json["position"]) == (201, None)
    bearer = {"accept": "application/json", "authorization": f"Bearer {joined.json['visitor_token']}"}
    asked = {"channel": "sms", "number": "+447700900123", "consent": True}
    assert world.visit("POST", f"{zone}/visitors/me/alerts", asked, headers=bearer).status == 202
    world.run_started()
    calls = {"counter": {"S": "calls#large#1#general"}, "tick": {"N": "9"}, "near": {"N": "1"}}
    record = {"dynamodb": {"SequenceNumber": "1", "NewImage": calls | {"from": {"N": "0"}, "to": {"N": "1"}}}}
    assert world.run("notifier", Records=[record])["alerts_sent"] == 1
    assert world.visit("GET", f"{zone}/visitors/me", headers=bearer).json["position"] == 0
    assert world.operate("GET", f"/zones/large/visitors/{joined.json['visitor_id']}").status == 200


def changes(world: Deployment) -> None:
    """Somebody is admitted, the change is told twice, and a record comes that makes no sense."""
    images = {"lane": {"S": "general"}, "seq": {"N": "1"}, "joined_at_ms": {"N": "1780315200000"}}
    admitted = {"status": {"S": "admitted"}, "admitted_at_ms": {"N": "1780315260000"}}
    change = {
        "Keys": {"place": {"S": f"{ZONE_ID}#2#{'v' * 22}"}},
        "SequenceNumber": "1",
        "ApproximateCreationDateTime": 1780315260,
        "OldImage": {**images, "status": {"S": "waiting"}},
        "NewImage": images | admitted,
    }
    record = {"eventID": "1", "eventName": "MODIFY", "dynamodb": change}
    poison = {"eventID": "2", "eventName": "INSERT", "dynamodb": {**change, "NewImage": {}}}
    done = world.run("recorder", Records=[record, poison])
    assert done == {"batchItemFailures": [], "archived": 1, "set_apart": 1}
    assert world.with_timestream()({"Records": [record]}, None)["archived"] == 1
    assert {point["Version"] for point in world.timestream.records.values()} == {1}
    world.put_zone(zone_id="told", max_active=1)
    world.functions.started.clear()
    world.with_timestream("exchanger")({"zones": ["told"]}, None)
    assert {point["MeasureName"] for point in world.timestream.records.values()} == {"lane", "zone"}
    world.operate("DELETE", "/zones/told")


def members_sale(world: Deployment) -> None:
    """A zone whose visitors prove who they are by a secret that the site's login shares."""
    zone, secret = f"{ROOT}/zones/members", "a secret of the login, 32 bytes or more"
    world.put_zone(zone_id="members", identity={"mode": "require", "issuer": "login", "shared_secret": True})
    world.secrets.values[f"{world.names.join_secrets_path}/members"] = secret
    claims = {"iss": "login", "aud": AUDIENCE, "sub": "ada", "exp": world.clock.now_sec + 300}
    headers = {"accept": "application/json", JOIN_CLAIM_HEADER: jwt.encode(claims, secret, algorithm="HS256")}
    assert world.visit("POST", f"{zone}/visitors", headers=headers).status == 201


def phones_sale(world: Deployment) -> None:
    """A zone of one place for each phone: somebody confirms one, and is let in with it."""
    zone, app = f"{ROOT}/zones/phones", {"accept": "application/json"}
    phone = {"channels": ["sms"], "prefixes": ["+44"]}
    world.put_zone(zone_id="phones", max_active=1, identity={"mode": "require", "phone": phone})
    joined = world.visit("POST", f"{zone}/visitors", headers=app)
    bearer = {**app, "authorization": f"Bearer {joined.json['visitor_token']}"}
    number = {"number": "+447700900123"}
    assert world.visit("POST", f"{zone}/visitors/me/codes", {**number, "channel": "sms"}, headers=bearer).status == 202
    code = {"code": world.codes.messages[-1].split()[0]}
    assert world.visit("POST", f"{zone}/visitors/me/phone", {**number, **code}, headers=bearer).status == 200
    world.run_started()
    assert world.visit("POST", f"{zone}/access-tokens", headers=bearer).status == 201


def guests_sale(world: Deployment) -> None:
    """Somebody waits, and is then invited into another lane: the ends of both lanes say which is sooner."""
    zone, app = f"{ROOT}/zones/guests", {"accept": "application/json"}
    world.put_zone(zone_id="guests", max_active=1, lanes={"general": {"weight": 1}, "vip": {"weight": 1}})
    *_, last = (world.visit("POST", f"{zone}/visitors", headers=app) for _ in range(3))
    link = world.operate("POST", "/zones/guests/invitations", {"lane": "vip", "name": "Ada"}).json["token"]
    bearer = {**app, "authorization": f"Bearer {last.json['visitor_token']}"}
    assert world.visit("POST", f"{zone}/visitors", {"invitation": link}, headers=bearer).json["lane"] == "vip"
    # The first into a large zone seals its line until the exchanger is up.
    world.put_zone(zone_id="sudden", max_active=1, expected_joins_per_sec=2_000)
    world.clock.advance(60)
    assert world.visit("POST", f"{ROOT}/zones/sudden/visitors", headers=app).status == 201


def a_day_by_itself(world: Deployment) -> None:
    """A zone that opens and closes by the clock, and one that follows an alarm."""
    starts_at_ms = world.clock.ms + 600_000
    windows = [{"starts_at_ms": starts_at_ms, "ends_at_ms": starts_at_ms + 600_000}]
    windows += [{"starts_at_ms": starts_at_ms + 3_600_000, "opens_at_ms": starts_at_ms + 3_000_000}]
    assert world.put_zone(zone_id="timed", schedule={"windows": windows}).status == 201
    follows = {"health": {"alarm": "site-slow"}, "protection": {}, "rate_per_min": 60}
    assert world.put_zone(zone_id="guarded", **follows).status == 201
    world.alarms.states["site-slow"] = "ALARM"
    for _ in range(75):
        world.clock.advance(60)
        world.run("dispatcher")
        world.functions.started.clear()
    assert world.operate("GET", "/zones/timed").json["run"] == 2
    assert world.operate("GET", "/zones/guarded").json["safe_rate_per_min"] == 1
    for zone_id in ("timed", "guarded"):
        world.operate("DELETE", f"/zones/{zone_id}")


def a_start_is_near(world: Deployment) -> None:
    """Bouncers are warmed for it, by runs of the dispatcher."""
    assert world.put_zone(zone_id="soon", starts_at_ms=world.clock.ms + 100_000).status == 201
    world.functions.started.clear()
    assert world.run("dispatcher")["warming"] == 2
    assert "dispatcher" in world.run_started()
    assert world.functions.called
    assert {world.run("bouncer", **given) == {} for _, given in world.functions.called} == {True}
    world.operate("DELETE", "/zones/soon")


@pytest.fixture(scope="module")
def world() -> Deployment:
    """A deployment after a day on which everything happened once."""
    world = Deployment()
    site_key = operators_day(world)
    world.run("publisher")
    del world.bucket.objects[OWN.snapshot_key]
    world.run("dispatcher")
    assert set(world.run_started()) == {"publisher", "exchanger"}
    world.clock.advance(100)
    visits(world, site_key)
    large_sale(world)
    members_sale(world)
    phones_sale(world)
    guests_sale(world)
    world.run("publisher")
    world.clock.advance(100)
    world.run("dispatcher")
    world.run_started()
    changes(world)
    a_day_by_itself(world)
    a_start_is_near(world)
    assert [line for line in world.log.lines if "stack" in line] == []
    return world


@pytest.mark.parametrize("component", COMPONENTS)
def test_no_right_is_granted_that_the_code_does_not_use(world: Deployment, component: str) -> None:
    rights = world.rights[component]
    own = {right for right in rights.granted if not right[1].startswith("stream")}
    assert own - rights.used.keys() == set()


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_stream_is_read_with_exactly_what_lambda_needs_for_it(component: str) -> None:
    spec = schemas.functions()[component]
    read = {each["resource"]: set(each["actions"]) for each in spec["permissions"]}
    streams = {resource: actions for resource, actions in read.items() if resource.startswith("stream:")}
    trigger = spec["triggers"].get("stream")
    assert streams == ({f"stream:{trigger['table']}": STREAM_READER} if trigger else {})
    # Lambda asks for all four, and the last is a right on all streams or none ("Actions, resources, and condition
    # keys for Amazon DynamoDB", Service Authorization Reference).
    assert read.get("streams", set()) == ({"dynamodb:ListStreams"} if trigger else set())


@pytest.mark.parametrize("component", VISITORS_FUNCTIONS)
def test_no_service_on_a_visitors_path_is_slower_than_a_crowd(component: str) -> None:
    actions = {action for each in schemas.functions()[component]["permissions"] for action in each["actions"]}
    services = {action.partition(":")[0] for action in actions}
    assert {name: CALLS_PER_SEC[name] for name in services if CALLS_PER_SEC[name] < LEAST_PER_SEC} == {}


@pytest.mark.parametrize("action", ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"])
def test_private_keys_are_read_by_who_signs_and_written_by_who_rotates(action: str) -> None:
    permissions = {name: spec["permissions"] for name, spec in schemas.functions().items()}
    held = {
        name
        for name, given in permissions.items()
        if any(each["resource"] == "secret:signing_keys" and action in each["actions"] for each in given)
    }
    assert held == ({"bouncer", "operator"} if action.endswith("GetSecretValue") else {"operator"})


def test_a_right_that_is_missing_is_missed() -> None:
    for component, right, act in (
        ("bouncer", ("dynamodb:PutItem", "table:queue"), lambda world: world.visit("POST", "/visitors")),
        ("operator", ("dynamodb:Scan", "table:protected_zones"), lambda world: world.operate("GET", "/zones")),
    ):
        world = Deployment()
        world.put_zone()
        assert act(world).status < 300
        world.rights[component].granted -= {right}
        assert act(world).status == 500
        assert f"{right[0]} on {right[1]}" in world.log.lines[-1]["stack"]


def test_a_missing_key_is_only_told_apart_with_the_right_to_list() -> None:
    world = Deployment()
    world.rights["publisher"].granted -= {("s3:ListBucket", "bucket")}
    with pytest.raises(Exception, match="s3:ListBucket on bucket"):
        world.run("publisher")


def test_a_policy_has_one_statement_for_each_permission_and_no_wildcard_resource() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    addresses = permissions.Addresses(Names("tickets"), "eu-west-1", "123456789012", alerts_key=key)
    for spec in schemas.functions().values():
        statements = permissions.function_policy(spec, addresses)["Statement"]
        given = [each for each in spec["permissions"] if not each["resource"].startswith(permissions.SWITCHED_OFF)]
        assert [statement["Action"] for statement in statements] == [sorted(p["actions"]) for p in given]
        resources = [resource for statement in statements for resource in statement["Resource"]]
        assert all(
            resource.startswith("arn:aws:") and not resource.endswith(":*")
            for resource in resources
            if resource not in ALARMS | PASSCODES | STREAMS
        )
    expected: dict[str, Any] = {
        "table:user_connections": "arn:aws:dynamodb:eu-west-1:123456789012:table/tickets-user-connections",
        "stream:queue": "arn:aws:dynamodb:eu-west-1:123456789012:table/tickets-queue/stream/*",
        "function:exchanger": "arn:aws:lambda:eu-west-1:123456789012:function:tickets-exchanger",
        "secret:signing_keys": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tickets/signing-keys-??????",
        "parameter:signing_keys": "arn:aws:ssm:eu-west-1:123456789012:parameter/tickets/signing-keys",
        "archive:stream": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/tickets-archive",
        "failures:queue": "arn:aws:sqs:eu-west-1:123456789012:tickets-failures",
        "secret:join_secrets": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tickets/join-secrets/*",
        "bucket": "arn:aws:s3:::tickets-site",
        "bucket:.waiting-room/status/*": "arn:aws:s3:::tickets-site/.waiting-room/status/*",
    }
    assert {reference: addresses.of(reference) for reference in expected} == expected
    with pytest.raises(KeyError):
        addresses.of("queue:dead-letters")
