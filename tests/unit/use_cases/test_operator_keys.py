"""Rotation of the signing keys: nobody loses a place, nothing is signed that an edge would refuse."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.support.api_world import SNAPSHOT_KEY, ApiWorld, Browser, HttpAnswer
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.signing_keys import CACHE_SEC, MOST_KEYS, SigningKeys, new_key
from waiting_room.domain.gate.snapshot import read_snapshot
from waiting_room.http.frame.validation import validate
from waiting_room.tokens import Verifier
from waiting_room.use_cases.keys import INTRODUCED_SEC, KEY_ITEM, KEYS_PARTITION, LOCK_ITEM, LOCKED_SEC, OUTLIVED_SEC
from waiting_room.use_cases.publish import JWKS_KEY, Publish


class World(ApiWorld):
    """One deployment whose publisher runs when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.publish = Publish(
            self.stores.zones,
            self.objects,
            self.clock,
            lambda zone: zone.title,
            (),
            issuer="foyer",
            snapshot_key=SNAPSHOT_KEY,
        )
        self.put_zone()
        self.publish()

    def rotate(self) -> HttpAnswer:
        return self.operate("POST", "/keys/rotations")

    def retire(self, kid: str, query: str = "") -> HttpAnswer:
        return self.operate("DELETE", f"/keys/{kid}", query=query)

    def states(self) -> dict[str, str]:
        return {key["kid"]: key["state"] for key in self.operate("GET", "/keys").json["keys"]}

    def kid(self, state: str) -> str:
        return next(kid for kid, found in self.states().items() if found == state)

    def switched(self) -> str:
        """Rotate until the next key signs; the id of the key it replaced."""
        old = self.kid("active")
        self.clock.advance(INTRODUCED_SEC)
        assert self.rotate().json["step"] == "switched"
        self.publish()
        return old

    def passes_the_gate(self, token: str) -> bool:
        snapshot = read_snapshot(json.loads(self.objects.objects[SNAPSHOT_KEY].body), "foyer")
        return Verifier(snapshot.keys, "foyer").verify(token, "access", now_sec=self.clock.now_sec) is not None

    def admitted(self) -> Browser:
        browser = Browser(self)
        browser.enter()
        self.tick(2)
        browser.enter()
        return browser


@pytest.fixture
def world() -> World:
    return World()


def kid_of(token: str) -> str:
    header = token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def test_the_next_key_signs_only_after_every_edge_has_heard_of_it(world: World) -> None:
    upcoming = world.kid("next")
    world.clock.advance(INTRODUCED_SEC - 1)
    early = world.rotate()
    assert (early.status, early.json["step"], early.json["wait_sec"]) == (200, "waiting", 1)
    assert world.kid("next") == upcoming
    world.clock.advance(1)
    done = world.rotate()
    validate(done.json, schemas.components()["KeyRotation"])
    assert done.json["step"] == "switched"
    assert world.kid("active") == upcoming
    assert sorted(world.states().values()) == ["active", "next", "retired"]
    assert world.log.lines[-3]["audit"] == {"action": "rotate_keys", "step": "switched", "active": [upcoming]}
    assert not any("d" in key for key in done.json["keys"])


def test_a_key_that_no_snapshot_has_never_signs(world: World) -> None:
    """A publisher that stands still must not turn a rotation into a closed site."""
    world.switched()
    world.objects.objects[SNAPSHOT_KEY] = old = world.objects.objects[SNAPSHOT_KEY]
    world.clock.advance(INTRODUCED_SEC)
    assert world.rotate().json["step"] == "switched"
    # This time nobody publishes.
    world.clock.advance(10 * INTRODUCED_SEC)
    active = world.kid("active")
    waiting = world.rotate().json
    assert (waiting["step"], waiting["wait_sec"]) == ("waiting", 60)
    assert world.kid("active") == active
    assert world.objects.objects[SNAPSHOT_KEY] is old


def test_tokens_of_the_old_key_are_good_until_it_is_retired(world: World) -> None:
    browser = world.admitted()
    token, visitor_token = browser.access_token, browser.visitor_token
    old = world.switched()
    assert kid_of(token) == old
    assert world.tokens.verify(visitor_token, "visitor", now_sec=world.clock.now_sec) is not None
    newcomer = world.admitted()
    assert kid_of(newcomer.access_token) == world.kid("active") != old
    assert world.passes_the_gate(newcomer.access_token)
    jwks = json.loads(world.objects.objects[JWKS_KEY].body)["keys"]
    assert {key["kid"] for key in jwks} == set(world.states())
    place = browser.ask("GET", "/visitors/me").json
    assert place["position"] == 0, "the place is still known"


def test_every_function_takes_over_before_an_edge_could_refuse_what_it_signs(world: World) -> None:
    """A function that has just read the keys signs with the old one for CACHE_SEC; the edge knows both."""
    old = world.kid("active")
    world.clock.advance(INTRODUCED_SEC)
    elsewhere = SigningKeys(Clients(world.secrets, world.secrets), "foyer/signing-keys", world.clock)
    kept = elsewhere.load()
    world.rotate()
    world.publish()
    world.clock.advance(CACHE_SEC - 1)
    assert elsewhere.load() is kept
    snapshot = read_snapshot(json.loads(world.objects.objects[SNAPSHOT_KEY].body), "foyer")
    assert old in {key["kid"] for key in snapshot.keys}
    assert world.retire(old, "force=true").problem == "key-in-use"


def test_a_key_is_retired_when_its_last_token_has_expired(world: World) -> None:
    old = world.switched()
    world.clock.advance(OUTLIVED_SEC - 1)
    early = world.retire(old)
    assert (early.status, early.problem) == (409, "key-in-use")
    assert "in 1 s" in early.json["detail"]
    world.clock.advance(1)
    assert world.retire(old).status == 204
    assert world.log.lines[-1]["audit"] == {"action": "retire_key", "kid": old, "force": False}
    assert sorted(world.states().values()) == ["active", "next"]
    again = world.retire(old)
    assert (again.status, again.problem) == (404, "unknown-key")


def test_a_leaked_key_is_worthless_once_it_is_retired_by_force(world: World) -> None:
    browser = world.admitted()
    token, visitor_token = browser.access_token, browser.visitor_token
    old = world.switched()
    world.clock.advance(CACHE_SEC)
    assert world.retire(old, "force=true").status == 204
    world.publish()
    assert not world.passes_the_gate(token)
    assert world.tokens.verify(token, "access", now_sec=world.clock.now_sec, allow_expired=True) is None
    assert world.tokens.verify(visitor_token, "visitor", now_sec=world.clock.now_sec) is None


@pytest.mark.parametrize("state", ["active", "next"])
def test_a_key_in_use_cannot_be_retired(world: World, state: str) -> None:
    world.clock.advance(10 * OUTLIVED_SEC)
    answer = world.retire(world.kid(state), "force=true")
    assert (answer.status, answer.problem) == (409, "key-in-use")
    assert len(world.states()) == 2


def test_two_live_keys_are_there_after_every_step(world: World) -> None:
    for _ in range(3):
        world.switched()
        states = list(world.states().values())
        assert (states.count("active"), states.count("next")) == (1, 1)


def test_as_many_keys_as_can_be_stored(world: World) -> None:
    world.keys.replace((*world.keys.load(), *(new_key("retired", 0) for _ in range(MOST_KEYS - 2))))
    world.clock.advance(INTRODUCED_SEC)
    assert world.rotate().problem == "key-in-use"


def test_where_there_is_no_next_key_one_is_introduced(world: World) -> None:
    world.keys.replace(tuple(key for key in world.keys.load() if key.state == "active"))
    done = world.rotate().json
    assert (done["step"], done["wait_sec"]) == ("introduced", INTRODUCED_SEC)
    assert sorted(world.states().values()) == ["active", "next"]


def test_of_two_who_rotate_at_once_one_is_told_to_wait(world: World) -> None:
    world.clock.advance(INTRODUCED_SEC)
    assert world.stores.zones.hold(KEYS_PARTITION, LOCK_ITEM, world.clock.ms + 5_000, world.clock.ms)
    refused = world.rotate()
    assert (refused.status, refused.problem) == (429, "overloaded")
    assert "retry-after" in refused.headers
    world.clock.advance(LOCKED_SEC)
    assert world.rotate().json["step"] == "switched"
    assert world.rotate().json["step"] == "waiting", "rotated once"


@pytest.mark.parametrize("lost", ["key", "lock"])
def test_a_rotation_that_breaks_off_is_finished_by_the_next(world: World, lost: str) -> None:
    """The power goes while the public part of the new key, or the end of the lock, is written."""
    upcoming = world.kid("next")
    world.clock.advance(INTRODUCED_SEC)
    known = set(world.states())

    def crash(method: str, request: dict[str, Any], phase: str) -> None:
        item = str((request.get("Item") or request.get("Key") or {}).get("item", {}).get("S"))
        fresh = item.startswith(KEY_ITEM) and item.removeprefix(KEY_ITEM) not in known
        ends = method == "delete_item" and item == LOCK_ITEM
        if phase == "before" and (fresh if lost == "key" else ends):
            raise RuntimeError("power cut")

    world.dynamo.on_call = crash
    assert world.rotate().status == 500
    world.dynamo.on_call = None
    world.clock.advance(LOCKED_SEC)
    assert world.kid("active") == upcoming
    after = world.rotate().json
    assert after["step"] == "waiting"
    if lost == "key":
        assert after["wait_sec"] >= INTRODUCED_SEC - LOCKED_SEC, "counted from when it was really published"
    world.publish()
    world.clock.advance(INTRODUCED_SEC)
    assert world.rotate().json["step"] == "switched"


def test_a_retirement_that_breaks_off_is_finished_by_the_next(world: World) -> None:
    old = world.switched()
    world.clock.advance(OUTLIVED_SEC)

    def crash(method: str, request: dict[str, Any], phase: str) -> None:
        if (method, phase) == ("delete_item", "before") and KEY_ITEM in str(request["Key"]):
            raise RuntimeError("power cut")

    world.dynamo.on_call = crash
    assert world.retire(old).status == 500
    world.dynamo.on_call = None
    world.clock.advance(LOCKED_SEC)
    assert world.retire(old).status == 204
    assert len(world.stores.zones.records(KEYS_PARTITION, KEY_ITEM)) == 2


@pytest.mark.parametrize("query", ["force=1", "force=", "force=True", "force=true&force=true"])
def test_force_is_true_or_false(world: World, query: str) -> None:
    answer = world.retire(world.switched(), query)
    assert (answer.status, answer.json["pointer"]) == (400, "/force")
