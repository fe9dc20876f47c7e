"""Run the local stack until Ctrl-C: tables, functions, API, schedule and bucket, on 127.0.0.1 only.

With AWS_ENDPOINT_URL set, set up the engine there instead, and leave it running.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from scripts.local import EngineFailed, LocalStack
from scripts.local.stack import DESCRIPTION


def main() -> int:
    """Run from the command line; the exit code is 0 or 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="port of the engine (default: a free one)")
    parser.add_argument("--name", default="foyer", help="name of the deployment (default: foyer)")
    parser.add_argument("--description", type=Path, default=DESCRIPTION, help="file that says where everything is")
    parser.add_argument("--once", action="store_true", help="end after the set-up; of use with AWS_ENDPOINT_URL")
    arguments = parser.parse_args()
    # Both ways to end unwind the same `with` blocks.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with LocalStack.start(port=arguments.port, name=arguments.name) as stack:
            for change in stack.changes or ["nothing to change"]:
                print(change)
            if not arguments.once:
                _wait(stack, arguments.description)
    except EngineFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _wait(stack: LocalStack, description: Path) -> None:
    stack.announce(description)
    print(f"API: {stack.api_url}\nDescribed in {description}. Ctrl-C ends it.", flush=True)
    signal.pause()
