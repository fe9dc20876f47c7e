"""Runs the engine in its process, shows how far it is, and sends everybody home on Ctrl-C."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.operator_api.errors import BadInput, OperatorError
from scripts.rehearsal.script import Script
from scripts.rehearsal.verdict import Played
from scripts.visitors.event_log import read_events

ROOT = Path(__file__).resolve().parents[2]
GOODBYE_SEC = 90.0
"""How long the engine may take to send everybody home."""
LINE_EVERY_SEC = 10.0
NEEDED = ("locust", "websocket")
MISSING_ENGINE = (
    "a rehearsal needs locust, which is not installed: "
    ".venv/bin/pip install 'locust>=2.40,<3' 'websocket-client>=1.7,<2' (the extra `rehearse` of pyproject.toml)"
)

Json = dict[str, Any]


class EngineFailed(OperatorError):
    """Raised when the engine ended without figures."""


def require_engine() -> None:
    """Raise BadInput where locust is not installed. It is not imported here: it would take over this process."""
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise BadInput(MISSING_ENGINE)


Engine = subprocess.Popen[str]


def play(script: Script, log: Path, started: Callable[[Engine], None] = lambda _: None) -> tuple[Played, bool]:
    """Play a script in a process of its own; what is left of it, and whether it was broken off.

    `started` is handed the process: whoever terminates it sends everybody home. Raises EngineFailed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    told: Json = {}
    with _engine(script, log) as engine:
        started(engine)
        show = _progress(script.visitors)
        broken_off = False
        impatience = threading.Timer(GOODBYE_SEC, engine.kill)
        impatience.daemon = True
        while True:
            try:
                for line in engine.stdout or ():
                    told = json.loads(line)
                    show(told)
                break
            except KeyboardInterrupt:
                if broken_off:
                    raise
                broken_off = True
                print("\nEverybody is sent home; Ctrl-C again does not wait for it.", file=sys.stderr, flush=True)
                engine.terminate()
                impatience.start()
        engine.wait()
        impatience.cancel()
    if "figures" not in told:
        raise EngineFailed(f"the rehearsal's engine ended with {engine.returncode}: {_last_words(log)}")
    return Played(list(read_events(log)), told["figures"], script.visitors), broken_off


@contextlib.contextmanager
def _engine(script: Script, log: Path) -> Iterator[Engine]:
    path = os.pathsep.join((str(ROOT), str(ROOT / "layer" / "python")))
    command = [sys.executable, "-m", "scripts.rehearsal.engine", script.to_json(), str(log)]
    with log.with_suffix(".err").open("w", encoding="utf-8") as errors:
        # A session of its own: Ctrl-C reaches this process alone, which then lets the other say good-bye.
        engine = subprocess.Popen(  # noqa: S603 - no shell
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        try:
            yield engine
        finally:
            if engine.poll() is None:
                engine.kill()
            engine.wait()
            if engine.stdout is not None:
                engine.stdout.close()


def _last_words(log: Path) -> str:
    lines = log.with_suffix(".err").read_text(encoding="utf-8").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _progress(visitors: int) -> Callable[[Json], None]:
    """One line that is written over on a terminal, one every ten seconds elsewhere."""
    tty = sys.stderr.isatty()
    shown_at = -LINE_EVERY_SEC

    def show(told: Json) -> None:
        nonlocal shown_at
        if "sec" not in told:
            if tty:
                sys.stderr.write("\n")
            return
        if not tty and time.monotonic() - shown_at < LINE_EVERY_SEC:
            return
        shown_at = time.monotonic()
        line = progress_line(told, visitors)
        sys.stderr.write(f"\r{line}\x1b[K" if tty else f"{line}\n")
        sys.stderr.flush()

    return show


def progress_line(told: Json, visitors: int) -> str:
    """How far it is, as a person reads it."""
    counts = told["counts"]
    minutes, seconds = divmod(int(told["sec"]), 60)
    been, out = counts.get("inside", 0), counts.get("ended", 0) + counts.get("silent", 0)
    gone = sum(counts.get(kind, 0) for kind in ("absent", "over", "gave_up", "fault"))
    come = counts.get("arrived", 0)
    parts = [
        f"come {come:,} of {visitors:,}",
        f"in line {max(0, come - been - gone):,}",
        f"inside {max(0, been - out):,}",
        f"served {been:,}",
        f"did not stay {gone:,}",
        f"{told['requests'] / max(1.0, told['sec']):.0f} requests/s",
        f"busy or lost {counts.get('busy', 0) + counts.get('lost_answer', 0):,}",
    ]
    return f"{minutes:02d}:{seconds:02d}  " + ", ".join(parts)
