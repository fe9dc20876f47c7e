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

CONNECT = Path(__file__).parents[2] / "events" / "websocket_connect.json"


class SocketWorld(ApiWorld):
    """An API whose bouncer and WebSocket function share one database."""

    def __init__(self) -> None:
        super().__init__()
        self.put_zone(push_window=3, max_active=1)
        guard = only_from_distribution(ORIGIN_SECRET)
        self.sockets: SocketApp = socket_app(self.stores, self.tokens, guard, self.clock, self.log)

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
    assert noted["entry"] == "000000000002#ws:GVlDFfcRDoECHLw="
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

    monkeypatch.setattr("waiting_room.adapters.user_connections.UserConnections.add", busy)
    assert world.connect(browser) == 403
    assert world.log.lines[-1]["problem"] == "overloaded"


def test_a_fault_is_logged_and_refused(world: SocketWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waiting_room.adapters.user_connections.UserConnections.add", lambda *_: 1 / 0)
    assert world.connect(world.joined(1)) == 403
    assert "ZeroDivisionError" in world.log.lines[-1]["stack"]


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
