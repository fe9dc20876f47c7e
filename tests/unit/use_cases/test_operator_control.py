"""Live control over HTTP: whole zones stay valid, old decisions land no more, a reset starts a run of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import OPERATOR, ZONE_ID, ApiWorld, Browser, HttpAnswer, event
from waiting_room.use_cases.control import merge


@pytest.fixture
def world() -> ApiWorld:
    world = ApiWorld()
    world.put_zone(starts_at_ms=world.clock.ms - 60_000)
    return world


def control(world: ApiWorld, **body: Any) -> HttpAnswer:
    return world.operate("POST", f"/zones/{ZONE_ID}/control", body)


def gate(world: ApiWorld, run: int = 1) -> Any:
    found = world.stores.gates.read(ZONE_ID, run)
    assert found is not None
    return found


def test_control_and_settings_change_together(world: ApiWorld) -> None:
    answer = control(world, control="pause", changes={"max_active": 9, "rate_per_min": 30, "message": "Soon"})

    assert answer.status == 200
    assert (answer.json["control"], answer.json["max_active"], answer.json["rate_per_min"]) == ("pause", 9, 30)
    assert (answer.json["version"], answer.json["updated_by"]) == (2, OPERATOR)


def test_null_takes_a_setting_away_and_objects_merge(world: ApiWorld) -> None:
    answer = control(world, changes={"starts_at_ms": None, "session": {"idle_sec": 60}, "poll": {"near_sec": 1}})

    assert "starts_at_ms" not in answer.json
    assert answer.json["session"] == {"kind": "navigation", "idle_sec": 60, "max_sec": 3600}
    assert answer.json["poll"]["far_sec"] == 45


def test_unused_grants_are_withdrawn_and_a_tick_under_way_is_refused(world: ApiWorld) -> None:
    Browser(world).enter()
    world.tick(2)
    before = gate(world)
    assert before.limit > before.claimed
    control(world, changes={"max_active": 1})
    after = gate(world)

    assert (after.limit, after.tick) == (after.claimed, before.tick + 1)


def test_a_change_that_is_there_already_is_no_change_but_is_fenced_again(world: ApiWorld) -> None:
    first = control(world, control="pause", version=1)
    again = control(world, control="pause", version=1)

    assert (again.status, again.json) == (200, first.json)
    assert gate(world).tick == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"control": "stop"}, "/control"),
        ({"contrl": "pause"}, "/contrl"),
        ({"changes": {"max_active": 0}}, "/changes/max_active"),
        ({"changes": {"max_active": None}}, "/changes/max_active"),
        ({"changes": {"session": {"idle_sec": "long"}}}, "/changes/session/idle_sec"),
        ({"changes": {"session": 5}}, "/changes/session"),
        ({"changes": {"rules": [{"paths": ["/a"], "x": 1}]}}, "/changes/rules/0/x"),
        ({"changes": {"mode": "waiting_room"}}, "/changes/rate_per_min"),
        ({"reset": "yes"}, "/reset"),
        ({"version": -1}, "/version"),
    ],
)
def test_bad_input_is_400_with_its_pointer_and_changes_nothing(
    world: ApiWorld, body: dict[str, Any], pointer: str
) -> None:
    answer = control(world, **body)

    assert (answer.status, answer.json["pointer"]) == (400, pointer)
    assert world.operate("GET", f"/zones/{ZONE_ID}").json["version"] == 1


def test_every_fault_of_a_change_is_told_with_its_place_in_the_request(world: ApiWorld) -> None:
    changes = {"max_active": None, "beacon": "drand", "order": "lottery", "starts_at_ms": 1}
    told = {error["pointer"] for error in control(world, changes=changes).json["errors"]}
    assert told == {f"/changes/{name}" for name in ("max_active", "beacon", "order", "starts_at_ms")}
    told = {error["pointer"] for error in control(world, changes={"max_active": 0, "title": 5}).json["errors"]}
    assert told == {"/changes/max_active", "/changes/title"}


@pytest.mark.parametrize("field", ["zone_id", "run", "version", "updated_by", "granted_from_ms", "colour"])
def test_what_nobody_may_change_is_refused(world: ApiWorld, field: str) -> None:
    assert control(world, changes={field: 5}).status == 400


def test_a_stale_version_is_409(world: ApiWorld) -> None:
    control(world, control="pause")
    answer = control(world, control="auto", version=1)

    assert (answer.status, answer.problem) == (409, "stale-version")


def test_without_a_version_a_change_goes_over_one_that_was_faster(world: ApiWorld) -> None:
    faster = iter([True])

    def between(method: str, _: Any, phase: str) -> None:
        if (method, phase) == ("put_item", "before") and next(faster, False):
            control(world, changes={"message": "Hello"})

    world.dynamo.on_call = between
    answer = control(world, control="pause")

    assert (answer.json["control"], answer.json["message"], answer.json["version"]) == ("pause", "Hello", 3)


def test_a_lost_answer_of_the_database_is_not_taken_for_another_operators_change(world: ApiWorld) -> None:
    """The SDK repeats the write, which then finds its own version in the way."""
    repeated = iter([True])

    def repeat(method: str, request: Any, phase: str) -> None:
        if (method, phase) == ("put_item", "before") and next(repeated, False):
            world.dynamo.put_item(**request)

    world.dynamo.on_call = repeat
    answer = control(world, control="pause", version=1)

    assert (answer.status, answer.json["version"]) == (200, 2)


def test_a_reset_starts_a_run_that_grants_nothing_for_15_s_on_any_two_clocks(world: ApiWorld) -> None:
    browser = Browser(world)
    browser.enter()
    world.tick(2)
    answer = control(world, reset=True)

    assert (answer.json["run"], answer.json["granted_from_ms"]) == (2, world.clock.ms + 25_000)
    assert gate(world, 1).limit == gate(world, 1).claimed
    world.clock.advance(3)
    browser.enter()
    world.tick(20)
    assert gate(world, 2).limit == 0
    world.tick(5)
    assert gate(world, 2).limit > 0


def test_a_reset_with_a_version_is_done_once(world: ApiWorld) -> None:
    assert control(world, reset=True, version=1).json["run"] == 2
    assert control(world, reset=True, version=1).status == 409


def test_a_reset_never_takes_a_run_that_was_used(world: ApiWorld) -> None:
    def crash(method: str, request: Any, phase: str) -> None:
        if (method, phase) == ("put_item", "before") and request["Item"].get("item") == {"S": "config"}:
            raise RuntimeError("power cut")

    world.dynamo.on_call = crash
    assert control(world, reset=True).status == 500
    world.dynamo.on_call = None

    assert control(world, reset=True).json["run"] == 3


def test_a_sample_event_of_api_gateway_is_answered_and_audited(world: ApiWorld) -> None:
    assert world.operator(event("control_iam"), None)["statusCode"] == 200

    line = world.log.lines[-1]
    assert line["identity"] == OPERATOR
    assert line["audit"] == {
        "action": "set_control",
        "changes": {},
        "reset": False,
        "version": 2,
        "run": 1,
        "control": "pause",
    }


def test_the_hash_of_a_site_key_is_not_logged(world: ApiWorld) -> None:
    assert control(world, changes={"site_key_sha256": "cd" * 32}).status == 200
    assert "cdcd" not in str(world.log.lines)


def test_a_merge_patch_is_applied_as_rfc_7396_says() -> None:
    document = {"a": 1, "b": {"c": 2, "d": 3}, "e": [1, 2]}

    assert merge(document, {"a": None, "b": {"c": None, "x": 4}, "e": [3], "f": {"g": None, "h": 1}}) == {
        "b": {"d": 3, "x": 4},
        "e": [3],
        "f": {"h": 1},
    }
    assert document["b"] == {"c": 2, "d": 3}


def test_a_change_of_an_idle_zone_starts_an_exchanger_that_tells_it(world: ApiWorld) -> None:
    world.clock.advance(60)
    world.functions.started.clear()
    control(world, control="lock")
    assert world.functions.started == [("foyer-exchanger", {"zones": [ZONE_ID]})]
