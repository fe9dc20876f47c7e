"""The engine that plays AWS: ministack as a child of this process, or the one `AWS_ENDPOINT_URL` names."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

READY_SEC = 20.0
"""How long the engine may take to answer; it needs about one second on an idle machine."""

GUARD = Path(__file__).with_name("guard.py")

REMOVE_SEC = 3.0
"""How long its files may take to disappear."""

_LEAKING = (
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "PYTHONPATH",
    "PYTHONHOME",
)
"""Settings of the caller that the engine and its Lambdas would inherit: another engine's address, and credentials
that would make the caller's key one that is never refused."""


class EngineFailed(Exception):
    """Raised when the engine does not start; the text says why."""


@dataclass(frozen=True)
class Engine:
    """A running engine: its address and a directory that lives as long as it does."""

    endpoint: str
    folder: Path
    group: int | None
    """Process group of engine and Lambda workers; None for an engine that was there before."""


@contextlib.contextmanager
def running(port: int = 0) -> Iterator[Engine]:
    """Yield an engine and end it again, with every Lambda worker it started and every file it wrote.

    With `AWS_ENDPOINT_URL` set that engine is used and left running. `port` 0 picks a free one.
    Raises EngineFailed.
    """
    folder = Path(tempfile.mkdtemp(prefix="foyer-local-"))
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    try:
        if endpoint:
            yield Engine(endpoint.rstrip("/"), folder, None)
        else:
            with _child(port or free_port(), folder) as engine:
                yield engine
    finally:
        _remove(folder)


@contextlib.contextmanager
def _child(port: int, folder: Path) -> Iterator[Engine]:
    log_path = folder / "engine.log"
    with log_path.open("wb") as log_file:
        # A session of its own: Ctrl-C reaches only the parent, which then ends engine and workers as one group.
        process = subprocess.Popen(  # noqa: S603 - no shell, and nothing of a request
            [sys.executable, str(GUARD), str(folder)],
            env=_environment(port, folder),
            stdin=subprocess.PIPE,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, endpoint, log_path)
        yield Engine(endpoint, folder, process.pid)
    finally:
        _end_group(process)


def _environment(port: int, folder: Path) -> dict[str, str]:
    scratch = folder / "tmp"
    scratch.mkdir()
    inherited = {name: value for name, value in os.environ.items() if name not in _LEAKING}
    return {
        **inherited,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
        # Policies are enforced: a function whose role lacks a right is refused, as on AWS.
        "AUTH": "true",
        # The functions inherit LOG_LEVEL, and one that logs nothing is answered 50 ms late by this engine.
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(scratch),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _wait_until_ready(process: subprocess.Popen[bytes], endpoint: str, log_path: Path) -> None:
    deadline = time.monotonic() + READY_SEC
    with httpx.Client(base_url=endpoint, timeout=2, trust_env=False) as http:
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if http.get("/_ministack/ready").status_code == 200:
                    return
            time.sleep(0.05)
    tail = log_path.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
    raise EngineFailed(f"ministack did not start at {endpoint}:\n{tail}")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End engine and workers at once. There is nothing to save, and asked politely some would stay for seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _remove(folder: Path) -> None:
    """Remove a directory, even one that a dying worker is still writing to."""
    deadline = time.monotonic() + REMOVE_SEC
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
