"""The engine with what API Gateway does and it does not: the limits of an HTTP API, and its own words for failures.

Run as a script by `guard.py`, in the engine's own process. Sources, in the Amazon API Gateway Developer Guide: "Quotas
for configuring and running an HTTP API" (10,240 bytes for request line and headers together, 30 s for an integration),
"Troubleshooting issues with HTTP API Lambda integrations" (what it says of a function that fails) and "Stages for HTTP
APIs in API Gateway" (a stage that was not made is not there, $default neither).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

HEAD_LIMIT_BYTES = 10_240
INTEGRATION_SEC = 30.0

PROXY_FAILURES = {429: (503, "Service Unavailable"), 502: (500, "Internal Server Error")}
"""By the engine's status for a function that is throttled, or that fails: what an HTTP API says instead."""

_CALL = re.compile(rb"\A(/_aws/execute-api/[^/]+)/[^/]+(?!/(?:@|%40)connections/)(?=/|\Z)")
"""A call of an API: not one to send to an open WebSocket, which has an address of the same form."""
_PROBLEM = b"application/problem+json"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class HttpApiLimits:
    """An ASGI application around the engine's; everything but calls of an API goes through untouched."""

    def __init__(self, engine: App, integration_sec: float = INTEGRATION_SEC) -> None:
        self._engine = engine
        self._integration_sec = integration_sec

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or carry one WebSocket."""
        call = _CALL.match(scope.get("raw_path") or b"")
        if call is None:
            await self._engine(scope, receive, send)
        elif head_bytes(scope, len(call[1])) > HEAD_LIMIT_BYTES:
            await _refuse(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._engine(scope, receive, send)
        else:
            await self._proxy(scope, receive, send)

    async def _proxy(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An answer as the API gives it: the function's own, or the API's when the function gave none."""
        started = failed = False

        async def relay(message: Message) -> None:
            nonlocal started, failed
            if message["type"] == "http.response.start":
                started = True
                own = PROXY_FAILURES.get(message["status"])
                # What the application answers itself, 429 among it, is a problem document.
                failed = own is not None and _PROBLEM not in dict(message["headers"]).get(b"content-type", b"")
                if own is not None and failed:
                    await _answer(send, *own)
            if not failed:
                await send(message)

        try:
            async with asyncio.timeout(self._integration_sec):
                await self._engine(scope, receive, relay)
        except TimeoutError:
            if not started:
                await _answer(send, 503, "Service Unavailable")


def head_bytes(scope: Scope, before: int = 0) -> int:
    """Bytes of request line and headers; the first `before` of the path are the engine's own, not the API's."""
    line = len(scope.get("method", "GET")) + len(scope["raw_path"]) - before + len(" ?HTTP/1.1 \r\n")
    return line + len(scope["query_string"]) + sum(len(name) + len(value) + 4 for name, value in scope["headers"])


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await _answer(send, 431, "Request Header Fields Too Large")


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def with_stages(gateway: Any) -> None:
    """Make the engine's HTTP APIs treat stages as API Gateway does, in its module for them.

    The engine serves $default whether there is one or not, and cuts a stage's name off the path it tells functions.
    """
    execute, invoke = gateway.handle_execute, gateway._invoke_lambda_proxy

    async def handle_execute(api_id: str, stage: str, *arguments: Any, **named: Any) -> Any:
        if stage not in gateway.stages_for_api(api_id):
            return 404, {"Content-Type": "application/json"}, b'{"message":"Not Found"}'
        return await execute(api_id, stage, *arguments, **named)

    async def invoke_lambda_proxy(
        integration: Any, api_id: str, stage: str, path: str, *arguments: Any, **named: Any
    ) -> Any:
        told = path if stage == "$default" else f"/{stage}{path}"
        return await invoke(integration, api_id, stage, told, *arguments, **named)

    gateway.handle_execute, gateway._invoke_lambda_proxy = handle_execute, invoke_lambda_proxy


def main() -> None:
    """Run the engine with the limits around it; its settings are in the environment."""
    from ministack import app
    from ministack.services import apigateway

    with_stages(apigateway)
    app.app = HttpApiLimits(app.app)
    app.main()


if __name__ == "__main__":
    main()
