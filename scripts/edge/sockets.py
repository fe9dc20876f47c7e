"""WebSockets through the edge: the handshake as CloudFront passes it on, then messages until one side ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from scripts.edge import viewer
from scripts.edge.messages import HOP_BY_HOP, with_cookies
from scripts.edge.upstream import Origin
from scripts.edge.websocket import HandshakeRefused, WebSocket

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

REFUSE: Message = {"type": "websocket.close", "code": 1008}
"""Before the connection is accepted the server makes it a plain 403."""


async def relay(scope: Scope, receive: Receive, send: Send, origin: Origin, viewer_host_header: str) -> None:
    """Open the origin's WebSocket for a viewer and carry messages; a refusal of the origin is the viewer's too.

    `origin.url` already ends in the stage: the path that browsers use is the edge's alone.
    """
    await receive()
    query = scope["query_string"].decode("latin-1")
    url = origin.url + (f"?{query}" if query else "")
    try:
        upstream = await WebSocket.open(
            url, list(with_cookies(_headers(scope, origin, viewer_host_header), origin.cookies))
        )
    except (HandshakeRefused, OSError):
        await send(REFUSE)
        return
    try:
        await send({"type": "websocket.accept"})
        async with asyncio.TaskGroup() as ways:
            down = ways.create_task(_down(upstream, send))
            up = ways.create_task(_up(upstream, receive))
            await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
            down.cancel()
            up.cancel()
    finally:
        await upstream.close()
        with contextlib.suppress(Exception):
            await send({"type": "websocket.close", "code": 1000})


async def _down(upstream: WebSocket, send: Send) -> None:
    async for text in upstream.messages():
        await send({"type": "websocket.send", "text": text})


async def _up(upstream: WebSocket, receive: Receive) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        await upstream.send(message.get("text") or (message.get("bytes") or b"").decode())


def _headers(scope: Scope, origin: Origin, viewer_host_header: str) -> Iterator[tuple[str, str]]:
    """Yield what the origin sees: the viewer's headers without Host and the handshake's own, then the edge's own."""
    own = {name for name, _ in origin.set_headers} | HOP_BY_HOP | {"host", viewer_host_header}
    host = ""
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "host":
            host = value
        if name not in own and not name.startswith("sec-websocket-") and not viewer.blocked(name):
            yield name, value
    yield viewer_host_header, host
    yield from origin.set_headers
