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

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layer" / "python")]

import uvicorn  # noqa: E402

from scripts.demo_site.app import create_app  # noqa: E402
from scripts.demo_site.events import EVENTS  # noqa: E402
from scripts.demo_site.own import Keys  # noqa: E402
from scripts.edge import Edge  # noqa: E402
from scripts.local import EngineFailed, LocalStack  # noqa: E402
from scripts.onsale.stage import Stage, StepFailed, now_ms  # noqa: E402
from scripts.onsale.steps import document, play  # noqa: E402
from scripts.operator_cli.api import OperatorApi  # noqa: E402
from scripts.operator_cli.cli import main as wr  # noqa: E402
from scripts.operator_cli.connection import find_target  # noqa: E402
from scripts.operator_cli.errors import OperatorError  # noqa: E402
from scripts.rehearsal.director import require_engine  # noqa: E402

ZONE_ID = "midnight-sun"
AHEAD_MS = 3_600_000
"""The start in the file: an hour ahead, time enough for a rehearsal."""
FOLDER = ROOT / "build" / "on-sale"


def main(argv: Sequence[str]) -> int:
    """0: every step led where it should; 1: one did not, or the stack did not start."""
    argparse.ArgumentParser(prog="on_sale", description=__doc__).parse_args(argv)
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
