"""A WebSocket while it is wanted: opens spread over some seconds, as the waiting page does, and hears "your turn"."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import gevent
import gevent.event
import websocket

from waiting_room import schemas

from ..visitors.browser import now_ms

SPREAD_SEC = 8.0
"""Of those who come near at the same moment; lambdas/publisher/site/assets/push.js has the same."""
RETRY_SEC = 10.0
TIMEOUT_SEC = 30.0
Json = dict[str, Any]


class SocketEar:
    """One visitor's connection. `note` is told of those opened and refused, and how long that took."""

    def __init__(self, site: str, zone_id: str, dice: random.Random, note: Callable[[str, int], None]) -> None:
        address = urlsplit(site)
        scheme = "wss" if address.scheme == "https" else "ws"
        self._url = f"{scheme}://{address.netloc}{schemas.load('websocket')['path']}?zone={zone_id}"
        self._site, self._host = site, address.hostname or ""
        self._dice = dice
        self._note = note
        self._reader: gevent.Greenlet | None = None
        self._socket: websocket.WebSocket | None = None
        self._heard = gevent.event.Event()
        self._message: Json | None = None

    @property
    def is_open(self) -> bool:
        """Whether messages would come in now."""
        return self._socket is not None

    @property
    def is_wanted(self) -> bool:
        """Whether there is a connection, or will be."""
        return self._reader is not None

    def want(self, wanted: bool, cookies: dict[str, str]) -> None:
        """Have a connection, or none; said as often as one likes."""
        if wanted and self._reader is None:
            self._reader = gevent.spawn(self._listen, cookies)
        elif not wanted and self._reader is not None:
            self._reader.kill()
            self._reader = None
            self._close()
            self._message = None
            self._heard.clear()

    def wait(self, seconds: float) -> Json | None:
        """The message that comes within this time, or None."""
        self._heard.wait(seconds)
        message, self._message = self._message, None
        self._heard.clear()
        return message

    def _listen(self, cookies: dict[str, str]) -> None:
        gevent.sleep(self._dice.random() * SPREAD_SEC)
        pause_sec = RETRY_SEC
        while True:
            asked_at_ms = now_ms()
            try:
                self._socket = self._opened(cookies)
            except (OSError, websocket.WebSocketException):
                self._note("socket_refused", now_ms() - asked_at_ms)
            else:
                self._note("socket_open", now_ms() - asked_at_ms)
                self._read(self._socket)
                self._close()
            gevent.sleep(pause_sec * (0.5 + self._dice.random()))
            pause_sec *= 2

    def _opened(self, cookies: dict[str, str]) -> websocket.WebSocket:
        # Neither a redirect nor a proxy may lead to a host that nobody named.
        return websocket.create_connection(
            self._url,
            timeout=TIMEOUT_SEC,
            origin=self._site,
            cookie=cookies.get("Cookie"),
            redirect_limit=0,
            http_no_proxy=[self._host],
        )

    def _read(self, socket: websocket.WebSocket) -> None:
        """Until the connection ends."""
        socket.settimeout(None)
        while True:
            try:
                text = socket.recv()
            except (OSError, websocket.WebSocketException):
                return
            if not text:
                return
            try:
                message = json.loads(text)
            except ValueError:
                continue
            if isinstance(message, dict) and message.get("type") == "your_turn":
                self._message = message
                self._heard.set()

    def _close(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            # Without the closing handshake's wait: a page that goes away does not wait for it either.
            socket.shutdown()
