"""So many places for one network in a run: counted under a hash, refused or only noted."""

from __future__ import annotations

import pytest

from tests.support.api_world import SCRIPT, ZONE_ID, ApiWorld, Browser, HttpAnswer
from tests.unit.http.test_networks import AWAY, HOME, NEIGHBOUR, Traveller


def world_with(mode: str = "refuse", places: int = 2) -> ApiWorld:
    world = ApiWorld()
    assert world.put_zone(network_limit={"mode": mode, "places": places}).status == 201
    return world


def join(world: ApiWorld, ip: str) -> HttpAnswer:
    return world.visit("POST", "/visitors", headers={"x-forwarded-for": f"{ip}, 64.252.66.10"})


def test_one_network_gets_so_many_places_and_another_its_own() -> None:
    world = world_with()
    assert [join(world, ip).status for ip in (HOME, NEIGHBOUR, HOME)] == [201, 201, 403]
    assert join(world, AWAY).status == 201
    assert len(world.dynamo.tables["queue"].records) == 3
    assert join(world, f"9.9.9.9, {HOME}").status == 403, "what a client says of itself does not count"


def test_one_who_has_a_place_keeps_it_however_often_it_asks() -> None:
    world = world_with(places=1)
    first = join(world, HOME).json
    headers = {"authorization": f"Bearer {first['visitor_token']}", "x-forwarded-for": HOME}
    for _ in range(3):
        again = world.visit("POST", "/visitors", headers=headers)
        assert (again.status, again.json["visitor_id"]) == (200, first["visitor_id"])


def test_a_browser_enters_once_and_reloads_freely() -> None:
    world = world_with(places=1)
    first, second = Traveller(world), Traveller(world)
    for _ in range(3):
        first.enter()
    assert first.ask("GET", "/visitors/me", headers=SCRIPT).status == 200
    second.enter()
    assert second.ask("GET", "/visitors/me", headers=SCRIPT).status == 404
    assert world.log.lines[-2]["problem"] == "forbidden"


def test_observing_notes_who_would_have_been_refused() -> None:
    world = world_with("observe", places=1)
    assert [join(world, HOME).status for _ in range(2)] == [201, 201]
    assert [line.get("network_limit") for line in world.log.lines[-2:]] == [None, "over"]
    browser = Traveller(world)
    browser.enter()
    assert world.log.lines[-1]["network_limit"] == "over"


def test_a_new_run_counts_anew() -> None:
    world = world_with(places=1)
    join(world, HOME)
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
    world.clock.advance(20)
    assert join(world, HOME).status == 201


def test_nothing_stored_or_logged_tells_the_network_and_it_is_cleaned_up() -> None:
    world = world_with()
    join(world, HOME)
    rows = world.dynamo.tables["counters"].records
    kept = {str(key): row for key, row in rows.items() if "network#" in str(key)}
    assert len(kept) == 1
    assert all("expires_at_sec" in str(row) for row in kept.values())
    everything = str([table.records for table in world.dynamo.tables.values()]) + str(world.log.lines)
    assert "192.0.2" not in everything


@pytest.mark.parametrize("limit", [{"mode": "refuse"}, {"mode": "refuse", "places": 0}, {"mode": "off", "places": 1}])
def test_a_limit_without_sense_is_refused(limit: dict[str, object]) -> None:
    assert ApiWorld().put_zone(network_limit=limit).status == 400


def test_a_zone_without_a_limit_writes_nothing_more() -> None:
    world = ApiWorld()
    world.put_zone()
    Browser(world).enter()
    assert not [key for key in world.dynamo.tables["counters"].records if "network#" in str(key)]
