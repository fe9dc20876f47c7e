"""Runs the engine for as long as the parent lives: a closed terminal or a kill -9 must not leave it behind.

Started by `engine.py` in a process group of its own; standard input is a pipe the parent never writes to.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path


def main() -> int:
    """Run the engine until it ends; return its exit code. When the parent ends first, nothing of it is left."""
    # -P: beside the script lie modules that are called like those of the library.
    script = Path(__file__).with_name("http_api.py")
    command = [sys.executable, "-P", str(script)]
    engine = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - a script of ours
    parent_ended = threading.Event()
    threading.Thread(target=_end_with_parent, args=(engine, sys.argv[1], parent_ended), daemon=True).start()
    code = engine.wait()
    if parent_ended.is_set():
        # The other thread is not done yet, and ends this process too.
        signal.pause()
    return code


def _end_with_parent(engine: subprocess.Popen[bytes], folder: str, parent_ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    parent_ended.set()
    engine.kill()
    engine.wait()
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
