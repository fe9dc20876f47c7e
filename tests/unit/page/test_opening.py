"""The waiting page before the line opens: it asks for nothing, counts down, and takes a place when it is open."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
NEAR_SEC = 2


def visit(**given: Any) -> dict[str, Any]:
    asked = {"assets": str(ROOT / "lambdas/publisher/site/assets"), "opens_in_sec": 100, **given}
    script = ROOT / "tests/support/page_opening.mjs"
    run = subprocess.run(
        ["node", str(script)], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60
    )
    told: dict[str, Any] = json.loads(run.stdout)
    return told


@pytest.mark.parametrize("document", [True, False], ids=["document", "no document yet"])
def test_a_browser_that_is_new_asks_for_nothing_until_the_line_opens(document: bool) -> None:
    told = visit(remembers=False, document=document)
    assert told["states"] == ["unopened", "loading", "before"]
    (joined,) = told["joins"]
    assert 0 <= joined <= NEAR_SEC + 1
    assert told["places"] == 0


def test_a_browser_that_had_a_place_asks_once_and_is_told_when() -> None:
    told = visit(remembers=True, document=True)
    early, joined = told["joins"]
    assert early == -100
    assert 0 <= joined <= NEAR_SEC + 1
    assert told["states"][-1] == "before"
    assert told["places"] == 2


def test_a_line_that_is_open_is_joined_at_once() -> None:
    told = visit(remembers=False, document=True, opens_in_sec=-5)
    assert told["joins"] == [5]
    assert "unopened" not in told["states"]
