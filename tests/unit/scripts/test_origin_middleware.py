"""The middleware of the Python package: which paths it guards, and what it lets through untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from foyer_origin import AsgiMiddleware, Settings, WaitingRoom, WsgiMiddleware
from tests.support.origin_rooms import usual_settings


@pytest.fixture
def room() -> Iterator[WaitingRoom]:
    """A room that is asked about nobody with a token, and so asks nobody itself."""
    room = WaitingRoom(Settings(**usual_settings("http://localhost:9")))
    yield room
    room.close()


def test_a_websocket_is_closed_and_the_server_may_start(room: WaitingRoom) -> None:
    sent: list[dict[str, Any]] = []
    passed: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope["type"])

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    guarded: Any = AsgiMiddleware(app, room)
    asyncio.run(guarded({"type": "lifespan"}, None, send))
    asyncio.run(guarded({"type": "websocket", "path": "/live", "headers": []}, None, send))
    assert (passed, sent) == (["lifespan"], [{"type": "websocket.close", "code": 1008}])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/events/midnight-sunset", 200),
        ("/thanks", 200),
        ("/events/midnight-sun", 403),
        ("/events/midnight-sun/", 403),
        ("/events/midnight-sun/buy", 403),
        ("/EVENTS/Midnight-Sun", 403),
        ("//events/midnight-sun", 403),
        ("/thanks/../events/midnight-sun", 403),
        ("/events\\midnight-sun", 403),
        ("/events/./midnight-sun/\u00e9", 403),
    ],
)
def test_the_guarded_paths_are_guarded_however_they_are_written(room: WaitingRoom, path: str, status: int) -> None:
    statuses: list[int] = []

    def wsgi_app(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    async def asgi_app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status", statuses[-1] if statuses else 0))

    environ = {"PATH_INFO": path.encode().decode("latin-1")}
    WsgiMiddleware(wsgi_app, room, ["/events/midnight-sun"])(environ, lambda told, _: statuses.append(int(told[:3])))
    guarded: Any = AsgiMiddleware(asgi_app, room, ["/events/midnight-sun"])
    asyncio.run(guarded({"type": "http", "path": path, "headers": []}, None, send))
    assert set(statuses) == {status}
