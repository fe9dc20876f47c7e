"""What tests need from the machine beyond Python packages."""

from __future__ import annotations

import os

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
