"""Who may open a WebSocket: only a page of this host, with a token of this run, near the front."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_world import ORIGIN_SECRET, SCRIPT, ZONE_ID, ApiWorld, Browser
from waiting_room import schemas
from waiting_room.adapters.dynamodb import decode
from waiting_room.composition import socket_app
from waiting_room.domain.errors import Overloaded
from waiting_room.http.frame.guards import only_from_distribution
from waiting_room.http.sockets import ZONE_PARAMETER, SocketApp
from waiting_room.use_cases.connect import MOST_OF_A_PLACE, SETTLE_MS

CONNECT = Path(__file__).parents[2] / "events" / "websocket_connect.json"


class SocketWorld(ApiWorld):
    """An API whose bouncer and WebSocket function share one database."""

    def __init__(self) -> None:
        super().__init__()
        self.put_zone(push_window=3, max_active=1)
        guard = only_from_distribution(ORIGIN_SECRET)
        self.closed: list[str] = []
        self.sockets: SocketApp = socket_app(self.stores, self.tokens, guard, self.closed.append, self.clock, self.log)

    def joined(self, count: int) -> Browser:
        """The last of some visitors who joined one after the other."""
        for _ in range(count):
            browser = Browser(self)
            assert browser.ask("POST", "/visitors").status == 201
        return browser

    def connect(self, browser: Browser | None = None, **changes: Any) -> int:
        """Open a WebSocket as that browser; `changes` replace headers, None takes one away."""
        event: dict[str, Any] = json.loads(CONNECT.read_text())
        query = changes.pop("query", event["queryStringParameters"])
        event["requestContext"]["connectionId"] = changes.pop("connection_id", event["requestContext"]["connectionId"])
        cookies = [f"{name}={value}" for name, value in (browser.cookies if browser else {}).items()]
        headers = event["headers"] | {"Cookie": "; ".join(["theme=dark", *cookies])} | changes
        event |= {"queryStringParameters": query, "headers": {k: v for k, v in headers.items() if v is not None}}
        return int(self.sockets(event, None)["statusCode"])

    def noted(self) -> list[dict[str, Any]]:
        return [decode(row.item) for row in self.dynamo.tables["user_connections"].records.values()]


@pytest.fixture
def world() -> SocketWorld:
    return SocketWorld()


def test_a_visitor_near_the_front_is_noted_by_position(world: SocketWorld) -> None:
    browser = world.joined(3)
    assert world.connect(browser) == 200
    (noted,) = world.noted()
    assert noted["line"] == f"{ZONE_ID}#1#general#0"
    assert (noted["entry"], noted["connection_id"]) == ("000000000002#ws:0", "GVlDFfcRDoECHLw=")
    assert noted["visitor_id"] == browser.ask("GET", "/visitors/me", headers=SCRIPT).json["visitor_id"]
    assert noted["expires_at_sec"] > world.clock.now_sec + 2 * 3600


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": None},
        {"Origin": "https://evil.example"},
        {"Origin": "http://tickets.example.org"},
        {"Origin": "null"},
        {"Origin": "https://tickets.example.org.evil.example"},
        {"x-foyer-viewer-host": None},
        {"x-foyer-viewer-host": "", "Origin": ""},
        {"x-foyer-origin-secret": "guessed"},
        {"query": None},
        {"query": {ZONE_PARAMETER: "nothing-here"}},
        {"query": {ZONE_PARAMETER: "../midnight-sun"}},
    ],
)
def test_everybody_else_is_refused(world: SocketWorld, changes: dict[str, Any]) -> None:
    assert world.connect(world.joined(1), **changes) == 403
    assert world.noted() == []


def test_strangers_and_forgers_are_refused(world: SocketWorld) -> None:
    browser = world.joined(1)
    assert world.connect(None) == 403
    for token in ("", "x.y.z", browser.visitor_token[:-4] + "AAAA"):
        forged = Browser(world)
        forged.cookies = {f"__Host-wr-visitor-{ZONE_ID}": token}
        assert world.connect(forged) == 403
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
    world.clock.advance(5)
    assert world.connect(browser) == 403, "a token of an earlier run"
    assert world.noted() == []


def test_a_token_from_before_joining_has_no_position_to_listen_at(world: SocketWorld) -> None:
    browser = Browser(world)
    browser.cookies = world.visit(
        "GET", "/enter", headers={"accept": "text/html", "sec-fetch-dest": "document"}
    ).cookies
    assert world.connect(browser) == 403


def test_far_back_there_is_no_push(world: SocketWorld) -> None:
    near, far = world.joined(4), world.joined(1)
    assert (world.connect(near), world.connect(far)) == (200, 403)


def test_called_already_there_is_nothing_to_be_told(world: SocketWorld) -> None:
    browser = world.joined(1)
    world.tick(20)
    assert world.connect(browser) == 403


def test_an_app_proves_itself_by_its_token_and_has_no_origin(world: SocketWorld) -> None:
    token = world.joined(1).visitor_token
    bearer = {"Authorization": f"Bearer {token}", "Origin": None, "x-foyer-viewer-host": None}
    assert world.connect(None, **bearer) == 200


def test_a_busy_table_refuses_and_says_nothing_more(world: SocketWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = world.joined(1)

    def busy(*_: object) -> None:
        raise Overloaded

    monkeypatch.setattr("waiting_room.adapters.user_connections.UserConnections.take", busy)
    assert world.connect(browser) == 403
    assert world.log.lines[-1]["problem"] == "overloaded"


def test_a_fault_is_logged_and_refused(world: SocketWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waiting_room.adapters.user_connections.UserConnections.take", lambda *_: 1 / 0)
    assert world.connect(world.joined(1)) == 403
    assert "ZeroDivisionError" in world.log.lines[-1]["stack"]


def test_of_two_thousand_connections_of_one_place_a_few_are_open(world: SocketWorld) -> None:
    browser = world.joined(1)
    world.dynamo.units.reset()
    answers = [world.connect(browser, connection_id=f"c{number}") for number in range(2000)]
    assert answers == [200] * MOST_OF_A_PLACE + [403] * (2000 - MOST_OF_A_PLACE)
    assert len(world.noted()) == MOST_OF_A_PLACE
    assert world.dynamo.units.write == MOST_OF_A_PLACE
    assert world.dynamo.units.reads_by["Query", "user_connections"] <= 2000, "one unit for each that is refused"
    assert world.closed == []
    assert world.log.lines[-1]["problem"] == "forbidden"


def test_who_comes_back_gets_the_oldest_ones_slot_and_that_one_is_closed(world: SocketWorld) -> None:
    browser = world.joined(1)
    for number in range(60):
        assert world.connect(browser, connection_id=f"c{number}") == 200
        assert len(world.noted()) == min(number + 1, MOST_OF_A_PLACE)
        world.clock.advance(SETTLE_MS / 1000 / MOST_OF_A_PLACE)
    assert world.closed == [f"c{number}" for number in range(60 - MOST_OF_A_PLACE)]
    assert {item["connection_id"] for item in world.noted()} == {f"c{number}" for number in range(55, 60)}


def test_a_handshake_told_twice_has_one_slot(world: SocketWorld) -> None:
    browser = world.joined(1)
    assert [world.connect(browser) for _ in range(9)] == [200] * 9
    assert len(world.noted()) == 1


def test_another_place_has_connections_of_its_own(world: SocketWorld) -> None:
    first, second = world.joined(1), world.joined(1)
    for browser in (first, second):
        assert [world.connect(browser, connection_id=f"{browser.visitor_token[-9:]}{n}") for n in range(6)][4:] == [
            200,
            403,
        ]
    assert len(world.noted()) == 2 * MOST_OF_A_PLACE


def test_who_meets_at_the_same_slot_is_not_noted_over_another(world: SocketWorld) -> None:
    browser, rivals = world.joined(1), iter(range(100))

    def rival(method: str, request: dict[str, Any], phase: str) -> None:
        """Somebody else of the place is faster each time."""
        if (method, phase) == ("put_item", "before") and "user" in request["TableName"]:
            world.dynamo.on_call = None
            world.connect(browser, connection_id=f"rival{next(rivals)}")
            world.dynamo.on_call = rival

    world.dynamo.on_call = rival
    assert world.connect(browser, connection_id="late") == 403
    assert world.log.lines[-1]["problem"] == "overloaded"
    world.dynamo.on_call = None
    assert sorted(item["connection_id"] for item in world.noted()) == ["rival0", "rival1", "rival2"]


def test_one_that_cannot_be_closed_keeps_nobody_out(world: SocketWorld) -> None:
    def down(_: str) -> None:
        raise Overloaded

    guard = only_from_distribution(ORIGIN_SECRET)
    world.sockets = socket_app(world.stores, world.tokens, guard, down, world.clock, world.log)
    browser = world.joined(1)
    for number in range(6):
        world.clock.advance(SETTLE_MS / 1000)
        assert world.connect(browser, connection_id=f"c{number}") == 200


def test_messages_and_the_end_need_no_work(world: SocketWorld) -> None:
    for route in schemas.load("websocket")["routes"]:
        if route["route_key"] != "$connect":
            context = {"routeKey": route["route_key"], "connectionId": "c"}
            assert world.sockets({"requestContext": context, "body": "anything"}, None) == {"statusCode": 200}
    assert world.noted() == []


def test_no_token_is_ever_logged(world: SocketWorld) -> None:
    browser = world.joined(1)
    world.connect(browser)
    assert browser.visitor_token not in json.dumps(world.log.lines)
    assert "203.0.113.9" not in json.dumps(world.log.lines)
