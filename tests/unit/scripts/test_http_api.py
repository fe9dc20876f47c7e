"""What API Gateway does and the engine does not: limits of an HTTP API, and its own words for failures."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scripts.local.http_api import (
    HEAD_LIMIT_BYTES,
    HttpApiLimits,
    Message,
    Receive,
    Scope,
    Send,
    head_bytes,
    with_stages,
)

ENGINE = b"/_aws/execute-api/feedc0de"
API = ENGINE + b"/0123456789abcdef"
PROBLEM = [(b"content-type", b"application/problem+json; charset=utf-8")]
JSON = [(b"content-type", b"application/json")]


class Engine:
    """Says what it is told to, and notes what reached it; a `status` of None is no answer at all."""

    def __init__(self, status: int | None, headers: list[tuple[bytes, bytes]]) -> None:
        self.status, self.headers = status, headers
        self.reached: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope["raw_path"])
        if self.status is None:
            await asyncio.Event().wait()
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"its own"})


def asked(path: bytes, head: int = 0, kind: str = "http") -> dict[str, Any]:
    """A request whose request line and headers have `head` bytes as the API counts them; as few as may be for 0."""
    scope = {"type": kind, "method": "GET", "raw_path": path, "query_string": b"", "headers": [(b"cookie", b"")]}
    least = head_bytes(scope, len(ENGINE) if path.startswith(API) else 0)
    scope["headers"] = [(b"cookie", b"x" * max(0, head - least))]
    return scope


def sent(scope: Scope, engine: Engine, integration_sec: float = 30) -> list[Message]:
    """What the client is sent."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(HttpApiLimits(engine, integration_sec)(scope, receive, send))
    return messages


def answer(messages: list[Message]) -> tuple[int, bytes]:
    (start, *bodies) = messages
    return start["status"], b"".join(body["body"] for body in bodies)


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
def test_request_line_and_headers_have_a_limit(more: int, status: int) -> None:
    engine = Engine(200, JSON)
    assert answer(sent(asked(API + b"/x", HEAD_LIMIT_BYTES + more), engine))[0] == status
    assert len(engine.reached) == (status == 200)


def test_a_handshake_has_it_too() -> None:
    engine = Engine(200, JSON)
    (refusal,) = sent(asked(b"/_aws/execute-api/ab/live", HEAD_LIMIT_BYTES + 99, "websocket"), engine)
    assert (refusal["type"], engine.reached) == ("websocket.close", [])


@pytest.mark.parametrize("path", [b"/", b"/bucket/_aws/execute-api/a/b", b"/_aws/execute-api/a/live/@connections/x"])
def test_what_is_no_call_of_an_api_goes_through_untouched(path: bytes) -> None:
    engine = Engine(429, JSON)
    assert answer(sent(asked(path, HEAD_LIMIT_BYTES * 2), engine)) == (429, b"its own")


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (429, JSON, (503, b'{"message": "Service Unavailable"}')),
        (502, JSON, (500, b'{"message": "Internal Server Error"}')),
        (429, PROBLEM, (429, b"its own")),
        (404, JSON, (404, b"its own")),
    ],
    ids=["throttled", "failed", "the application's own refusal", "no route"],
)
def test_a_function_that_gives_no_answer_is_answered_for(
    status: int, headers: list[tuple[bytes, bytes]], told: tuple[int, bytes]
) -> None:
    assert answer(sent(asked(API + b"/x"), Engine(status, headers))) == told


def test_a_function_that_takes_too_long_is_not_waited_for() -> None:
    assert answer(sent(asked(API + b"/x"), Engine(None, []), 0.01)) == (503, b'{"message": "Service Unavailable"}')


class Gateway:
    """The engine's module for HTTP APIs, as far as stages go: it has one, and serves $default all the same."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def stages_for_api(self, api_id: str) -> dict[str, Any]:
        return {"secret": {}} if api_id == "feedc0de" else {}

    async def handle_execute(self, api_id: str, stage: str, path: str, method: str) -> Any:
        return await self._invoke_lambda_proxy({}, api_id, stage, path, method)

    async def _invoke_lambda_proxy(self, integration: Any, api_id: str, stage: str, path: str, method: str) -> Any:
        self.told.append(path)
        return 200, {}, b""


def test_a_stage_that_was_not_made_starts_no_function_and_one_that_was_is_told_in_the_path() -> None:
    gateway = Gateway()
    with_stages(gateway)
    answers = [
        asyncio.run(gateway.handle_execute(api_id, stage, "/.waiting-room/v1/x", "GET"))[0]
        for api_id, stage in (
            ("feedc0de", "$default"),
            ("feedc0de", "guess"),
            ("other", "secret"),
            ("feedc0de", "secret"),
        )
    ]
    assert answers == [404, 404, 404, 200]
    assert gateway.told == ["/secret/.waiting-room/v1/x"]
