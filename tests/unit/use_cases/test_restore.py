"""Places are given back: to the visitors of a sale, whatever they did meanwhile, and over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import OPERATOR, ZONE_ID, ApiWorld, HttpAnswer, lapse
from tests.support.sale import Sale
from waiting_room import schemas
from waiting_room.domain.admission.controller import decide
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import InvalidInput, Lapsed, Overloaded
from waiting_room.domain.line.places import Session
from waiting_room.http.frame.validation import validate
from waiting_room.use_cases.claim import Waiting
from waiting_room.use_cases.restore import RestorePlaces

CROWD = [f"v{number:03d}" for number in range(400)]
WINDOW_SEC = 40


@pytest.fixture
def sale() -> Sale:
    """Four hundred in line of a room for four; nobody comes for minutes, and many of them lapse."""
    sale = Sale(max_active=4, claim={"window_sec": 20, "grace_sec": 20})
    sale.tick(12)
    sale.enter("inside")
    for visitor in CROWD:
        sale.join(visitor)
    sale.tick(15)
    sale.moment_ms = sale.clock.ms  # type: ignore[attr-defined]
    while sale.gate().lane("general").floor < 20:
        sale.tick()
    return sale


def restore(sale: Sale) -> RestorePlaces:
    return RestorePlaces(sale.zones, sale.gates, sale.minutes, sale.wake)


def test_whoever_lapsed_has_the_place_again_and_a_whole_window(sale: Sale) -> None:
    with pytest.raises(Lapsed):
        sale.claim("v000")
    assert sale.locate("v000").status == "lapsed"
    found = restore(sale)("z", sale.moment_ms)  # type: ignore[attr-defined]
    assert found.done
    assert sale.gate().lane("general") == found.lanes["general"].after
    # An instance may tell places from a copy of the gate item that is a second old.
    sale.clock.advance(1)
    assert sale.locate("v000").status == "called"
    assert sale.locate("v030").status == "waiting"
    assert isinstance(sale.claim("v000"), Waiting), "nothing is granted before the next tick"
    sale.tick(WINDOW_SEC - 2)
    assert sale.locate("v000").status == "called", "the window begins anew"
    assert isinstance(sale.claim("v000"), Session)


def test_by_itself_it_goes_back_to_when_people_came_last(sale: Sale) -> None:
    found = restore(sale)("z")
    lane = found.lanes["general"]
    assert lane.after.floor == 0
    assert lane.come_back == lane.before.floor
    assert lane.after.serving < 10


def test_a_dry_run_writes_nothing_and_a_second_time_changes_nothing(sale: Sale) -> None:
    before = sale.gate()
    planned = restore(sale)("z", dry_run=True)
    assert (planned.done, sale.gate()) == (False, before)
    done = restore(sale)("z")
    assert (done.lanes, done.done) == (planned.lanes, True)
    again = restore(sale)("z", planned.to_at_ms)
    assert (again.done, again.lanes["general"].come_back) == (False, 0)


def test_nobody_inside_is_touched(sale: Sale) -> None:
    sale.tick()
    visitor = next(name for name in CROWD if sale.locate(name).status == "called")
    session = sale.claim(visitor)
    assert isinstance(session, Session)
    restore(sale)("z")
    assert sale.item(visitor).status == "admitted"
    assert sale.claim(visitor) == session
    sale.tick()
    assert sale.renew(session).sid == session.sid
    assert sale.gate().active == 2


def test_whoever_joined_again_keeps_the_new_place(sale: Sale) -> None:
    place = sale.join("v001")
    assert (place.position, place.rejoined) == (401, "lapsed")
    restore(sale)("z")
    sale.clock.advance(1)
    again = sale.locate("v001")
    assert (again.position, again.status) == (401, "waiting")


def test_the_line_is_served_in_its_order_and_called_as_before(sale: Sale) -> None:
    restore(sale)("z")
    front = CROWD[:40]
    came: list[str] = []
    for _ in range(300):
        sale.tick()
        came += [name for name in front if name not in came and isinstance(sale.claim(name), Session)]
        for name in came:
            sale.leave(name)
    assert came == front


def test_those_called_again_are_pushed_again(sale: Sale) -> None:
    def told() -> Any:
        return sale.store.tables["counters"].records["calls#z#1#general", 0].item

    before = told()
    restore(sale)("z", sale.moment_ms)  # type: ignore[attr-defined]
    while told()["tick"] == before["tick"]:
        sale.tick()
    assert int(told()["to"]["N"]) < int(before["to"]["N"])


def test_a_tick_that_read_before_it_is_refused(sale: Sale) -> None:
    read = sale.gate()
    restore(sale)("z")
    late = decide(sale.zone, read, 0, {"general": 41}, sale.clock.ms).gate
    assert sale.gates.advance(read, late) is Answer.NO


def test_where_ticks_are_always_faster_it_says_so(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sale.gates.read

    def slow(*asked: Any, **how: Any) -> Any:
        gate = real(*asked, **how)
        sale.gates.fence("z", 1)
        return gate

    monkeypatch.setattr(sale.gates, "read", slow)
    with pytest.raises(Overloaded):
        restore(sale)("z")


def test_a_moment_nothing_is_known_of_is_refused(sale: Sale) -> None:
    with pytest.raises(InvalidInput, match="so long ago") as refused:
        restore(sale)("z", 1)
    assert refused.value.pointer == "/to_at_ms"
    calm = Sale()
    calm.tick(30)
    with pytest.raises(InvalidInput, match="nobody came in"):
        restore(calm)("z")


def test_rows_without_marks_are_read_by_how_they_ended(sale: Sale) -> None:
    for record in sale.store.tables["counters"].records.values():
        record.item.pop("marks", None)
    assert restore(sale)("z").lanes["general"].come_back > 20


def post(world: ApiWorld, **body: Any) -> HttpAnswer:
    return world.operate("POST", f"/zones/{ZONE_ID}/restorations", body)


@pytest.fixture
def world() -> ApiWorld:
    world = ApiWorld()
    lapse(world)
    return world


def test_over_http_it_is_planned_done_and_noted(world: ApiWorld) -> None:
    planned = post(world, dry_run=True)
    assert planned.status == 200, planned.json
    validate(planned.json, schemas.components()["Restoration"])
    assert not planned.json["done"]
    assert planned.json["lanes"]["general"]["come_back"] > 0
    done = post(world, to_at_ms=planned.json["to_at_ms"], reason="the API was down")
    assert done.json == {**planned.json, "done": True}
    noted = [entry for entry in world.stores.audit_log.latest(ZONE_ID, 10) if entry.action == "restore_places"]
    assert [(entry.by, entry.reason) for entry in noted] == [(OPERATOR, "the API was down")]
    assert noted[0].details["lanes"] == done.json["lanes"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"to_at_ms": "noon"}, "/to_at_ms"),
        ({"to": 5}, "/to"),
        ({"dry_run": 1}, "/dry_run"),
        ({"to_at_ms": 1}, "/to_at_ms"),
    ],
)
def test_bad_input_is_told_where(world: ApiWorld, body: dict[str, Any], pointer: str) -> None:
    refused = post(world, **body)
    assert (refused.status, refused.problem, refused.json["pointer"]) == (400, "invalid-input", pointer)


def test_of_no_zone_nothing_is_given_back(world: ApiWorld) -> None:
    assert world.operate("POST", "/zones/nowhere/restorations", {}).problem == "unknown-zone"
