"""What is stored goes by itself, after the days a deployment sets and no later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import SCRIPT, TABLES, ApiWorld, Browser
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.composition import Stores
from waiting_room.domain.line.places import QueueItem
from waiting_room.retention import DAY_SEC, Retention

TTL = schemas.table("counters")["ttl_attribute"]
FOR_EVER = ("join#", "epoch#", "gate#", "sold#", "calls#", "lock#")
"""What a later run must still find, or the next write replaces. None of it is about a person."""


def expiries(world: ApiWorld, table: str, prefix: str = "") -> list[int]:
    """When the items of a table expire, in seconds from now; -1 for one that never does."""
    items = [record.item for key, record in world.dynamo.tables[table].records.items() if prefix in str(key)]
    return [int(item[TTL]["N"]) - world.clock.now_sec if TTL in item else -1 for item in items]


def busy_world() -> ApiWorld:
    world = ApiWorld()
    world.put_zone(max_active=1, network_limit={"mode": "observe", "places": 5})
    for browser in (Browser(world), Browser(world)):
        browser.enter()
        browser.ask("POST", "/visitors/me/away", headers=SCRIPT)
    world.tick(2)
    return world


def test_what_is_about_visitors_and_what_counts_them_goes_after_the_days_of_the_schema() -> None:
    days = schemas.load("functions")["retention_days"]
    world = busy_world()
    for table, prefix, kind in (
        ("queue", "", "places"),
        ("counters", "network#", "places"),
        ("counters", "minute#", "minutes"),
        ("counters", "away#", "minutes"),
    ):
        found = expiries(world, table, prefix)
        assert found, prefix
        assert all(0 < sec <= days[kind]["default"] * DAY_SEC for sec in found), prefix


def test_nothing_else_that_grows_stays_for_ever() -> None:
    world = busy_world()
    items = {**world.dynamo.tables["counters"].records, **world.dynamo.tables["joins"].records}
    kept = {str(key) for key, record in items.items() if TTL not in record.item}
    assert kept
    assert all(any(prefix in key for prefix in FOR_EVER) for key in kept)


def test_a_deployment_sets_its_own_days() -> None:
    world = ApiWorld()
    stores = Stores(Clients(world.dynamo, world.dynamo), *TABLES, retention=Retention(places=2, minutes=3))
    stores.networks.count("z", 1, "tag", "mark", 1, world.clock.ms)
    stores.minutes.put("z", 1, world.clock.ms, {})
    stores.limit_counts.add("z", 1, 0, {("refused", "again"): 1}, world.clock.ms)
    stores.departures.count("z", 1, "general", "v", world.clock.ms, away=1, back=0, wait_sec=1)
    stores.queue.add(QueueItem("z", 1, "v", "general", 0, 1, world.clock.ms))
    assert expiries(world, "counters", "away#") == [3 * DAY_SEC]
    assert expiries(world, "queue") == [2 * DAY_SEC]
    assert expiries(world, "counters", "network#") == [2 * DAY_SEC]
    assert expiries(world, "counters", "minute#") == [3 * DAY_SEC]


def test_a_place_does_not_expire_while_its_visitor_waits_for_the_start() -> None:
    world = ApiWorld()
    start_sec = 30 * DAY_SEC
    opening = {"opens_at_ms": world.clock.ms, "starts_at_ms": world.clock.ms + start_sec * 1000}
    world.put_zone(mode="waiting_room", rate_per_min=60, **opening)
    assert world.visit("POST", "/visitors").status == 201
    assert expiries(world, "queue") == [start_sec + Retention().places_sec]


def test_the_setting_is_read() -> None:
    assert Retention.parse('{"minutes":30,"places":2}') == Retention(places=2, minutes=30)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"places":7}',
        '{"minutes":90,"places":0}',
        '{"minutes":90,"places":366}',
        '{"minutes":"9","places":7}',
    ],
)
def test_days_out_of_bounds_stop_the_function(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        Retention.parse(text)


def test_all_days_out_of_bounds_are_named() -> None:
    with pytest.raises(ValueError, match=r"places must be .* days; minutes must be .* days\."):
        Retention.parse('{"minutes":0,"places":0}')


def test_terraform_has_the_bounds_of_the_schema() -> None:
    days: dict[str, Any] = schemas.load("functions")["retention_days"]
    assert (days["places"]["maximum"], days["minutes"]["maximum"]) == (365, 3650), "also in terraform/variables.tf"
