"""The whole waiting room on this machine: a sample event site behind it, and a crowd in front. Runs until Ctrl-C.

With ORIGIN and ZONES it stands in front of your own site instead, with your zones and without a crowd.

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
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from scripts.demo.own import OwnSite, first_page, needed, read_own_site, until_there
from scripts.demo_site.app import create_app
from scripts.demo_site.keys import kept_keys
from scripts.demo_site.serving import address_of, listening_socket, serving
from scripts.edge import Edge
from scripts.local import EngineFailed, LocalStack
from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import find_target
from scripts.operator_api.errors import OperatorError
from scripts.operator_cli.words.moments import show_moment
from scripts.operator_cli.zone_files import read_zone_file
from scripts.visitors.browser import PAGE_HEADERS
from scripts.visitors.crowd import HASTY, LOOK_AROUND_SEC, Arrivals, run_crowd
from scripts.visitors.event_log import EventLog
from scripts.visitors.guest import Errand
from scripts.visitors.habits import Habits

ROOT = Path(__file__).resolve().parents[2]

Json = dict[str, Any]

ZONES_FILE = ROOT / "scripts" / "demo_site" / "zones.json"
KEYS_FILE = ROOT / "build" / "demo-keys.json"
CROWD_LOG = ROOT / "build" / "demo-crowd.jsonl"
SAMPLE_CROWD = 60
CROWDED = Errand(
    "midnight-sun", "/events/midnight-sun", "/events/midnight-sun/checkout", look_around_sec=LOOK_AROUND_SEC
)
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
        own = read_own_site(arguments.origin, arguments.zones, arguments.port)
        crowd = arguments.crowd if arguments.crowd is not None else 0 if own else SAMPLE_CROWD
        with LocalStack.start() as stack:
            asyncio.run(_until_ended(_run(stack, arguments.port, crowd, own)))
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


async def _until_ended(running: Coroutine[Any, Any, None]) -> None:
    """Run the demo until a signal cancels it."""
    demo = asyncio.create_task(running)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, demo.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await demo


async def _run(stack: LocalStack, port: int, crowd: int, own: OwnSite | None) -> None:
    """Site and edge first, then the zones, then the crowd. Raises DemoFailed when the gate does not come up."""
    zones = own.zones if own else demo_zones(_now_ms())
    keys = kept_keys([zone["zone_id"] for zone in zones], KEYS_FILE)
    async with contextlib.AsyncExitStack() as running:
        listening = running.enter_context(listening_socket())
        site_url = own.origin if own else address_of(listening)
        edge = running.enter_context(Edge(port, stack, site_url, site_headers=keys.site_headers))
        address = f"http://localhost:{edge.port}"
        stack.announce(edge_url=address)
        await asyncio.to_thread(open_zones, stack, zones, keys.site_keys)
        if own is None:
            app = create_app(edge.url, keys.site_keys, origin_secret=keys.origin_secret)
            await running.enter_async_context(serving(app, listening))
        tasks = await running.enter_async_context(asyncio.TaskGroup())
        await until_open(stack, edge.url, zones, guarded=[] if own else [zone["landing_path"] for zone in zones])
        if own:
            say(needed(own, address, stack.names.deployment, keys))
            await until_there(own.origin, say)
        say(_welcome(address, zones, crowd))
        if crowd:
            tasks.create_task(_bring_crowd(edge.url, crowd, *_errand(zones, own)))
        await asyncio.Event().wait()


def demo_zones(now_ms: int) -> list[Json]:
    """The demo's zones; those that wait for a start begin `START_AFTER_SEC` from now."""
    zones = read_zone_file(ZONES_FILE)
    for zone in zones:
        if "starts_at_ms" in zone:
            zone["starts_at_ms"] = now_ms + START_AFTER_SEC * 1000
    return zones


def open_zones(stack: LocalStack, zones: list[Json], site_keys: Mapping[str, str]) -> None:
    """Create the zones as an operator does, each with its site's key, and start the exchanger.

    On an engine that was used before, a zone starts a new run: nobody of the last demo is still in it.
    """
    api = OperatorApi(find_target(None, None, None, None))
    try:
        for zone in zones:
            digest = hashlib.sha256(site_keys[zone["zone_id"]].encode()).hexdigest()
            document = {**zone, "site_key_sha256": digest}
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


async def until_open(stack: LocalStack, edge_url: str, zones: list[Json], guarded: list[str]) -> None:
    """Wait until the gate knows every zone and guards the `guarded` paths, and its waiting pages are there.

    Raises DemoFailed after a minute.
    """
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
                *(_until(http, edge_url + path, 303, headers=PAGE_HEADERS) for path in guarded),
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


def _errand(zones: list[Json], own: OwnSite | None) -> tuple[Errand, Habits]:
    """What the crowd comes for. At a site of your own nobody knows how to buy: they look, and leave."""
    if own is None:
        return CROWDED, HASTY
    return Errand(zones[0]["zone_id"], first_page(zones[0]), look_around_sec=LOOK_AROUND_SEC), replace(
        HASTY, button_share=1.0
    )


async def _bring_crowd(edge_url: str, size: int, errand: Errand, habits: Habits) -> None:
    """A crowd at once, and then some more one by one; says so when the last has gone."""
    trickle = math.ceil(size * TRICKLE_SHARE)
    arrivals = Arrivals(size, FLASH_SEC, trickle, TRICKLE_EVERY_SEC)
    CROWD_LOG.parent.mkdir(exist_ok=True)
    with CROWD_LOG.open("w", encoding="utf-8") as file:
        log = EventLog(file)
        await run_crowd(edge_url, errand, arrivals, habits, log, SEED)
    counts = log.counts
    print(
        f"The crowd has gone home: {counts.get('inside', 0)} of {counts['arrived']} were let in. Count the sessions "
        f"from their tokens:\n  .venv/bin/python -m scripts.visitors --verify {CROWD_LOG.relative_to(ROOT)}",
        flush=True,
    )


def _refuse_busy_port(port: int) -> None:
    """Say so before anything was started. Raises DemoFailed."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        raise DemoFailed(
            f"port {port} is taken, perhaps by another demo: end that, or choose another: make demo PORT={port + 1}"
        ) from None


def _welcome(address: str, zones: list[Json], crowd: int) -> str:
    lines = [f"Foyer demo ready: {address}/", ""]
    for zone in zones:
        starts = f", opens at {show_moment(zone['starts_at_ms'])[11:19]}" if "starts_at_ms" in zone else ""
        title = zone.get("title") or zone["zone_id"]
        lines.append(f"  {title:<14} {address}{first_page(zone)}   {_limits(zone)}{starts}")
    if crowd:
        path = first_page(zones[0])
        lines.append(f"\n{crowd} scripted visitors are on their way to {path}: take your place behind them.")
    return "\n".join([*lines, TO_TRY.replace("ZONE", zones[0]["zone_id"])])


TO_TRY = """
From another terminal:
  scripts/wr watch ZONE                 the line, live
  scripts/wr control ZONE pause         nobody new is let in; `auto` lets the line move again
  scripts/wr set ZONE max_active=20     more room, at once
  scripts/wr bypass ZONE --for you      a link past the line
Ctrl-C ends everything."""


def _limits(zone: Json) -> str:
    known = {"max_active": "{} at once", "rate_per_min": "{:g} a minute", "inventory": "{} to sell"}
    return ", ".join(text.format(zone[name]) for name, text in known.items() if name in zone)


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8080"), help="PORT, else 8080")
    parser.add_argument(
        "--crowd",
        type=int,
        default=os.environ.get("CROWD") or None,
        help="scripted visitors in front of you: CROWD, else 60, at a site of your own none; 0 lets you straight in",
    )
    parser.add_argument(
        "--origin",
        default=os.environ.get("ORIGIN", ""),
        help="where your own site listens, instead of the sample: ORIGIN",
    )
    parser.add_argument("--zones", default=os.environ.get("ZONES", ""), help="the file of its zones: ZONES")
    return parser
