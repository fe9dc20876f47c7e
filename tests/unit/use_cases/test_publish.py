"""Publishing: the newest state of all zones, in the right order, written only where it changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import referencing

from tests.memory_dynamo import MemoryDynamo
from tests.support.fakes import FakeClock, FakeIds, FakeObjectStore, FakeSigningKeys
from tests.support.gate_support import ISSUER, zone
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import Overloaded, TooLarge
from waiting_room.domain.gate.published import SnapshotParts, build_snapshot, encode_snapshot
from waiting_room.domain.gate.snapshot import BadSnapshot, read_snapshot
from waiting_room.domain.line.draws import METHOD, commitment_to, published_draw
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import ObjectStore
from waiting_room.tokens import InvalidKey
from waiting_room.use_cases.keys import KEY_ITEM, KEYS_PARTITION
from waiting_room.use_cases.leave import REVOKED_SID, REVOKED_VISITOR
from waiting_room.use_cases.minute_rows import ENTRY
from waiting_room.use_cases.publish import ASSETS_PREFIX, JWKS_KEY, TRIES, Publish, Published
from waiting_room.use_cases.revoke import REVOKED_BYPASS

SNAPSHOT_KEY = ".waiting-room/gate-0123456789abcdef0123456789abcdef.json"
PAGE_KEY = ".waiting-room/pages/midnight-sun/index.html"
SCRIPT = ("waiting.js", b"export {};", "text/javascript; charset=utf-8", "public, max-age=300")
IDS = FakeIds()
SID, VISITOR, BYPASS_ID = IDS.session_id(), IDS.visitor_id(), IDS.session_id()


def waiting_page(shown: Zone) -> str:
    return f"<!doctype html><title>{shown.title or shown.zone_id}</title>"


class World:
    """A table with one zone and two keys, a bucket, and publishers over both."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.objects = FakeObjectStore()
        dynamo = MemoryDynamo([schemas.table("protected_zones")])
        self.zones = ProtectedZones(Clients(repeating=dynamo, once=dynamo), "protected_zones")
        self.save(zone())
        for key in FakeSigningKeys().keys:
            attributes = {"public_jwk": dict(key.public_jwk), "state": key.state, "created_at_ms": 0}
            self.zones.put_record(KEYS_PARTITION, KEY_ITEM + key.kid, attributes)

    def save(self, changed: Zone) -> None:
        stored = self.zones.get(changed.zone_id)
        version = stored.version + 1 if stored else 1
        assert self.zones.save(replace(changed, version=version), stored.version if stored else None)

    def publisher(self, objects: ObjectStore | None = None) -> Publish:
        return Publish(
            self.zones,
            objects or self.objects,
            self.clock,
            waiting_page,
            [SCRIPT],
            issuer=ISSUER,
            snapshot_key=SNAPSHOT_KEY,
        )

    def document(self, key: str = SNAPSHOT_KEY) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.objects.objects[key].body)
        return document


@pytest.fixture
def world() -> World:
    return World()


def test_everything_is_written_the_first_time_and_the_snapshot_last(world):
    published = world.publisher()()
    assert published.written == (JWKS_KEY, ASSETS_PREFIX + "waiting.js", PAGE_KEY)
    assert world.objects.puts == [*published.written, SNAPSHOT_KEY]
    assert world.document()["version"] == published.version == world.clock.now_sec
    assert world.document()["published_at_ms"] == world.clock.ms


def test_the_snapshot_fits_its_schema_and_the_gate_reads_it(world):
    world.publisher()()
    registry = referencing.Registry().with_resources(
        (name, referencing.jsonschema.DRAFT202012.create_resource(schemas.load(name.removesuffix(".json"))))
        for name in ("snapshot.json", "zone.json")
    )
    jsonschema.Draft202012Validator(schemas.load("snapshot"), registry=registry).validate(world.document())
    read = read_snapshot(world.document(), ISSUER)
    assert read.zones["midnight-sun"].session_kind == "navigation"
    assert len(read.keys) == 2


def test_types_and_cache_lifetimes_are_those_of_the_behaviours(world):
    world.publisher()()
    told = {key: (written.content_type, written.cache_control) for key, written in world.objects.objects.items()}
    by_name = {entry["name"]: entry["cache_control"] for entry in schemas.behaviours()["behaviours"]}
    assert told == {
        ASSETS_PREFIX + "waiting.js": SCRIPT[2:],
        PAGE_KEY: ("text/html; charset=utf-8", by_name["pages"]),
        JWKS_KEY: ("application/jwk-set+json", by_name["keys"]),
        SNAPSHOT_KEY: ("application/json", by_name["snapshot"]),
    }


def test_the_key_set_has_public_parts_only(world):
    world.zones.put_record(
        KEYS_PARTITION, KEY_ITEM + "leak", {"public_jwk": {**FakeSigningKeys().keys[0].private_jwk}, "state": "next"}
    )
    world.publisher()()
    for key in world.document(JWKS_KEY)["keys"]:
        assert set(key) == {"kid", "alg", "kty", "crv", "x", "y", "use"}
    assert all("d" not in key for key in world.document()["keys"])


def test_a_second_run_writes_nothing_but_a_fresh_snapshot(world):
    publish = world.publisher()
    first = publish()
    world.clock.advance(60)
    world.objects.puts.clear()
    world.objects.gets.clear()
    assert publish() == Published(first.version + 1, ())
    assert world.objects.puts == [SNAPSHOT_KEY]
    assert world.objects.gets == [SNAPSHOT_KEY], "what this instance wrote is not even read"
    assert world.document()["published_at_ms"] == world.clock.ms


def test_another_instance_compares_before_it_writes(world):
    world.publisher()()
    assert world.publisher()().written == ()


def test_only_what_changed_is_written_again(world):
    publish = world.publisher()
    publish()
    world.save(zone(title="Midnight Sun"))
    assert publish().written == (PAGE_KEY,)
    world.save(zone("winter-gala"))
    assert publish().written == (".waiting-room/pages/winter-gala/index.html",)
    assert [entry["zone_id"] for entry in world.document()["zones"]] == ["midnight-sun", "winter-gala"]


def test_a_recheck_heals_what_somebody_else_damaged(world):
    publish = world.publisher()
    publish()
    del world.objects.objects[PAGE_KEY]
    assert publish().written == ()
    assert publish(recheck=True).written == (PAGE_KEY,)


def test_a_deleted_zone_leaves_the_snapshot_with_its_records(world):
    world.zones.put_record("midnight-sun", REVOKED_SID + SID, {"revoked_by": "ada"})
    world.save(zone("winter-gala"))
    world.zones.delete("midnight-sun")
    world.publisher()()
    assert [entry["zone_id"] for entry in world.document()["zones"]] == ["winter-gala"]
    assert world.document()["revoked"] == {"sids": [], "visitors": [], "bypass": []}


def test_records_travel_until_they_expire(world):
    now_sec = world.clock.now_sec
    by = {"revoked_by": "ada"}
    world.zones.put_record("midnight-sun", REVOKED_SID + SID, by, now_sec + 60)
    world.zones.put_record("midnight-sun", REVOKED_VISITOR + VISITOR, {"reason": "bot"})
    world.zones.put_record("midnight-sun", REVOKED_BYPASS + BYPASS_ID, {"reason": "lost"}, now_sec + 120)
    world.zones.put_record("midnight-sun", ENTRY, {"entry": "page"})
    world.publisher()()
    assert world.document()["revoked"] == {"sids": [SID], "visitors": [VISITOR], "bypass": [BYPASS_ID]}
    assert world.document()["zones"][0]["entry"] == "page"
    world.clock.advance(60)
    world.publisher()()
    assert world.document()["revoked"] == {"sids": [], "visitors": [VISITOR], "bypass": [BYPASS_ID]}


def test_items_the_gate_need_not_know_stay_in_the_table(world):
    world.zones.put_record("midnight-sun", "draw#1", {"secret": "5ec4e7", "commitment": "c0ffee"})
    world.zones.put_record("midnight-sun", "bypass#abc", {"name": "Ada"})
    world.save(zone(site_key_sha256="ab" * 32, message="hello"))
    world.publisher()()
    text = json.dumps(world.document())
    assert not any(secret in text for secret in ("5ec4e7", "Ada", "ab" * 32, "hello"))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"version": "7"}', b'{"version": 0}', b"\xff"])
def test_without_a_readable_version_the_time_is_taken(world, body):
    world.objects.put(SNAPSHOT_KEY, body, "application/json", "")
    assert world.publisher()().version == world.clock.now_sec


def test_versions_count_up_from_the_stored_one(world):
    world.objects.put(SNAPSHOT_KEY, json.dumps({"version": 41}).encode(), "application/json", "")
    assert [world.publisher()().version for _ in range(3)] == [42, 43, 44]


def test_of_two_publishers_the_one_that_read_earlier_does_not_have_the_last_word(world):
    """One reads the zones and falls asleep; the zone changes and another publishes it; then the first wakes."""
    late, early = world.publisher(), world.publisher()
    late()

    def meanwhile(key: str) -> None:
        if key == SNAPSHOT_KEY:
            world.objects.before_put = None
            world.save(zone(control="lock", title="Locked"))
            early()

    world.objects.before_put = meanwhile
    version = late().version
    assert world.document()["version"] == version == world.clock.now_sec + 2
    assert world.document()["zones"][0]["control"] == "lock"
    assert b"Locked" in world.objects.objects[PAGE_KEY].body


def test_an_old_page_written_late_is_put_right_before_the_run_ends(world):
    late, early = world.publisher(), world.publisher()
    late()
    world.save(zone(title="Old"))

    def meanwhile(key: str) -> None:
        if key == PAGE_KEY:
            world.objects.before_put = None
            world.save(zone(title="New"))
            early()

    world.objects.before_put = meanwhile
    late()
    assert b"New" in world.objects.objects[PAGE_KEY].body


def test_two_first_publishers_make_one_snapshot_each_after_the_other(world):
    def meanwhile(key: str) -> None:
        if key == SNAPSHOT_KEY:
            world.objects.before_put = None
            world.publisher()()

    world.objects.before_put = meanwhile
    assert world.publisher()().version == world.clock.now_sec + 1


def test_a_snapshot_that_others_keep_writing_is_given_up(world):
    tries = []

    def meanwhile(key: str) -> None:
        if key == SNAPSHOT_KEY and world.objects.before_put is not None:
            tries.append(key)
            hook, world.objects.before_put = world.objects.before_put, None
            world.objects.put(SNAPSHOT_KEY, str(len(tries)).encode(), "application/json", "")
            world.objects.before_put = hook

    world.objects.before_put = meanwhile
    with pytest.raises(Overloaded):
        world.publisher()()
    assert len(tries) == TRIES


def test_an_item_that_is_no_zone_stops_everything_rather_than_opening_its_paths(world):
    world.publisher()()
    before = world.document()
    world.zones.put_record("winter-gala", "config", {"zone_id": "winter-gala", "mode": "queueing", "rules": []})
    with pytest.raises(Exception, match="rule"):
        world.publisher()()
    assert world.document() == before


def test_a_key_no_gate_would_take_stops_everything(world):
    broken = {**FakeSigningKeys().keys[0].public_jwk, "crv": "P-384"}
    world.zones.put_record(KEYS_PARTITION, KEY_ITEM + "broken", {"public_jwk": broken, "state": "next"})
    with pytest.raises(InvalidKey):
        world.publisher()()
    assert SNAPSHOT_KEY not in world.objects.objects


def test_the_same_parts_give_the_same_bytes_whatever_their_order():
    keys = [key.public_jwk for key in FakeSigningKeys().keys]
    one, other = zone(), zone("winter-gala")
    made = [
        SnapshotParts(zones, keys=keys[::step], revoked={"sids": [SID, VISITOR][::step]})
        for zones, step in (([one, other], 1), ([other, one], -1))
    ]
    first, second = (
        encode_snapshot(build_snapshot(parts, version=1, published_at_ms=1, issuer=ISSUER)) for parts in made
    )
    assert first == second


def test_a_snapshot_too_large_for_the_gate_is_refused_with_its_reason():
    zones = [zone(f"show-{number}", rules=[{"paths": [f"/{'x' * 200}{number}"]}]) for number in range(1_500)]
    document = build_snapshot(SnapshotParts(zones), version=1, published_at_ms=1, issuer=ISSUER)
    with pytest.raises(TooLarge, match="1500 zones"):
        encode_snapshot(document)


def test_what_the_gate_would_not_believe_is_not_made():
    twice = SnapshotParts([zone(), zone()])
    with pytest.raises(BadSnapshot):
        build_snapshot(twice, version=1, published_at_ms=1, issuer=ISSUER)


def test_of_a_draw_only_the_commitment_is_published_until_it_was_held() -> None:
    world = World()
    secret = "7a" * 32
    record: dict[str, Any] = {"secret": secret, "commitment": commitment_to(secret)}
    key = ".waiting-room/draws/midnight-sun/3.json"
    world.zones.put_record("midnight-sun", "draw#3", record)
    assert key in world.publisher()().written
    assert world.document(key) == {
        "method": METHOD,
        "zone_id": "midnight-sun",
        "run": 3,
        "commitment": record["commitment"],
        "secret": None,
        "early": None,
        "beacon": None,
        "opened_at_ms": None,
    }
    assert all(secret not in written.body.decode() for written in world.objects.objects.values())
    held = {**record, "early": {"general": 5}, "opened_at_ms": 9, "beacon_round": 4, "beacon_value": "ab" * 32}
    world.zones.put_record("midnight-sun", "draw#3", held)
    assert key in world.publisher()().written
    told = world.document(key)
    assert sorted(published_draw(told).place("general", number) for number in range(5)) == list(range(5))
    assert told["beacon"] == {"round": 4, "value": "ab" * 32}
