"""The dev edge as a server in a thread of this process, for the demo and the tests."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Protocol, Self

import uvicorn

from scripts.edge import behaviours, gatekeeper
from scripts.edge.app import EdgeApp
from scripts.edge.behaviours import Behaviours
from scripts.edge.cache import Cache
from scripts.edge.messages import Headers
from scripts.edge.upstream import Origin, Signer, Upstream

ROOT = Path(__file__).resolve().parents[2]
BACKLOG = 2_048
"""Connections that may wait to be accepted: a crowd arrives at once."""

STOP_SEC = 5.0
KEEP_ALIVE_SEC = 60
"""A client that a busy machine holds up for seconds must not find its connection closed as it sends."""


class Stack(Protocol):
    """What the edge has to know about the stack behind it."""

    @property
    def api_url(self) -> str: ...
    @property
    def bucket_url(self) -> str: ...
    @property
    def sign_bucket_read(self) -> Signer | None: ...
    @property
    def websocket_url(self) -> str: ...
    @property
    def origin_secret(self) -> str: ...
    @property
    def gatekeeper_settings(self) -> dict[str, Any]: ...
    def outbox_page(self) -> str: ...


class Edge:
    """One dev edge on 127.0.0.1; port 0 picks a free one. The port is taken, and `url` known, before `start`.

    `site_headers` go to the site with every request, as the custom headers of an origin do.
    """

    def __init__(
        self,
        port: int,
        stack: Stack,
        site_origin_url: str,
        *,
        site_headers: Mapping[str, str] | None = None,
        schemas: Path = ROOT / "schemas",
        gatekeeper_source: Path = ROOT / "lambdas" / "gatekeeper",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stack = stack
        self._site_origin_url = site_origin_url.rstrip("/")
        self._site_headers = site_headers or {}
        self._behaviours = behaviours.load(schemas / "behaviours.json")
        self._gatekeeper_source = gatekeeper_source
        self._clock = clock
        self._folder: Path | None = None
        self.gatekeeper: ModuleType
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Load the gatekeeper and serve; return once requests are taken. What goes wrong is raised, all taken back."""
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="foyer-edge-"))
            settings = self._stack.gatekeeper_settings
            self.gatekeeper = gatekeeper.load(self._gatekeeper_source, settings, self._folder / "gatekeeper")
            gate = gatekeeper.EdgeGate(self.gatekeeper.handler, f"127.0.0.1:{self.port}")
            self._server = server = uvicorn.Server(_config())
            self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(server, gate)), name="edge")
            self._thread.start()
            while not server.started:
                if not self._thread.is_alive():
                    raise RuntimeError("the dev edge did not start")
                time.sleep(0.01)
        except BaseException:
            self.stop()
            raise
        return self

    async def _serve(self, server: uvicorn.Server, gate: gatekeeper.EdgeGate) -> None:
        upstream = Upstream()
        try:
            server.config.app = EdgeApp(
                self._behaviours,
                origins(self._behaviours, self._stack, self._site_origin_url, self._site_headers),
                Cache(self._clock, self._behaviours.error_ttl_sec),
                upstream,
                gate,
                Counter(),
                self._stack.outbox_page,
            )
            await server.serve(sockets=[self._socket])
        finally:
            gate.close()
            await upstream.close()

    def stop(self) -> None:
        """Stop serving, breaking off what is still running, and remove the edge's files. Harmless when repeated."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(STOP_SEC)
            self._server.force_exit = True
            self._thread.join()
        self._socket.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def origins(
    listed: Behaviours, stack: Stack, site_origin_url: str, site_headers: Mapping[str, str]
) -> dict[str, Origin]:
    """Return the origins that exist on this machine, by their name in schemas/behaviours.json."""
    urls = {
        "api": stack.api_url.rstrip("/"),
        "websocket": stack.websocket_url,
        "site_bucket": stack.bucket_url.rstrip("/"),
        "site": site_origin_url,
    }
    secret = ((listed.origin_secret_header, stack.origin_secret),)
    own: dict[str, Headers] = dict.fromkeys(
        (behaviour.origin for behaviour in listed.listed if behaviour.origin_secret), secret
    )
    own["site"] = tuple((name.lower(), value) for name, value in site_headers.items())
    return {
        name: Origin(
            url=url,
            forward_host=listed.forward[name] == "all_viewer",
            forward_viewer=listed.forward[name] != "none",
            cookies=listed.own_cookies if listed.forward[name] == "own_cookies" else None,
            set_headers=own.get(name, ()),
            sign=stack.sign_bucket_read if name == "site_bucket" else None,
            websocket=name == "websocket",
        )
        for name, url in urls.items()
    }


def _listening(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1. Raises OSError when the port is taken."""
    # asyncio turns Nagle's delay of 40 ms off only for sockets that say they speak TCP.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _config() -> uvicorn.Config:
    return uvicorn.Config(
        app="",
        interface="asgi3",
        lifespan="off",
        ws="wsproto",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEEP_ALIVE_SEC,
    )
