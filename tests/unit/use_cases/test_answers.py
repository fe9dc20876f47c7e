"""What the functions really do, against the schemas: every answer is documented, every right granted is one used."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scripts.local.codes import Codes
from tests.support.api_world import BROWSER, ORIGIN_SECRET, ROOT, SNAPSHOT_KEY, ZONE_ID, ApiWorld, Browser
from tests.support.memory_aws import MemoryKms
from tests.support.passcodes import FakePasscodes
from tests.support.stored_items import StoredItems
from tests.unit.http.test_identity import ISSUER, LOGIN, claim
from waiting_room import schemas
from waiting_room.adapters.cipher import KmsCipher
from waiting_room.composition import socket_app
from waiting_room.domain.admission.calls import Calls
from waiting_room.domain.locations import SITE_KEY
from waiting_room.http.credentials import JOIN_CLAIM_HEADER
from waiting_room.http.frame.guards import only_from_distribution
from waiting_room.http.frame.validation import validate
from waiting_room.http.page.assets import site_assets
from waiting_room.http.page.pages import waiting_page
from waiting_room.ports import Delivery
from waiting_room.use_cases.dispatch import Dispatch
from waiting_room.use_cases.exchange import Exchange
from waiting_room.use_cases.notify import HANDSHAKE_MS, Notify
from waiting_room.use_cases.publish import Publish
from waiting_room.use_cases.zones import hash_site_key

SITE = Path(__file__).parents[3] / "lambdas" / "publisher" / "site" / "assets"
METHODS = {"get_item": "GetItem", "put_item": "PutItem", "update_item": "UpdateItem", "delete_item": "DeleteItem"} | {
    "query": "Query",
    "scan": "Scan",
}
BATCHES = {"batch_get_item": "BatchGetItem"}
READS = {"get_item", "query", "scan", *BATCHES}


PRESS = {**BROWSER, "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
ALERTS = {"channels": ["sms"], "prefixes": ["+44"]}
TELEPHONE = "+447700900123"


@dataclass
class Witness:
    """Sees every call to AWS of the function at work, and every answer of the API."""

    world: ApiWorld
    passcodes: FakePasscodes
    who: str = ""
    calls: set[tuple[str, str, str]] = field(default_factory=set)
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stored: StoredItems = field(default_factory=StoredItems)

    def dynamo(self, method: str, request: dict[str, Any], phase: str) -> None:
        if phase == "after" and method not in READS:
            self.stored.note(self.world.dynamo)
        if phase != "before" or not self.who:
            return
        if method in BATCHES:
            self.calls |= {
                (self.who, f"dynamodb:{BATCHES[method]}", f"table:{name}") for name in request["RequestItems"]
            }
            return
        if method != "transact_write_items":
            self.calls.add((self.who, f"dynamodb:{METHODS[method]}", f"table:{request['TableName']}"))
            return
        for part in request["TransactItems"]:
            ((kind, write),) = part.items()
            self.calls.add((self.who, f"dynamodb:{kind}Item", f"table:{write['TableName']}"))

    @contextmanager
    def watch(self, who: str) -> Iterator[None]:
        """Note calls as those of a function, also those to functions and objects."""
        functions, objects = self.world.functions, self.world.objects
        self.who, functions.started = who, []
        objects.gets, objects.puts = [], []
        yield
        self.calls |= {(who, "lambda:InvokeFunction", f"function:{name}") for name, _ in functions.started}
        self.calls |= {(who, "s3:GetObject", key) for key in objects.gets}
        self.calls |= {(who, "s3:PutObject", key) for key in objects.puts}
        self.who = ""

    def listening(self, who: str, app: Any) -> Any:
        """The function, with every answer noted under the operation it belongs to."""

        def answer(event: Mapping[str, Any], context: object) -> dict[str, Any]:
            with self.watch(who):
                given: dict[str, Any] = app(event, context)
            self.answers.append((operation_of(event), given))
            return given

        return answer


def operation_of(event: Mapping[str, Any]) -> str:
    method, stage = event["requestContext"]["http"]["method"], event["requestContext"]["stage"]
    path = event["rawPath"].removeprefix(f"/{stage}")
    # "me" is no visitor's id: the more exact path comes first, as it does in API Gateway.
    found = [each for each in schemas.operations().values() if each.method == method and fits(each.path, path)]
    return min(found, key=lambda each: each.path.count("{")).operation_id


def fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None


@pytest.fixture(scope="module")
def witness() -> Witness:
    """One sale, with everything in it that anybody can do."""
    passcodes = FakePasscodes(Codes())
    world = ApiWorld(KmsCipher(MemoryKms(), "key"), passcodes)
    witness = Witness(world, passcodes)
    world.dynamo.on_call = witness.dynamo
    world.bouncer = witness.listening("bouncer", world.bouncer)
    world.operator = witness.listening("operator", world.operator)
    world.objects.put(SITE_KEY, b'{"site_url": "https://example.com"}', "application/json", "")
    operators_open(world)
    ask_for_alerts(world)
    run_jobs(witness)
    visitors_come(witness)
    invited_come(world)
    operators_act(world)
    run_jobs(witness)
    mistakes(world)
    world.operate("DELETE", f"/zones/{ZONE_ID}")
    verify_phones(witness)
    rush(witness)
    many_places(world)
    return witness


def ask_for_alerts(world: ApiWorld) -> None:
    """Somebody far back wants to be told, and somebody else after all not."""
    told, doubtful = Browser(world), Browser(world)
    for browser in (told, doubtful):
        browser.ask("POST", "/visitors")
        asked = {"channel": "sms", "number": TELEPHONE, "consent": True}
        assert browser.ask("POST", "/visitors/me/alerts", asked).status == 202
    doubtful.ask("DELETE", "/visitors/me/alerts")


def verify_phones(witness: Witness) -> None:
    """Two places and one number: the first has it, the second is told so."""
    world = witness.world
    world.put_zone(identity={"mode": "require", "phone": {"channels": ["sms"], "prefixes": ["+44"]}})
    world.clock.advance(5)
    first, second, unverified = (Browser(world) for _ in range(3))
    for browser in (first, second, unverified):
        browser.ask("POST", "/visitors")
        browser.ask("POST", "/visitors/me/codes", {"channel": "sms", "number": TELEPHONE})
        if browser is not unverified:
            code = witness.passcodes.sent[-1][2]
            browser.ask("POST", "/visitors/me/phone", {"number": TELEPHONE, "code": code})
    run_jobs(witness)
    unverified.ask("POST", "/access-tokens")
    first.ask("POST", "/access-tokens")
    world.operate("DELETE", f"/zones/{ZONE_ID}")


def rush(witness: Witness) -> None:
    """A zone for so many that each lane has several join counters."""
    world = witness.world
    world.put_zone(expected_joins_per_sec=1_500, order="lottery", starts_at_ms=world.clock.ms + 60_000)
    world.clock.advance(5)
    browser = Browser(world)
    browser.enter()
    run_jobs(witness)
    browser.ask("GET", "/visitors/me")
    browser.ask("POST", "/access-tokens")


def many_places(world: ApiWorld) -> None:
    """One account after the other from one network, where that is only looked at and where it is refused."""
    identity = {"mode": "require", "issuer": ISSUER, "keys": [dict(LOGIN.public_jwk)]}
    for mode in ("observe", "refuse"):
        changes = {"identity": identity, "network_limit": {"mode": mode, "places": 1}}
        world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": changes})
        world.clock.advance(5)
        for name in ("ada", "grace", "linus"):
            world.visit("POST", "/visitors", headers={JOIN_CLAIM_HEADER: claim(world, name + mode)})


def operators_open(world: ApiWorld) -> None:
    world.operate("GET", "/keys")
    world.put_zone(inventory=100, max_active=2, alerts=ALERTS)
    world.put_zone(inventory=100, max_active=3, version=1, alerts=ALERTS)
    world.operate("GET", "/zones")
    world.operate("GET", f"/zones/{ZONE_ID}")


def run_jobs(witness: Witness) -> None:
    """A minute of those nobody waits for."""
    world, stores = witness.world, witness.world.stores
    dispatch = Dispatch(
        stores.zones,
        stores.gates,
        stores.sales,
        world.tick_zone,
        world.objects,
        world.functions,
        world.clock,
        exchanger="foyer-exchanger",
        publisher="foyer-publisher",
        snapshot_key=SNAPSHOT_KEY,
    )
    publish = Publish(
        stores.zones,
        world.objects,
        world.clock,
        waiting_page,
        site_assets(SITE),
        issuer="foyer",
        snapshot_key=SNAPSHOT_KEY,
    )
    exchange = Exchange(world.tick_zone, stores.locks, world.clock, world.ids, world.clock.advance)
    world.clock.advance(100)
    with witness.watch("dispatcher"):
        dispatch()
    with witness.watch("publisher"):
        publish()
    with witness.watch("exchanger"):
        exchange([ZONE_ID], run_sec=12)


def visitors_come(witness: Witness) -> None:
    world = witness.world
    # Into a zone that has been silent for a while: the first of them wakes it.
    world.clock.advance(60)
    buyer, leaver = Browser(world), Browser(world)
    buyer.enter()
    leaver.enter()
    world.visit("POST", "/door", headers={})
    buyer.ask("GET", "/visitors/me")
    buyer.ask("GET", "/visitors/me", headers=BROWSER)
    app = world.visit("POST", "/visitors", headers={})
    bearer = {"authorization": f"Bearer {app.json['visitor_token']}"}
    queued = world.visit("POST", "/visitors", headers={})
    waiting = moves(world, {"authorization": f"Bearer {queued.json['visitor_token']}"})
    listens(witness, waiting)
    for headers in (bearer, waiting):
        world.visit("POST", "/visitors", headers=headers)
        world.visit("POST", "/visitors/me/away", headers=headers)
        world.visit("POST", "/visitors/me/back", headers=headers)
        world.visit("POST", "/access-tokens", headers=headers)
    with witness.watch("exchanger"):
        world.tick(12)
    buyer.enter()
    admitted = world.visit("POST", "/access-tokens", headers=bearer)
    access = {"authorization": f"Bearer {admitted.json['access_token']}"}
    world.clock.advance(60)
    world.visit("POST", "/sessions/me/renewals", headers=access)
    world.clock.advance(250)
    buyer.ask("GET", "/sessions/me/renew", headers=BROWSER, query="to=/events/midnight-sun")
    buys(world, buyer.access_token)
    leaver.ask("DELETE", "/sessions/me")
    with witness.watch("exchanger"):
        world.tick(3)
    world.visit("DELETE", "/sessions/me", headers=waiting)
    world.visit("POST", "/access-tokens", headers=waiting)


def moves(world: ApiWorld, old: dict[str, str]) -> dict[str, str]:
    """The place goes to another device, which shows itself by the headers returned; the old one is refused."""
    path = world.visit("POST", "/visitors/me/links", headers=old).json["path"]
    token = path.partition("#")[2]
    world.visit("GET", "/moves", headers=BROWSER)
    moved = world.visit("POST", "/moves", {"token": token}, headers={})
    for headers in ({}, old):
        world.visit("POST", "/moves", {"token": token}, headers=headers)
    world.visit("GET", "/visitors/me", headers=old)
    return {"authorization": f"Bearer {moved.json['visitor_token']}"}


def listens(witness: Witness, headers: dict[str, str]) -> None:
    """A WebSocket opens, and is gone when its visitor is called."""
    world = witness.world
    guard, nobody = only_from_distribution(ORIGIN_SECRET), Nobody()
    sockets = socket_app(world.stores, world.tokens, guard, nobody.close, world.clock, world.log)
    context = {"routeKey": "$connect", "connectionId": "c="}
    sent = {**headers, "x-foyer-origin-secret": ORIGIN_SECRET}
    event = {"headers": sent, "queryStringParameters": {"zone": ZONE_ID}, "requestContext": context}
    with witness.watch("connections"):
        assert sockets(event, None) == {"statusCode": 200}
    world.clock.advance(HANDSHAKE_MS / 1000)
    notify = Notify(world.stores.user_connections, nobody, world.clock, world.clock.advance)
    with witness.watch("notifier"):
        assert notify(Calls(ZONE_ID, 1, "general", 0, 1_000, 1)) == {Delivery.GONE: 1}


class Nobody:
    """Connections that are all gone."""

    def push(self, connection_id: str, message: bytes) -> Delivery:
        return Delivery.GONE

    def close(self, connection_id: str) -> None:
        """It is ended already."""


def buys(world: ApiWorld, token: str) -> None:
    """The site's server confirms, with a site key of its own."""
    key = "the site's own key"
    version = world.operate("GET", f"/zones/{ZONE_ID}").json["version"]
    settings = {"inventory": 100, "max_active": 3}
    world.put_zone(**settings, version=version, site_key_sha256=hash_site_key(key))
    headers = {"authorization": f"Bearer {key}"}
    for reference, checkout in (("order-1", False), ("order-1", True), ("order-2", True)):
        body = {"token": token, "reference": reference, "checkout": checkout}
        world.visit("POST", f"{ROOT}/confirmations", body, headers=headers)
    world.visit("POST", f"{ROOT}/confirmations", {"token": token}, headers=headers)


def invited_come(world: ApiWorld) -> None:
    """Into a lane of their own: by an operator's link, and by the site when a user has logged in."""
    key, version = "the site's own key", world.operate("GET", f"/zones/{ZONE_ID}").json["version"]
    settings = {"inventory": 100, "max_active": 3, "site_key_sha256": hash_site_key(key)}
    lanes = {"general": {"weight": 1}, "vip": {"weight": 1}}
    world.put_zone(**settings, lanes=lanes, version=version)
    world.clock.advance(5)
    made = world.operate("POST", f"/zones/{ZONE_ID}/invitations", {"lane": "vip", "name": "Ada"})
    phone, laptop = Browser(world), Browser(world)
    for browser in (phone, laptop):
        browser.ask("GET", "/invitations", headers=BROWSER)
        browser.ask("POST", "/invitations", raw=f"token={made.json['token']}", headers=PRESS)
        browser.ask("POST", "/visitors")
    phone.ask("GET", "/visitors/me")
    phone.ask("POST", "/invitations", raw="token=e30.e30.no", headers=PRESS)
    body = {"zone_id": ZONE_ID, "lane": "vip", "reference": "user-1"}
    headers = {"authorization": f"Bearer {key}"}
    user = world.visit("POST", f"{ROOT}/invitations", body, headers=headers)
    world.visit("POST", "/visitors", {"invitation": user.json["token"]}, headers={})
    world.visit("POST", f"{ROOT}/invitations", {**body, "lane": "none"}, headers=headers)


def operators_act(world: ApiWorld) -> None:
    control = f"/zones/{ZONE_ID}/control"
    for body in ({"control": "pause"}, {"control": "auto"}, {"changes": {"message": "Soon."}}, {"changes": {"a": 1}}):
        world.operate("POST", control, body)
    world.operate("POST", f"/zones/{ZONE_ID}/restorations", {"to_at_ms": world.clock.ms})
    made = world.operate("POST", f"/zones/{ZONE_ID}/bypass-tokens", {"name": "Ada"})
    staff = Browser(world)
    staff.ask("GET", "/bypasses", headers=BROWSER)
    staff.ask("POST", "/bypasses", {"token": made.json["token"]})
    visitor = next(iter(world.dynamo.tables["queue"].records))
    visitor_id = str(visitor[0] if isinstance(visitor, tuple) else visitor).rpartition("#")[2]
    world.operate("GET", f"/zones/{ZONE_ID}/visitors/{visitor_id}")
    for revoked in ({"bypass_id": made.json["id"]}, {"visitor_id": visitor_id}, {"session_id": "S" * 22}):
        world.operate("POST", f"/zones/{ZONE_ID}/revocations", {**revoked, "reason": "resold"})
    world.operate("DELETE", f"/zones/{ZONE_ID}/visitors/{visitor_id}")
    world.operate("GET", f"/zones/{ZONE_ID}/metrics", query="minutes=5")
    world.operate("GET", f"/zones/{ZONE_ID}/history", query="entries=5")
    world.operate("POST", control, {"reset": True})
    replaced = world.operate("GET", "/keys").json["keys"][0]["kid"]
    world.clock.advance(400)
    world.operate("POST", "/keys/rotations")
    world.operate("DELETE", f"/keys/{replaced}")
    world.clock.advance(400)
    world.operate("DELETE", f"/keys/{replaced}", query="force=true")


def mistakes(world: ApiWorld) -> None:
    world.visit("POST", f"{ROOT}/zones/unknown/visitors", headers={})
    world.visit("POST", "/access-tokens", headers={})
    world.visit("GET", "/visitors/me", headers={})
    world.visit("GET", "/enter", headers=BROWSER, query="to=//evil.example")
    world.operate("GET", "/zones/unknown")
    world.operate("GET", f"/zones/{ZONE_ID}/visitors/{'v' * 22}")
    world.put_zone(version=1)
    world.put_zone(max_active=0)
    world.operate("POST", f"/zones/{ZONE_ID}/revocations", {})


def test_every_operation_was_asked_and_did_well(witness: Witness) -> None:
    done = {name for name, answer in witness.answers if answer["statusCode"] < 400}
    assert done == schemas.operations().keys()


def test_every_answer_is_documented(witness: Witness) -> None:
    document = schemas.openapi()
    definitions = {
        definition["operationId"]: definition for item in document["paths"].values() for definition in item.values()
    }
    for name, answer in witness.answers:
        responses = definitions[name]["responses"]
        code = str(answer["statusCode"])
        assert code in responses, f"{name} answered {code}: {answer['body']}"
        response = responses[code]
        if "$ref" in response:
            response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
        if not answer["body"]:
            continue
        media_type = answer["headers"]["content-type"].partition(";")[0]
        assert media_type in response["content"], f"{name} answered {code} as {media_type}"
        if media_type != "text/html":
            validate(json.loads(answer["body"]), response["content"][media_type]["schema"])


def test_stored_zones_fit_their_schema(witness: Witness) -> None:
    told = [json.loads(answer["body"]) for name, answer in witness.answers if name == "get_zone"]
    stored = [zone for zone in told if "zone_id" in zone]
    assert stored
    for zone in stored:
        validate(zone, "zone")


def test_published_documents_fit_their_schemas(witness: Witness) -> None:
    objects = witness.world.objects.objects
    validate(json.loads(objects[f".waiting-room/status/{ZONE_ID}.json"].body), "status")
    snapshot = json.loads(objects[SNAPSHOT_KEY].body)
    validate(snapshot, "snapshot")
    assert snapshot["zones"]
    assert snapshot["keys"]


def test_published_objects_are_cached_as_their_behaviour_says(witness: Witness) -> None:
    behaviours = schemas.behaviours()["behaviours"]
    for key, written in witness.world.objects.objects.items():
        if key == SITE_KEY:
            continue
        served = next(each for each in behaviours if matches(each["path_pattern"], f"/{key}"))
        assert written.cache_control == served["cache_control"], key


def test_objects_are_read_and_written_where_that_is_allowed(witness: Witness) -> None:
    spent = set()
    for who, action, key in witness.calls:
        if action.startswith("s3:"):
            patterns = [
                permission["resource"]
                for permission in schemas.functions()[who]["permissions"]
                if action in permission["actions"] and matches(permission["resource"], f"bucket:{key}")
            ]
            assert patterns, f"{who}: {action} {key}"
            spent |= {(who, action, pattern) for pattern in patterns}
    granted = {
        (component, action, permission["resource"])
        for component, spec in schemas.functions().items()
        for permission in spec["permissions"]
        for action in permission["actions"]
        if permission["resource"].startswith("bucket:")
    }
    assert spent == granted


def matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


def test_every_answer_is_hardened_and_open_to_no_other_site(witness: Witness) -> None:
    for name, answer in witness.answers:
        headers = answer["headers"]
        assert headers["x-content-type-options"] == "nosniff", name
        assert headers["strict-transport-security"] == "max-age=31536000", name
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe-inline" not in policy, name
        assert not [header for header in headers if header.startswith("access-control-")], name
        if answer["statusCode"] >= 400 and headers["content-type"] != "text/html; charset=utf-8":
            assert headers["content-type"] == "application/problem+json", name


def test_no_log_line_table_or_object_holds_a_token_or_an_address(witness: Witness) -> None:
    """Everything anybody was given in the sale, and where everybody came from, is searched for in all that is left."""
    world = witness.world
    answered = str([answer for _, answer in witness.answers])
    tokens = set(re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]{86}", answered))
    kinds = {json.loads(base64.urlsafe_b64decode(t.split(".")[1] + "==="))["aud"] for t in tokens}
    assert kinds == {"visitor", "access", "bypass", "invitation", "link"}
    rows = [list(table.records.items()) for table in world.dynamo.tables.values()]
    left = {
        "log": str(world.log.lines),
        "tables": str(rows),
        "objects": str({key: written.body for key, written in world.objects.objects.items()}),
        "started functions": str(world.functions.started),
    }
    for place, text in left.items():
        assert not [token for token in tokens if token in text or token.rpartition(".")[2] in text], place
        assert "eyJ" not in text, place
        assert "203.0.113.7" not in text, place
        assert TELEPHONE.removeprefix("+44") not in text, place
        assert not [code for _, _, code in witness.passcodes.sent if re.search(rf"(?<![0-9]){code}(?![0-9])", text)]
        assert "the site's own key" not in text, place
        assert not [key for key in world.keys.load() if key.private_jwk["d"] in text], place


def test_every_attribute_that_is_stored_is_described_with_its_table(witness: Witness) -> None:
    assert witness.stored.undescribed() == set()


def test_every_attribute_that_is_described_is_stored(witness: Witness) -> None:
    """But for what this sale has not: an ill site, refused claims, streams, alerts before the start."""
    elsewhere = {("counters", kind) for kind in ("counted", "visits", "door")}
    elsewhere |= {("protected_zones", "health"), ("user_connections", "prequeue")}
    beacon = {("protected_zones", "draw", name) for name in ("beacon_round", "beacon_value")}
    assert {one for one in witness.stored.missing() if one[:2] not in elsewhere} == beacon
