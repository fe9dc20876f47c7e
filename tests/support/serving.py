"""Small servers for tests: an ASGI application in a thread, on a free port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import uvicorn

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@contextlib.contextmanager
def served(app: App) -> Iterator[str]:
    """Yield the address of an application while it is served."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="error", access_log=False)
    )
    thread = threading.Thread(target=server.run, name="test origin")
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def send_raw(url: str, target: str, *headers: str, method: str = "GET") -> tuple[int, str]:
    """Send a request target exactly as given, which no HTTP library does; return status, and headers as text."""
    address = urlsplit(url)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {address.netloc}", "Connection: close", *headers, "", ""]
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        while chunk := connection.recv(65_536):
            answer += chunk
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    return int(head.split(" ", 2)[1]), head


async def read_while(url: str, path: str, more: Callable[[int], bool]) -> list[int]:
    """Read a path over one connection as long as `more`, told how often it was read, says so; return the statuses.

    By hand, because what an HTTP library does for a request is many times what the dev edge does.
    """
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    statuses: list[int] = []
    while more(len(statuses)):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        length = next(line for line in lines if line.lower().startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        statuses.append(int(first.split(b" ")[1]))
    writer.close()
    await writer.wait_closed()
    return statuses


class EchoOrigin:
    """Answers every request with what it received, as JSON; `answer` decides status and headers of the next ones."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.headers: list[tuple[str, str]] = []

    def reset(self) -> None:
        """Forget what came and answer plainly again."""
        self.received.clear()
        self.status = 200
        self.headers.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        seen = {
            "method": scope["method"],
            "path": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode("latin-1"),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "body": body.decode("latin-1"),
        }
        self.received.append(seen)
        content = json.dumps(seen).encode()
        own = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        headers = own + [(name.encode(), value.encode()) for name, value in self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})
