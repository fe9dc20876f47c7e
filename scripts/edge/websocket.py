"""A WebSocket client on asyncio: what the dev edge reaches the WebSocket API with, and the measurements the edge."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Self
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

READ_BYTES = 65_536


class HandshakeRefused(Exception):
    """Raised when a server does not open the WebSocket; `status` is its answer's, 0 when there was none."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the WebSocket was refused with {status}")
        self.status = status


class WebSocket:
    """One open connection. `messages` ends when the other side does; one task may read while another sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = WSConnection(ConnectionType.CLIENT)

    @classmethod
    async def open(cls, url: str, headers: Iterable[tuple[str, str]] = ()) -> Self:
        """Connect to a `ws://` or `http://` address. Raises HandshakeRefused, and OSError when nobody listens there."""
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
        socket = cls(reader, writer)
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        try:
            await socket._send(Request(host=address.netloc, target=target, extra_headers=sent))
            await socket._accepted()
        except BaseException:
            writer.close()
            raise
        return socket

    async def send(self, text: str) -> None:
        """Send one message. On a connection that has ended it is lost, as on any network."""
        with contextlib.suppress(ProtocolError, ConnectionError):
            await self._send(TextMessage(data=text))

    async def messages(self) -> AsyncIterator[str]:
        """Yield whole messages as text until the connection ends."""
        text = ""
        while data := await self._read():
            for event in self._events(data):
                if isinstance(event, TextMessage | BytesMessage):
                    text += event.data if isinstance(event.data, str) else bytes(event.data).decode()
                    if event.message_finished:
                        yield text
                        text = ""
                elif isinstance(event, Ping):
                    await self._send(event.response())
                elif isinstance(event, CloseConnection):
                    return

    async def close(self) -> None:
        """End the connection, politely if that still works."""
        with contextlib.suppress(ProtocolError, OSError):
            await self._send(CloseConnection(code=1000))
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def abort(self) -> None:
        """Break the connection off without a word, as a lost network does."""
        self._writer.transport.abort()

    async def _accepted(self) -> None:
        while data := await self._read():
            for event in self._events(data):
                if isinstance(event, AcceptConnection):
                    return
                if isinstance(event, RejectConnection | RejectData):
                    raise HandshakeRefused(getattr(event, "status_code", 0))
        raise HandshakeRefused(0)

    def _events(self, data: bytes) -> list[Event]:
        try:
            self._protocol.receive_data(data)
        except ProtocolError as error:
            raise HandshakeRefused(0) from error
        return list(self._protocol.events())

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(READ_BYTES)
        except ConnectionError:
            return b""

    async def _send(self, event: Event) -> None:
        self._writer.write(self._protocol.send(event))
        await self._writer.drain()
