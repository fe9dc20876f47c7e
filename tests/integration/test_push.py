"""Push on the running stack: through the edge, by a browser's handshake, from the tick to the visitor."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from scripts.edge.websocket import HandshakeRefused, WebSocket
from tests.integration.guests import CALLED_SEC, Guest, connections
from tests.integration.running import Foyer
from tests.integration.zones import open_zones, zone


@pytest.fixture(scope="module")
def http(foyer: Foyer) -> Iterator[httpx.Client]:
    open_zones(foyer, *(zone(zone_id, max_active=1) for zone_id in ("pushed", "held")), zone("narrow", push_window=0))
    with connections(foyer.url) as http:
        yield http


def in_line(http: httpx.Client, zone_id: str) -> tuple[Guest, Guest]:
    """Somebody inside, and the first in the line behind."""
    inside, waiting = Guest(http, zone_id), Guest(http, zone_id)
    inside.open()
    inside.come_in()
    assert not waiting.is_in()
    assert waiting.call("POST", "/visitors").status_code == 200
    return inside, waiting


@pytest.fixture(scope="module")
def waiting(http: httpx.Client) -> Guest:
    """The first in a line that stands."""
    return in_line(http, "held")[1]


async def connect(guest: Guest, url: str, **changes: str) -> WebSocket:
    cookies = "; ".join(f"{name}={value}" for name, value in guest.cookies.items())
    headers = {"Origin": url, "Cookie": cookies} | changes
    return await WebSocket.open(f"{url}/.waiting-room/ws?zone={guest.zone_id}", list(headers.items()))


def test_the_called_are_told_and_come_in(foyer: Foyer, http: httpx.Client) -> None:
    inside, waiting = in_line(http, "pushed")
    position = waiting.place()["position"]

    async def told() -> str:
        socket = await connect(waiting, foyer.url)
        await socket.send("{}")
        assert (await asyncio.to_thread(inside.call, "DELETE", "/sessions/me")).status_code == 204
        async with asyncio.timeout(CALLED_SEC):
            message = await anext(socket.messages())
        await socket.close()
        return message

    message = json.loads(asyncio.run(told()))
    assert (message["type"], message["zone_id"], message["position"]) == ("your_turn", "pushed", position)
    waiting.come_in()


@pytest.mark.parametrize("changes", [{"Origin": "https://evil.example"}, {"Cookie": ""}, {"Cookie": "a=b"}])
def test_foreign_pages_and_strangers_are_refused(foyer: Foyer, waiting: Guest, changes: dict[str, str]) -> None:
    with pytest.raises(HandshakeRefused):
        asyncio.run(connect(waiting, foyer.url, **changes))


def test_outside_the_push_window_there_is_no_connection(foyer: Foyer, http: httpx.Client) -> None:
    guests = [Guest(http, "narrow") for _ in range(4)]
    for guest in guests:
        assert guest.open().status_code == 200
        assert guest.call("POST", "/visitors").status_code == 200
    with pytest.raises(HandshakeRefused):
        asyncio.run(connect(guests[-1], foyer.url))


@pytest.mark.parametrize("path", ["/.waiting-room/wss", "/events/pushed", "/.waiting-room/v1/zones"])
def test_there_is_one_path_for_websockets(foyer: Foyer, path: str) -> None:
    with pytest.raises(HandshakeRefused):
        asyncio.run(WebSocket.open(foyer.url + path))


def test_a_connection_made_at_the_api_itself_is_refused(foyer: Foyer, waiting: Guest) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in waiting.cookies.items())
    headers = [("Origin", foyer.url), ("Cookie", cookies)]
    with pytest.raises(HandshakeRefused):
        asyncio.run(WebSocket.open(f"{foyer.stack.websocket_url}?zone=held", headers))
