"""What the firewall labels as a machine: counted, made to work, or refused, at joining and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, SCRIPT, ApiWorld, Browser, HttpAnswer
from tests.unit.http.test_proof import places, solved
from waiting_room import schemas

HEADER = schemas.behaviours()["bot_header"]


def world_with(mode: str, **changes: Any) -> ApiWorld:
    world = ApiWorld()
    assert world.put_zone(bots={"mode": mode}, **changes).status == 201
    return world


def join(world: ApiWorld, label: str | None, body: Any = None) -> HttpAnswer:
    return world.visit("POST", "/visitors", body, headers={**SCRIPT, **({HEADER: label} if label else {})})


def test_a_machine_is_refused_and_nobody_else() -> None:
    world = world_with("refuse")
    refused = join(world, "automated")
    assert (refused.status, refused.problem) == (403, "forbidden")
    assert [join(world, label).status for label in (None, "no")] == [201, 201]
    assert places(world) == 2


def test_a_machine_has_to_work_although_nobody_else_has() -> None:
    world = world_with("challenge")
    asked = join(world, "automated")
    assert asked.status == 428
    assert join(world, "no").status == 201
    assert join(world, "automated", {"proof": solved(asked.json["challenge"])}).status == 201


def test_a_machine_gets_round_it_neither_by_entering_nor_by_the_page_without_scripts() -> None:
    for mode in ("challenge", "refuse"):
        world = world_with(mode)
        browser, label = Browser(world), {**BROWSER, HEADER: "automated"}
        for _ in range(3):
            browser.ask("GET", "/enter", headers=label, query="to=/&again=1" if browser.cookies else "to=/")
        assert browser.ask("GET", "/visitors/me", headers=label).status == 403
        assert places(world) == 0


def test_a_zone_that_requires_work_of_all_keeps_its_own_rules_for_machines() -> None:
    world = world_with("challenge", proof_of_work={"mode": "require", "bits": 3})
    assert join(world, "automated").json["challenge"]["bits"] == 3


def test_observing_notes_the_label_and_lets_everybody_in() -> None:
    world = world_with("observe")
    assert join(world, "automated").status == 201
    assert world.log.lines[-1]["bot"] == "automated"
    assert join(world, "no").status == 201
    assert "bot" not in world.log.lines[-1]


@pytest.mark.parametrize("label", ["x" * 41, "<script>", "Ähnlich", "no\n"])
def test_what_cannot_be_a_label_of_ours_is_not_logged_as_it_is(label: str) -> None:
    world = world_with("observe")
    assert join(world, label).status == 201
    assert world.log.lines[-1]["bot"] == "unknown"


def test_a_zone_without_the_option_looks_at_no_label() -> None:
    world = ApiWorld()
    world.put_zone()
    assert join(world, "automated").status == 201
    assert "bot" not in world.log.lines[-1]


def test_who_has_a_place_keeps_it() -> None:
    world = world_with("refuse")
    browser = Browser(world)
    browser.enter()
    assert browser.ask("POST", "/visitors", headers={**SCRIPT, HEADER: "automated"}).status == 200
