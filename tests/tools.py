"""What tests need from the machine beyond Python packages."""

from __future__ import annotations

import os

import pytest


def require_tool(name: str, present: object, hint: str) -> None:
    """Skip the test when a tool is not `present`, in one line that says what is missing and how to get it.

    With CI=true it fails instead: a build server that lost a tool must not turn green by testing less.
    """
    if present:
        return
    message = f"{name} is missing: {hint}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
