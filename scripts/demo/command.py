"""The whole waiting room on this machine: a sample event site behind it, and a crowd in front. Runs until Ctrl-C.

With AWS_ENDPOINT_URL set, the engine there is used and left running.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import math
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import uvicorn

from scripts.demo_site.app import create_app
from scripts.edge import Edge
from scripts.local import EngineFailed, LocalStack
from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import find_target
from scripts.operator_api.errors import OperatorError
from scripts.operator_cli.words.moments import show_moment
from scripts.operator_cli.zone_files import read_zone_file
from scripts.visitors.browser import PAGE_HEADERS
from scripts.visitors.crowd import Arrivals, Habits, run_crowd
from scripts.visitors.event_log import EventLog
from scripts.visitors.visitor import Errand

ROOT = Path(__file__).resolve().parents[2]

Json = dict[str, Any]

ZONES_FILE = ROOT / "scripts" / "demo_site" / "zones.json"
CROWD_LOG = ROOT / "build" / "demo-crowd.jsonl"
CROWDED = Errand("midnight-sun", "/events/midnight-sun", "/events/midnight-sun/checkout")
START_AFTER_SEC = 60
READY_WITHIN_SEC = 60.0
FLASH_SEC = 4.0
TRICKLE_SHARE = 0.5
"""Of the crowd's size: how many more come one by one when the flash is over."""
TRICKLE_EVERY_SEC = 6.0
SEED = 1


class DemoFailed(Exception):
    """Raised when the demo cannot start; the text says what to do."""


def main(argv: Sequence[str]) -> int:
    """Run from the command line; 0 after Ctrl-C or SIGTERM, 1 when it could not start."""
    arguments = _parser().parse_args(argv)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_once)
    try:
        _refuse_busy_port(arguments.port)
        with LocalStack.start() as stack:
            asyncio.run(_until_ended(stack, arguments.port, arguments.crowd))
            _ignore_signals()
    except (DemoFailed, EngineFailed, OperatorError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _end_once(_number: int, _frame: FrameType | None) -> None:
    """Unwind everything that was started; a second Ctrl-C must not interrupt the unwinding."""
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


async def _until_ended(stack: LocalStack, port: int, crowd: int) -> None:
    """Run the demo until a signal cancels it."""
    demo = asyncio.create_task(_run(stack, port, crowd))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, demo.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await demo


async def _run(stack: LocalStack, port: int, crowd: int) -> None:
    """Site and edge first, then the zones, then the crowd. Raises DemoFailed when the gate does not come up."""
    with _listening() as site_socket, Edge(port, stack, _address(site_socket)) as edge:
        stack.announce(edge_url=f"http://localhost:{edge.port}")
        zones = demo_zones(_now_ms())
        site_keys = await asyncio.to_thread(open_zones, stack, zones)
        async with _serving(create_app(edge.url, site_keys), site_socket), asyncio.TaskGroup() as tasks:
            await until_open(stack, edge.url, zones)
            print(_welcome(edge.port, zones, crowd), flush=True)
            if crowd:
                tasks.create_task(_bring_crowd(edge.url, crowd))
            await asyncio.Event().wait()


def demo_zones(now_ms: int) -> list[Json]:
    """The demo's zones; those that wait for a start begin `START_AFTER_SEC` from now."""
    zones = read_zone_file(ZONES_FILE)
    for zone in zones:
        if "starts_at_ms" in zone:
            zone["starts_at_ms"] = now_ms + START_AFTER_SEC * 1000
    return zones


def open_zones(stack: LocalStack, zones: list[Json]) -> dict[str, str]:
    """Create the zones as an operator does and start the exchanger; return the site's keys by zone.

    On an engine that was used before, a zone starts a new run: nobody of the last demo is still in it.
    """
    site_keys = {}
    api = OperatorApi(find_target(None, None, None, None))
    try:
        for zone in zones:
            key = site_keys[zone["zone_id"]] = secrets.token_urlsafe(32)
            document = {**zone, "site_key_sha256": hashlib.sha256(key.encode()).hexdigest()}
            current = api.find_zone(zone["zone_id"])
            if current is None:
                api.put_zone(document)
            else:
                api.put_zone({"control": "auto", **document, "version": current["version"]})
                api.control(zone["zone_id"], {"reset": True})
    finally:
        api.close()
    # The schedule would do so within a minute.
    stack.client("lambda").invoke(FunctionName=stack.names.function("dispatcher"), InvocationType="Event")
    return site_keys


async def until_open(stack: LocalStack, edge_url: str, zones: list[Json]) -> None:
    """Wait until the gate guards every zone and its waiting page is there. Raises DemoFailed after a minute."""
    ids = [zone["zone_id"] for zone in zones]
    try:
        async with asyncio.timeout(READY_WITHIN_SEC), httpx.AsyncClient(trust_env=False, timeout=20.0) as http:
            # A gate asked before it can know better would remember its answer for seconds.
            await asyncio.gather(
                _until_published(stack, ids),
                *(_until(http, f"{edge_url}/.waiting-room/v1/zones/{name}/visitors/me", 401) for name in ids),
            )
            await asyncio.gather(
                *(_until(http, f"{edge_url}/.waiting-room/pages/{name}/index.html", 200) for name in ids),
                *(_until(http, edge_url + zone["landing_path"], 303, headers=PAGE_HEADERS) for zone in zones),
            )
    except TimeoutError:
        raise DemoFailed(f"the waiting room did not come up within {READY_WITHIN_SEC:g} s") from None


async def _until(http: httpx.AsyncClient, url: str, status: int, headers: Mapping[str, str] | None = None) -> None:
    """Ask until the answer is the one expected."""
    while True:
        with contextlib.suppress(httpx.TransportError):
            if (await http.get(url, headers=headers)).status_code == status:
                return
        await asyncio.sleep(0.1)


async def _until_published(stack: LocalStack, zone_ids: list[str]) -> None:
    """Look into the bucket until the gate snapshot there has every zone."""
    published: set[str] = set()
    while not published >= set(zone_ids):
        await asyncio.sleep(0.1)
        snapshot = await asyncio.to_thread(stack.read_object, stack.snapshot_key)
        published = {zone["zone_id"] for zone in json.loads(snapshot or b'{"zones": []}')["zones"]}


async def _bring_crowd(edge_url: str, size: int) -> None:
    """A crowd at once, and then some more one by one; says so when the last has gone."""
    trickle = math.ceil(size * TRICKLE_SHARE)
    arrivals = Arrivals(size, FLASH_SEC, trickle, TRICKLE_EVERY_SEC)
    CROWD_LOG.parent.mkdir(exist_ok=True)
    with CROWD_LOG.open("w", encoding="utf-8") as file:
        log = EventLog(file)
        await run_crowd(edge_url, CROWDED, arrivals, Habits(), log, SEED)
    counts = log.counts
    print(
        f"The crowd has gone home: {counts.get('inside', 0)} of {counts['arrived']} were let in. Count the sessions "
        f"from their tokens:\n  .venv/bin/python -m scripts.visitors --verify {CROWD_LOG.relative_to(ROOT)}",
        flush=True,
    )


class _Server(uvicorn.Server):
    """A server that leaves signals to the demo."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def _serving(app: Any, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _listening() -> socket.socket:
    """A socket that listens on a free port of 127.0.0.1."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    return listening


def _address(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def _refuse_busy_port(port: int) -> None:
    """Say so before anything was started. Raises DemoFailed."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        raise DemoFailed(
            f"port {port} is taken, perhaps by another demo: end that, or choose another: make demo PORT={port + 1}"
        ) from None


def _welcome(port: int, zones: list[Json], crowd: int) -> str:
    site = f"http://localhost:{port}"
    lines = [f"Foyer demo ready: {site}/", ""]
    for zone in zones:
        starts = f", opens at {show_moment(zone['starts_at_ms'])[11:19]}" if "starts_at_ms" in zone else ""
        lines.append(f"  {zone['title']:<14} {site}{zone['landing_path']}   {_limits(zone)}{starts}")
    if crowd:
        lines.append(f"\n{crowd} scripted visitors are on their way to {CROWDED.path}: take your place behind them.")
    return "\n".join([*lines, TO_TRY])


TO_TRY = """
From another terminal:
  scripts/wr watch midnight-sun                      the line, live
  scripts/wr control midnight-sun pause              nobody new is let in; `auto` lets the line move again
  scripts/wr set midnight-sun max_active=20 "message=More doors are open."
  scripts/wr bypass midnight-sun --for you           a link past the line
Ctrl-C ends everything.
"""


def _limits(zone: Json) -> str:
    known = {"max_active": "{} at once", "rate_per_min": "{:g} a minute", "inventory": "{} to sell"}
    return ", ".join(text.format(zone[name]) for name, text in known.items() if name in zone)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8080"), help="PORT, else 8080")
    parser.add_argument(
        "--crowd",
        type=int,
        default=os.environ.get("CROWD", "60"),
        help="scripted visitors in front of you: CROWD, else 60; 0 lets you straight in",
    )
    return parser
