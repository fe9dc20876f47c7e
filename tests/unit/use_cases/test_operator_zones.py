"""Zones over HTTP: created once, replaced only over the version that was read, refused whole when wrong."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.support.api_world import OPERATOR, ROOT, ZONE, ZONE_ID, ApiWorld, event, send
from waiting_room import schemas
from waiting_room.http.frame.validation import validate


@pytest.fixture
def world() -> ApiWorld:
    return ApiWorld()


def test_a_zone_is_created_with_its_first_run_its_keys_and_a_site_key_told_once(world: ApiWorld) -> None:
    made = world.put_zone()
    zone = made.json
    site_key = zone.pop("site_key")

    assert made.status == 201
    assert (zone["run"], zone["version"], zone["updated_by"]) == (1, 1, OPERATOR)
    assert zone["site_key_sha256"] == hashlib.sha256(site_key.encode()).hexdigest()
    assert world.stores.gates.read(ZONE_ID, 1) is not None
    assert len(world.stores.zones.records("_keys", "key#")) == 2
    assert world.operate("GET", f"/zones/{ZONE_ID}").json == zone
    validate(zone, "zone")


def test_a_hash_of_the_operators_own_site_key_is_kept_and_nothing_told(world: ApiWorld) -> None:
    made = world.put_zone(site_key_sha256="ab" * 32)

    assert "site_key" not in made.json
    assert made.json["site_key_sha256"] == "ab" * 32


def test_the_same_document_again_changes_nothing(world: ApiWorld) -> None:
    first = world.put_zone().json
    again = world.put_zone()
    with_version = world.put_zone(version=1)

    del first["site_key"]
    assert (again.status, again.json) == (200, first)
    assert (with_version.status, with_version.json) == (200, first)


def test_a_replacement_keeps_run_site_key_and_control(world: ApiWorld) -> None:
    first = world.put_zone().json
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"control": "lock"})
    second = world.put_zone(max_active=7, version=2)

    assert second.status == 200
    assert (second.json["max_active"], second.json["version"], second.json["control"]) == (7, 3, "lock")
    assert (second.json["run"], second.json["site_key_sha256"]) == (1, first["site_key_sha256"])
    assert "site_key" not in second.json


def test_a_retried_replacement_gets_the_same_answer(world: ApiWorld) -> None:
    world.put_zone()

    assert world.put_zone(max_active=7, version=1).json == world.put_zone(max_active=7, version=1).json


@pytest.mark.parametrize("version", [None, 0, 2, 99])
def test_a_stale_version_is_409_and_nothing_is_stored(world: ApiWorld, version: int | None) -> None:
    world.put_zone()
    answer = world.put_zone(max_active=7, **({} if version is None else {"version": version}))

    assert (answer.status, answer.problem) == (409, "stale-version")
    assert world.operate("GET", f"/zones/{ZONE_ID}").json["max_active"] == 2


def test_of_two_operators_one_is_refused(world: ApiWorld) -> None:
    world.put_zone()
    other_was_faster = iter([True])

    def between(method: str, _: Any, phase: str) -> None:
        if (method, phase) == ("put_item", "before") and next(other_was_faster, False):
            world.put_zone(max_active=3, version=1)

    world.dynamo.on_call = between
    answer = world.put_zone(max_active=7, version=1)
    world.dynamo.on_call = None

    assert (answer.status, answer.problem) == (409, "stale-version")
    assert world.operate("GET", f"/zones/{ZONE_ID}").json["max_active"] == 3


def test_fields_the_service_writes_are_ignored(world: ApiWorld) -> None:
    made = world.put_zone(run=7, updated_by="somebody", updated_at_ms=1, granted_from_ms=1)

    assert (made.json["run"], made.json["updated_by"]) == (1, OPERATOR)
    assert made.json["updated_at_ms"] == world.clock.ms


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"mode": "fastest"}, "/mode"),
        ({"max_active": "five"}, "/max_active"),
        ({"max_active": 0}, "/max_active"),
        ({"max_active": 2.5}, "/max_active"),
        ({"max_active": None}, "/max_active"),
        ({"colour": "red"}, "/colour"),
        ({"rules": []}, "/rules"),
        ({"rules": [{"paths": ["events/x"]}]}, "/rules/0/paths/0"),
        ({"rules": [{"paths": ["/a"], "pathz": 1}]}, "/rules/0/pathz"),
        ({"rules": [{"paths": ["/%zz%ff"]}]}, "/rules/0"),
        ({"session": {"idle_sec": 10}}, "/session/idle_sec"),
        ({"session": {"idle_sec": 3600, "max_sec": 60}}, "/session/max_sec"),
        ({"mode": "combined"}, "/starts_at_ms"),
        ({"landing_path": "//evil.example"}, "/landing_path"),
        ({"zone_id": "another"}, "/zone_id"),
        ({"lanes": {"vip": {"weight": 1}}}, "/lanes"),
    ],
)
def test_a_zone_with_a_mistake_is_refused_whole_saying_where(
    world: ApiWorld, changes: dict[str, Any], pointer: str
) -> None:
    answer = world.put_zone(**changes)

    assert answer.status == 400
    assert answer.problem in ("invalid-input", "invalid-zone")
    assert answer.json["pointer"] == pointer
    assert world.operate("GET", "/zones").json == {"zones": []}
    assert world.stores.gates.read(ZONE_ID, 1) is None


def test_all_that_contradicts_itself_is_told_rules_and_a_passed_start_too(world: ApiWorld) -> None:
    rules = [{"paths": ["/%zz%ff"]}, {"paths": ["/a"]}, {"paths": ["/b%ff"]}]
    session = {"idle_sec": 3600, "max_sec": 60}
    answer = world.put_zone(session=session, beacon="drand", rules=rules, starts_at_ms=1)

    assert answer.problem == "invalid-zone"
    pointers = [error["pointer"] for error in answer.json["errors"]]
    assert pointers == ["/session/max_sec", "/beacon", "/rules/0", "/rules/2", "/starts_at_ms"]
    assert answer.json["errors"][0] == {name: answer.json[name] for name in ("pointer", "detail")}


def test_what_is_no_zone_at_all_is_400(world: ApiWorld) -> None:
    sample = event("control_iam")
    path = f"{ROOT}/admin/zones/{ZONE_ID}"

    for raw in ("", "[]", "3", '{"zone_id"'):
        assert send(world.operator, sample, "PUT", path, raw=raw).status == 400
    assert send(world.operator, sample, "PUT", path, raw="x" * 20_000).status == 413


def test_all_zones_are_listed_by_id(world: ApiWorld) -> None:
    for zone_id in ("winter-gala", "autumn-ball"):
        world.operate("PUT", f"/zones/{zone_id}", {**ZONE, "zone_id": zone_id})

    assert [zone["zone_id"] for zone in world.operate("GET", "/zones").json["zones"]] == ["autumn-ball", "winter-gala"]


def test_an_unknown_zone_is_404(world: ApiWorld) -> None:
    body: dict[str, Any] = {"control": "pause"}
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/control"), ("GET", "/metrics")]:
        answer = world.operate(method, f"/zones/nowhere{path}", body if method == "POST" else None)
        assert (answer.status, answer.problem) == (404, "unknown-zone")


def test_a_deleted_zone_is_gone_and_its_runs_stay_taken(world: ApiWorld) -> None:
    world.put_zone()
    world.operate("POST", f"/zones/{ZONE_ID}/revocations", {"session_id": "S" * 22})
    first = world.operate("DELETE", f"/zones/{ZONE_ID}")
    again = world.operate("DELETE", f"/zones/{ZONE_ID}")

    assert (first.status, again.status) == (204, 204)
    assert world.operate("GET", f"/zones/{ZONE_ID}").status == 404
    assert world.stores.zones.records(ZONE_ID, "revocation#") == []
    made = world.put_zone()
    assert made.json["run"] == 2
    assert made.json["granted_from_ms"] == world.clock.ms + 25_000


def test_a_version_for_a_zone_that_is_gone_is_stale(world: ApiWorld) -> None:
    assert world.put_zone(version=3).status == 409


def test_a_first_try_that_broke_off_does_not_stand_in_the_way(world: ApiWorld) -> None:
    world.dynamo.on_call = lambda method, request, phase: _crash(method, request, phase)
    assert world.put_zone().status == 500
    world.dynamo.on_call = None

    assert world.put_zone().status == 201


def _crash(method: str, request: dict[str, Any], phase: str) -> None:
    """Fail when the zone itself is to be written."""
    if (method, phase) == ("put_item", "before") and request["Item"].get("item") == {"S": "config"}:
        raise RuntimeError("power cut")


def test_the_public_keys_are_told_and_the_private_parts_are_not(world: ApiWorld) -> None:
    answer = world.operate("GET", "/keys")

    validate(answer.json, schemas.components()["KeyList"])
    assert [key["state"] for key in answer.json["keys"]] == ["active", "next"]
    assert all("d" not in key for key in answer.json["keys"])
    assert answer.json == world.operate("GET", "/keys").json
    assert "d" not in world.stores.zones.records("_keys", "key#")[0]["public_jwk"]
