"""A missing tool skips a test by hand and fails it on a build server."""

from __future__ import annotations

import pytest

from tests.support.tools import require_tool

MISSING = "Maven is missing: install it"


def test_a_tool_that_is_there_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    require_tool("Maven", "/usr/bin/mvn", "install it")


@pytest.mark.parametrize("ci", ["", "false"])
def test_a_missing_tool_skips(monkeypatch: pytest.MonkeyPatch, ci: str) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.skip.Exception, match=MISSING):
        require_tool("Maven", None, "install it")


def test_a_missing_tool_fails_on_a_build_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=MISSING):
        require_tool("Maven", None, "install it")
