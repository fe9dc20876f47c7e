"""The dev edge: an ASGI application that does what CloudFront does in front of the site."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from scripts.edge import sockets, viewer
from scripts.edge.behaviours import Behaviour, Behaviours
from scripts.edge.cache import Cache, CacheKey
from scripts.edge.messages import EdgeRequest, EdgeResponse, problem, without
from scripts.edge.paths import normalised
from scripts.edge.upstream import Origin, Upstream

MAX_BODY_BYTES = 1024 * 1024
MAX_URL_BYTES = 8_192
MAX_HEAD_BYTES = 20_480
"""Path, query and headers of a request together ("Request and response behavior for custom origins", Amazon CloudFront
Developer Guide; the page of quotas has 32,768 by now)."""
READ_BY_THE_GATE = ("snapshot", "exits")
"""Names of the behaviours the gatekeeper reads."""

COUNTERS_PATH = "/.waiting-room/dev/counters"
OUTBOX_PATH = "/.waiting-room/dev/outbox"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Decider(Protocol):
    """Decides about one request: the gate, or a stand-in of a test."""

    async def decide(self, request: EdgeRequest) -> EdgeRequest | EdgeResponse: ...


class TooLargeBody(Exception):
    """Raised when a viewer sends more than MAX_BODY_BYTES."""


@dataclass(frozen=True)
class EdgeApp:
    """One distribution: its behaviours, its origins by name, its cache and its gate."""

    behaviours: Behaviours
    origins: dict[str, Origin]
    cache: Cache
    upstream: Upstream
    gate: Decider
    viewers: Counter[str]
    outbox: Callable[[], str]
    """The page of messages that would have gone to telephones."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or carry one WebSocket; where no WebSocket API is, it is refused before it opens."""
        if scope["type"] == "websocket":
            await self._carry(scope, receive, send)
            return
        try:
            response = await self._answer(await _read(scope, receive))
        except TooLargeBody:
            response = problem(413, "too-large", f"The edge takes {MAX_BODY_BYTES} bytes at most.")
        except httpx.TransportError:
            response = problem(502, "origin-unreachable", "The origin broke off in the middle of its answer.")
        await _write(response, scope["method"], send)

    async def _carry(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = normalised(scope["raw_path"].decode("latin-1"))
        self.viewers[path] += 1
        origin = self.origins.get(self.behaviours.match(path).origin)
        if origin is None or not origin.websocket:
            await send(sockets.REFUSE)
            return
        await sockets.relay(scope, receive, send, origin, self.behaviours.viewer_host_header)

    async def _answer(self, request: EdgeRequest) -> EdgeResponse:
        if not request.path.startswith("/"):
            return problem(400, "bad-request", "The request target must be a path.")
        if len(request.path) + len(request.query) > MAX_URL_BYTES:
            return problem(414, "uri-too-long", f"A URL may have {MAX_URL_BYTES} bytes.")
        if request.head_bytes > MAX_HEAD_BYTES:
            return problem(413, "too-large", f"Path, query and headers may have {MAX_HEAD_BYTES} bytes.")
        self.viewers[request.path] += 1
        path = normalised(request.path)
        if path == COUNTERS_PATH:
            return self._counters()
        if path == OUTBOX_PATH:
            return EdgeResponse(200, (("content-type", "text/html; charset=utf-8"),), self.outbox().encode())
        behaviour = self.behaviours.match(path)
        origin = self.origins.get(behaviour.origin)
        if origin is None or origin.websocket:
            return problem(behaviour.answer or 404, "not-found", "There is nothing here.")
        if request.method not in behaviour.methods:
            return problem(405, "method-not-allowed", f"{request.method} is not taken here.")
        if not behaviour.gate:
            response = await self._forward(behaviour, request)
            for name, value in behaviour.headers.items():
                response = response.with_header(name, value)
            # The gatekeeper keeps its connection for ever, having nobody to tell it that this edge is about to end.
            return response.with_header("connection", "close") if behaviour.name in READ_BY_THE_GATE else response
        decision = await self.gate.decide(request)
        if isinstance(decision, EdgeResponse):
            return decision
        return await self._forward(behaviour, decision)

    async def _forward(self, behaviour: Behaviour, request: EdgeRequest) -> EdgeResponse:
        """Answer from the cache or the origin."""
        origin = self.origins[behaviour.origin]
        if not _may_be_cached(behaviour, request):
            response = await self.upstream.send(origin, request)
            return response.with_header("x-cache", "Miss from cloudfront")
        # A cache filled by a conditional request would hold a 304 without a body.
        conditions = frozenset() if behaviour.cache.disabled else frozenset({"if-none-match", "if-modified-since"})
        plain = request.with_headers(without(request.headers, conditions))
        key = _cache_key(behaviour, origin, request)
        return await self.cache.fetch(key, behaviour.cache, request, lambda: self.upstream.send(origin, plain))

    def _counters(self) -> EdgeResponse:
        """What the measurements read: requests of viewers and reads of origins, by path."""
        body = json.dumps({"origin_reads": self.upstream.reads, "requests": self.viewers}).encode()
        return EdgeResponse(200, (("content-type", "application/json"), ("cache-control", "no-store")), body)


def _may_be_cached(behaviour: Behaviour, request: EdgeRequest) -> bool:
    """Only plain reads are shared: a range or a bearer token belongs to one reader.

    Where nothing is kept, CloudFront still keeps errors, and looks at neither: they are not part of its key.
    """
    shared = request.header("range") is None and request.header("authorization") is None
    return request.method in ("GET", "HEAD") and (shared or behaviour.cache.disabled)


def _cache_key(behaviour: Behaviour, origin: Origin, request: EdgeRequest) -> CacheKey:
    """What the origin sees decides the answer, so what it sees is the key (headers by Vary).

    Where nothing is kept, the key is the path alone (Managed-CachingDisabled), whatever the origin sees: one visitor's
    error would be another's.
    """
    if not origin.forward_viewer or behaviour.cache.disabled:
        return behaviour.name, request.method, request.path
    cookies = "; ".join(sorted(value for name, value in request.headers if name == "cookie"))
    host = request.header("host") or ""
    return behaviour.name, request.method, request.path, request.query, host, cookies


async def _read(scope: Scope, receive: Receive) -> EdgeRequest:
    """Read a request whole. Raises TooLargeBody as soon as that is certain."""
    sent = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    headers = tuple((name, value) for name, value in sent if not viewer.blocked(name))
    client = scope.get("client") or ("127.0.0.1", 0)
    return EdgeRequest(
        method=scope["method"],
        # Not scope["path"]: that one is decoded, and half of the attacks on a gate would be gone.
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        client_ip=client[0],
        body=await _body(headers, receive),
    )


async def _body(headers: tuple[tuple[str, str], ...], receive: Receive) -> bytes:
    declared = dict(headers).get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        raise TooLargeBody
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise TooLargeBody
        more = message.get("more_body", False)
    return body


async def _write(response: EdgeResponse, method: str, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(response.body, bytes):
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})
        return
    async for chunk in response.body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
