"""Middleware for WSGI (Flask, Django) and ASGI (Starlette, FastAPI, Django) that lets nobody past the waiting room."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any

from foyer_origin.errors import KeysUnavailable, NotAdmitted
from foyer_origin.room import WaitingRoom

VISIT = "foyer_origin.visit"
"""Where the visit of a request is: in the environ of WSGI, in the scope of ASGI."""

REFUSED = b"Please come in by the front door."
NOT_NOW = b"Please try again in a moment."

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Scope = MutableMapping[str, Any]
AsgiApp = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[None]]], Awaitable[None]]


class WsgiMiddleware:
    """Answers 403 to whoever did not come in through the waiting room; the others' visit is in `environ[VISIT]`.

    `paths` are the guarded ones, each with all below it; everything unless said.
    """

    def __init__(self, app: WsgiApp, room: WaitingRoom, paths: Sequence[str] = ("/",)) -> None:
        self._app, self._room, self._guarded = app, room, _guarded(paths)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass on, or answer."""
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        # Servers hand the path's bytes over as if they were Latin-1 (PEP 3333).
        if not self._guarded(path.encode("latin-1").decode(errors="replace")):
            return self._app(environ, start_response)
        names = (name for name in environ if name.startswith("HTTP_"))
        try:
            visit = self._room.check({name[5:].lower().replace("_", "-"): environ[name] for name in names})
        except (NotAdmitted, KeysUnavailable) as error:
            status, headers, body = _answer(error)
            start_response(f"{status.value} {status.phrase}", headers)
            return [body]
        return self._app({**environ, VISIT: visit}, start_response)


class AsgiMiddleware:
    """The same for ASGI, WebSockets too; the visit is in `scope[VISIT]`."""

    def __init__(self, app: AsgiApp, room: WaitingRoom, paths: Sequence[str] = ("/",)) -> None:
        self._app, self._room, self._guarded = app, room, _guarded(paths)

    async def __call__(
        self, scope: Scope, receive: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[None]]
    ) -> None:
        """Pass on, or answer."""
        if scope["type"] not in ("http", "websocket") or not self._guarded(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            visit = await self._room.check_async(_Pairs(scope["headers"]))
        except (NotAdmitted, KeysUnavailable) as error:
            await _refuse(scope, send, error)
            return
        await self._app({**scope, VISIT: visit}, receive, send)


class _Pairs:
    """The headers of ASGI, repeated ones and all."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def items(self) -> Iterable[tuple[str, str]]:
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._raw]


def _guarded(paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether a path is one of these or below: as it is, and as a server that is not so particular would read it."""
    roots = tuple(_plain(path).rstrip("/") for path in paths)

    def guarded(path: str) -> bool:
        readings = (path.casefold(), _plain(path))
        return any(reading == root or reading.startswith(f"{root}/") for reading in readings for root in roots)

    return guarded


def _plain(path: str) -> str:
    return posixpath.normpath(re.sub(r"[\\/]+", "/", f"/{path}")).casefold()


def _answer(error: Exception) -> tuple[HTTPStatus, list[tuple[str, str]], bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
    if isinstance(error, KeysUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE, [*headers, ("Retry-After", str(error.retry_after_sec))], NOT_NOW
    return HTTPStatus.FORBIDDEN, headers, REFUSED


async def _refuse(scope: Scope, send: Callable[..., Awaitable[None]], error: Exception) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    status, headers, body = _answer(error)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status.value, "headers": raw})
    await send({"type": "http.response.body", "body": body})
