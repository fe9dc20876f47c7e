"""The whole life of one on-sale on this machine, as an operator runs it, with what must be true after each step.

apply, rehearse, pre-queue, start, rate halved, pause, resume, sold out, end, report: some three minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from scripts.demo_site.app import create_app
from scripts.demo_site.events import EVENTS
from scripts.demo_site.keys import Keys
from scripts.edge import Edge
from scripts.local import EngineFailed, LocalStack
from scripts.onsale.stage import Stage, StepFailed, now_ms
from scripts.onsale.steps import document, play
from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import find_target
from scripts.operator_api.errors import OperatorError
from scripts.operator_cli.cli import main as wr
from scripts.rehearsal.director import require_engine

ROOT = Path(__file__).resolve().parents[2]

ZONE_ID = "midnight-sun"
AHEAD_MS = 3_600_000
"""The start in the file: an hour ahead, time enough for a rehearsal."""
FOLDER = ROOT / "build" / "on-sale"


def main(argv: Sequence[str]) -> int:
    """0: every step led where it should; 1: one did not, or the stack did not start."""
    argparse.ArgumentParser(prog="make on-sale", description=__doc__).parse_args(argv)
    began = time.monotonic()
    try:
        require_engine()
        with LocalStack.start() as stack, socket.create_server(("127.0.0.1", 0)) as listening:
            key = secrets.token_urlsafe(32)
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with Edge(0, stack, address, site_headers=Keys(key).site_headers) as edge:
                stack.announce(edge_url=edge.url)
                with _serving(create_app(edge.url, dict.fromkeys(EVENTS, key), origin_secret=key), listening):
                    _play(stack, edge.url, key)
    except (EngineFailed, OperatorError, StepFailed) as error:
        print(f"on_sale: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\nEvery step led where it should, in {time.monotonic() - began:.0f} s.")
    return 0


def _play(stack: LocalStack, site_url: str, key: str) -> None:
    api = OperatorApi(find_target(None, None, None, None))
    digest = hashlib.sha256(key.encode()).hexdigest()
    try:
        play(
            Stage(
                zone_id=ZONE_ID,
                document=document(ZONE_ID, EVENTS[ZONE_ID].path, digest, now_ms() + AHEAD_MS),
                site_url=site_url,
                api=api,
                dynamodb=stack.client("dynamodb"),
                tables=stack.tables,
                store=stack.client("s3"),
                archive=stack.names.archive,
                run_wr=lambda *arguments: wr(arguments),
                folder=FOLDER,
                say=lambda text: print(text, flush=True),
            )
        )
    finally:
        api.close()


@contextlib.contextmanager
def _serving(app: Any, listening: socket.socket) -> Iterator[None]:
    """Serve the site in a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="site")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
