"""A place taken again costs what the first one cost, and comes ever more slowly; one that is held costs nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, SCRIPT, ZONE_ID, ApiWorld, Browser, HttpAnswer
from tests.unit.http.test_identity import ISSUER, LOGIN, claim
from tests.unit.http.test_machines import HEADER
from tests.unit.http.test_proof import solved
from waiting_room.domain.line.again import FIRST_WAIT_SEC, LONGEST_WAIT_SEC
from waiting_room.http.credentials import JOIN_CLAIM_HEADER

APP = {"accept": "application/json"}
IDENTITY = {"issuer": ISSUER, "keys": [dict(LOGIN.public_jwk)]}


class App:
    """Somebody with one visitor token, who joins and leaves."""

    def __init__(self, world: ApiWorld, **headers: str) -> None:
        self.world, self.headers, self.token = world, headers, ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> HttpAnswer:
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.world.visit(method, path, body, headers={**APP, **self.headers, **bearer, **headers})
        if answer.status < 300 and answer.body:
            self.token = answer.json.get("visitor_token", self.token)
        return answer

    def join(self, body: Any = None, **headers: str) -> HttpAnswer:
        return self.ask("POST", "/visitors", body, **headers)

    def leave(self) -> None:
        assert self.ask("DELETE", "/sessions/me").status == 204

    def again(self, body: Any = None, **headers: str) -> HttpAnswer:
        """Leave and join, as long as it takes."""
        self.leave()
        answer = self.join(body, **headers)
        while answer.status == 429:
            self.world.clock.advance(int(answer.headers["retry-after"]))
            answer = self.join(body, **headers)
        return answer


def world_with(**changes: Any) -> ApiWorld:
    world = ApiWorld()
    assert world.put_zone(**changes).status == 201
    return world


def change(world: ApiWorld, **changes: Any) -> None:
    """Change the zone, and wait until every copy has it."""
    version = world.operate("GET", f"/zones/{ZONE_ID}").json["version"]
    assert world.put_zone(version=version, **changes).status == 200
    world.clock.advance(5)


def tail(world: ApiWorld) -> int:
    return world.stores.joins.tail(ZONE_ID, 1, "general", 0)


def test_an_hour_of_leaving_and_joining_gets_a_handful_of_positions() -> None:
    world = world_with()
    app = App(world)
    for _ in range(720):
        app.join()
        app.leave()
        world.clock.advance(5)
    assert tail(world) == 11


def test_the_first_time_is_free_and_then_each_wait_is_twice_the_last() -> None:
    world = world_with()
    app = App(world)
    app.join()
    waits = []
    for _ in range(10):
        app.leave()
        answer = app.join()
        waits.append(int(answer.headers.get("retry-after", 0)))
        if answer.status == 429:
            assert answer.problem == "too-soon"
            world.clock.advance(waits[-1] - 1)
            assert app.join().headers["retry-after"] == "1"
            world.clock.advance(1)
            assert app.join().status == 201
    assert waits == [0, FIRST_WAIT_SEC, 20, 40, 80, 160, 320, 640, LONGEST_WAIT_SEC, LONGEST_WAIT_SEC]


def test_who_waited_in_line_meanwhile_does_not_wait_for_it() -> None:
    world = world_with()
    app = App(world)
    app.join()
    for _ in range(5):
        app.again()
    world.clock.advance(LONGEST_WAIT_SEC)
    app.leave()
    assert app.join().status == 201


def test_whatever_ended_a_place_the_next_one_counts() -> None:
    world = world_with(max_active=1, purchases_per_visitor=9, claim={"window_sec": 10, "grace_sec": 0})
    browser = Browser(world)
    browser.enter()
    world.tick(2)
    places = []
    for _ in range(3):
        browser.enter()
        # A session at first, then a place in the line: the room is free some seconds after whoever was in it left.
        browser.ask("DELETE", "/sessions/me")
        answer = browser.ask("POST", "/visitors", headers=SCRIPT)
        places.append(answer.status)
        world.tick(2)
    assert places[0] == 201
    assert 429 in places[1:]


def test_a_place_that_is_held_is_never_refused_counted_or_asked_for_anything() -> None:
    world = world_with(network_limit={"mode": "refuse", "places": 3})
    app = App(world)
    app.join()
    for _ in range(2):
        assert app.again().status == 201
    seq = app.join().json
    change(
        world,
        network_limit={"mode": "refuse", "places": 1},
        proof_of_work={"mode": "require", "bits": 6},
        machines={"automated": "refuse"},
        identity={"mode": "require", **IDENTITY},
    )
    for _ in range(50):
        answer = app.join(**{HEADER: "automated"})
        assert (answer.status, answer.json["position"]) == (200, seq["position"])


def _observing(name: str, setting: dict[str, Any]) -> dict[str, Any]:
    """The same rule where it only looks."""
    return {"automated": "as_people"} if name == "machines" else {**setting, "mode": "observe"}


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ({"identity": {"mode": "require", **IDENTITY}}, 401),
        ({"proof_of_work": {"mode": "require", "bits": 6}}, 428),
        ({"machines": {"automated": "refuse"}}, 403),
        ({"machines": {"automated": "challenge"}}, 428),
        ({"network_limit": {"mode": "refuse", "places": 1}}, 403),
    ],
)
def test_a_switch_counts_at_the_next_position_whatever_token_one_has(rules: dict[str, Any], status: int) -> None:
    world = world_with(**{name: _observing(name, setting) for name, setting in rules.items()})
    with_a_place, without = App(world), App(world)
    with_a_place.join()
    if "network_limit" in rules:
        without.join()
    change(world, **rules)
    with_a_place.leave()
    assert with_a_place.join(**{HEADER: "automated"}).status == status
    # Who took no place yet has nothing but a token.
    browser = Browser(world)
    assert browser.ask("POST", "/visitors", headers={**SCRIPT, HEADER: "automated"}).status == status


def test_a_token_of_a_time_when_nobody_was_asked_becomes_the_account_s() -> None:
    world = world_with(identity={"mode": "observe", **IDENTITY})
    before = [App(world) for _ in range(3)]
    ids = {app.join().json["visitor_id"] for app in before}
    assert len(ids) == 3
    change(world, identity={"mode": "require", **IDENTITY})
    answers = [app.again(**{JOIN_CLAIM_HEADER: claim(world)}) for app in before]
    assert [answer.status for answer in answers] == [201, 200, 200]
    assert len({answer.json["visitor_id"] for answer in answers}) == 1
    assert not ids & {answer.json["visitor_id"] for answer in answers}


def test_one_account_waits_in_whatever_browser_it_comes_again() -> None:
    world = world_with(identity={"mode": "require", **IDENTITY})
    answers = []
    for _ in range(4):
        app = App(world, **{JOIN_CLAIM_HEADER: claim(world)})
        answers.append(app.join().status)
        if app.token:
            app.leave()
    assert answers == [201, 201, 429, 429]


def test_each_position_takes_work_of_its_own() -> None:
    world = world_with(proof_of_work={"mode": "require", "bits": 6})
    app = App(world)
    first = solved(app.join().json["challenge"])
    assert app.join({"proof": first}).status == 201
    app.leave()
    asked = app.join({"proof": first})
    assert asked.status == 428
    assert app.join({"proof": solved(asked.json["challenge"])}).status == 201
    app.leave()
    # Without the token, the solution that is shown again leads to the visitor it was made for, and no further.
    stranger = App(world)
    assert stranger.join({"proof": first}).status == 429
    world.clock.advance(FIRST_WAIT_SEC)
    assert stranger.join({"proof": first}).status == 428


def test_enter_says_how_long_and_asks_again_by_itself() -> None:
    world = world_with()
    browser = Browser(world)
    for _ in range(2):
        browser.enter()
        browser.ask("DELETE", "/sessions/me")
    page = browser.enter()
    assert (page.status, page.headers["retry-after"]) == (429, str(FIRST_WAIT_SEC))
    assert 'data-state="too_soon"' in page.body
    assert f'<meta http-equiv="refresh" content="{FIRST_WAIT_SEC}">' in page.body
    world.clock.advance(FIRST_WAIT_SEC)
    assert browser.enter().status == 303


def test_without_scripts_who_has_waited_as_long_again_has_another_place() -> None:
    world = world_with(proof_of_work={"mode": "require", "bits": 6, "wait_sec": 60})
    browser = Browser(world)
    browser.enter()
    assert 'data-state="moment"' in browser.ask("GET", "/visitors/me", headers=BROWSER).body
    world.clock.advance(60)
    browser.ask("GET", "/visitors/me", headers=BROWSER)
    assert tail(world) == 1
    browser.ask("DELETE", "/sessions/me")
    browser.enter()
    assert tail(world) == 1
    world.clock.advance(60)
    browser.enter()
    assert tail(world) == 2


def test_a_place_left_before_the_draw_and_taken_again_is_the_same_lot() -> None:
    world = ApiWorld()
    starts_at_ms = world.clock.ms + 600_000
    assert world.put_zone(order="lottery", mode="combined", starts_at_ms=starts_at_ms).status == 201
    app = App(world)
    first = app.join().json
    others = [App(world).join().json["arrival"] for _ in range(3)]
    for _ in range(20):
        app.leave()
        again = app.join()
        assert (again.status, again.json["arrival"]) == (200, first["arrival"])
    assert others == [1, 2, 3]
    assert tail(world) == 4
