"""The report shows that limits were enforced: who had how many, what was refused, what was only observed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.report.evidence import distribution, enforced
from scripts.report.numbers import count
from scripts.report.page import page
from scripts.report.questions import Answers
from tests.support.api_world import ZONE_ID, ApiWorld
from tests.unit.http.test_again import IDENTITY, App
from tests.unit.http.test_identity import claim
from tests.unit.http.test_machines import HEADER
from tests.unit.http.test_networks import AWAY, HOME
from waiting_room.domain.record.changes import Change, change_of
from waiting_room.http.credentials import JOIN_CLAIM_HEADER
from waiting_room.use_cases.metrics import ReadMetrics


def app(world: ApiWorld, name: str, ip: str = HOME, **headers: str) -> App:
    return App(world, **{JOIN_CLAIM_HEADER: claim(world, name), "x-forwarded-for": ip, **headers})


@pytest.fixture
def world() -> ApiWorld:
    """Ada has three places one after the other, Grace one, Linus none: the network has as many as it gets."""
    world = ApiWorld()
    limits = {"identity": {"mode": "require", **IDENTITY}, "network_limit": {"mode": "refuse", "places": 4}}
    assert world.put_zone(**limits).status == 201
    ada, grace = app(world, "ada"), app(world, "grace")
    ada.join(**{HEADER: "automated"})
    grace.join()
    for _ in range(2):
        ada.again()
    for _ in range(2):
        world.clock.advance(3)
        assert app(world, "linus").join().status == 403
    world.clock.advance(3)
    assert app(world, "margaret", AWAY).join().status == 201
    world.clock.advance(3)
    assert world.visit("POST", "/visitors", headers={"accept": "application/json"}).status == 401
    world.tick(11)
    return world


@pytest.fixture
def minutes(world: ApiWorld) -> list[dict[str, Any]]:
    stores = world.stores
    return ReadMetrics(stores.zones, stores.minutes, stores.tallies, world.clock)(ZONE_ID, 60).minutes


def changes(world: ApiWorld) -> Iterator[Change]:
    """Each place as it is now, told as one that was just taken or taken again."""
    for number, record in enumerate(world.dynamo.tables["queue"].records.values()):
        plain = {name: next(iter(value.values())) for name, value in record.item.items()}
        new = {name: int(value) if value.isdecimal() else value for name, value in plain.items()}
        for time in range(new["times"]):
            old = None if time == 0 else {**new, "seq": -1}
            same = {"event_id": f"{number}/{time}", "sequence": f"{number}{time}", "at_ms": world.clock.ms}
            yield change_of(new["place"], old, new, **same)


def test_the_archive_tells_how_many_had_how_many(
    world: ApiWorld, minutes: list[dict[str, Any]], tmp_path: Path
) -> None:
    part = tmp_path / f"changes/zone_id={ZONE_ID}/day=2026-06-01"
    part.mkdir(parents=True)
    lines = [json.dumps(change.row) for change in changes(world)]
    (part / "rows").write_text("\n".join([*lines, lines[0]]), encoding="utf-8")
    with Answers.of(tmp_path, ZONE_ID) as answers:
        numbers = count(answers, ZONE_ID, 1, minutes)
    had = {(row["by"], row["had"]): row for row in numbers.distribution}
    steps = {"one": 2, "two": 0, "three_to_five": 1, "six_to_twenty": 0, "more": 0}
    assert had["account", "places"] == {"by": "account", "had": "places", **steps, "most": 3}
    assert had["network", "places"]["most"] == 4
    assert (had["network", "places"]["one"], had["network", "places"]["three_to_five"]) == (1, 1)
    assert had["device", "places"]["most"] == 3
    text = page(numbers)
    assert "too many places from one network" in text
    everything = text + json.dumps(numbers.document) + "".join(lines)
    for secret in ("ada@", 'ada"', HOME, AWAY, HOME.rpartition(".")[0], "eyJ"):
        assert secret not in everything
    assert not [item for item in lines if item in text]


def test_what_was_refused_and_what_was_only_observed_is_counted(minutes: list[dict[str, Any]]) -> None:
    told = {row["limit"]: (row["refused"], row["only_observed"]) for row in enforced(minutes[-1])}
    assert told == {
        "a place taken again too soon": (1, 0),
        "no sign-in": (1, 0),
        "taken for an automated browser": (0, 1),
        "too many places from one network": (2, 0),
    }


def test_a_run_without_any_has_none() -> None:
    assert distribution([]) == []
    assert enforced(None) == enforced({"minute_at_ms": 0}) == []


def test_a_reason_that_is_new_is_told_by_its_own_word() -> None:
    assert enforced({"enforced": {"refused": {"phone": 2}, "observed": {}}}) == [
        {"limit": "phone", "refused": 2, "only_observed": 0}
    ]


def test_erasing_a_visitor_takes_all_of_it_along(world: ApiWorld) -> None:
    ada = app(world, "ada")
    visitor_id = ada.ask("POST", "/visitors").json["visitor_id"]
    stored = world.stores.queue.get(ZONE_ID, 1, visitor_id)
    assert stored is not None
    assert (stored.account, stored.times) == (visitor_id, 3)
    assert stored.network
    assert stored.device
    assert world.operate("DELETE", f"/zones/{ZONE_ID}/visitors/{visitor_id}").status < 300
    left = str([table.records for table in world.dynamo.tables.values()])
    assert visitor_id not in left
    assert stored.device not in left
