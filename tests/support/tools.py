"""What tests need from the machine beyond Python packages."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


class MissingTool(pytest.skip.Exception):  # type: ignore[name-defined, misc]
    """The reason of such a skip; `tests/conftest.py` reports all that have the same one as one line."""


def require_tool(name: str, present: object, hint: str) -> None:
    """Skip the test when a tool is not `present`, in one line that says what is missing and how to get it.

    With CI=true it fails instead: a build server that lost a tool must not turn green by testing less.
    """
    if present:
        return
    message = f"{name} is missing: {hint}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    raise MissingTool(message)


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep other worker processes out while this one fills a folder that they share; it is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        # Ends with the file, even when the process is killed.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
