"""So many places for one network in a run: counted under a hash, refused or only noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.api_world import BROWSER, SCRIPT, ZONE_ID, ApiWorld, Browser, HttpAnswer
from tests.unit.http.test_networks import AWAY, HOME, NEIGHBOUR, Traveller
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded


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


def counted(world: ApiWorld) -> int:
    """What the one network of a test has."""
    rows = world.dynamo.tables["counters"].records
    tags = {key[0].rpartition("#")[2] for key in rows if "network#" in str(key)}
    items = [world.stores.networks._table.get(f"network#{ZONE_ID}#1#{tag}", 0) or {} for tag in tags]
    return sum(int(item["n"]) for item in items)


def meanwhile(monkeypatch: pytest.MonkeyPatch, world: ApiWorld, before: Callable[[], Any]) -> None:
    """What happens between the count and the place, once; an answer of it is the place's write's."""
    add, happened = world.stores.queue.add, []

    def adding(*arguments: Any, **named: Any) -> Answer:
        if not happened:
            happened.append(True)
            answer = before()
            if isinstance(answer, Answer):
                return answer
        return add(*arguments, **named)

    monkeypatch.setattr(world.stores.queue, "add", adding)


def tab(world: ApiWorld) -> Traveller:
    """A browser that has its cookie and no place yet."""
    browser = Traveller(world)
    browser.ask("GET", "/enter", headers=BROWSER, query="to=/")
    return browser


def test_two_tabs_at_once_are_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_with(places=1)
    browser, answers = tab(world), []
    meanwhile(monkeypatch, world, lambda: answers.append(browser.ask("POST", "/visitors", headers=SCRIPT)))
    answers.append(browser.ask("POST", "/visitors", headers=SCRIPT))
    assert [answer.status for answer in answers] == [201, 200]
    assert counted(world) == 1
    assert tab(world).ask("POST", "/visitors", headers=SCRIPT).status == 403


def test_nor_are_they_two_with_somebody_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_with(places=3)
    browser, other = tab(world), tab(world)

    def between() -> None:
        other.ask("POST", "/visitors", headers=SCRIPT)
        browser.ask("POST", "/visitors", headers=SCRIPT)

    meanwhile(monkeypatch, world, between)
    assert browser.ask("POST", "/visitors", headers=SCRIPT).status == 200
    assert counted(world) == 2


def test_the_tab_that_finds_the_network_full_has_the_place_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_with(places=2)
    browser, other, count = tab(world), tab(world), world.stores.networks.count
    found: list[int] = []

    def counting(*arguments: Any) -> Any:
        if not found:
            found.append(0)
            found.append(browser.ask("POST", "/visitors", headers=SCRIPT).status)
            found.append(other.ask("POST", "/visitors", headers=SCRIPT).status)
        return count(*arguments)

    monkeypatch.setattr(world.stores.networks, "count", counting)
    assert browser.ask("POST", "/visitors", headers=SCRIPT).status == 200
    assert found == [0, 201, 201]


def test_an_answer_that_was_lost_counts_one_place_and_not_two(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_with(places=5)
    browser = tab(world)
    meanwhile(monkeypatch, world, lambda: Answer.UNSURE)
    statuses = [browser.ask("POST", "/visitors", headers=SCRIPT).status for _ in range(3)]
    assert statuses == [503, 201, 200]
    assert counted(world) == 1


def test_what_was_surely_not_stored_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_with(places=1)
    browser, other = tab(world), tab(world)

    def throttled() -> None:
        raise Overloaded

    meanwhile(monkeypatch, world, throttled)
    assert browser.ask("POST", "/visitors", headers=SCRIPT).status == 429
    assert counted(world) == 0
    assert other.ask("POST", "/visitors", headers=SCRIPT).status == 201
    assert browser.ask("POST", "/visitors", headers=SCRIPT).status == 403


def test_each_position_of_one_visitor_counts() -> None:
    world = world_with(places=2)
    browser = tab(world)
    for status in (201, 201):
        assert browser.ask("POST", "/visitors", headers=SCRIPT).status == status
        browser.ask("DELETE", "/sessions/me")
    world.clock.advance(60)
    assert browser.ask("POST", "/visitors", headers=SCRIPT).status == 403
