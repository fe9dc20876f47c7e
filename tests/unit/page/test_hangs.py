"""Whatever the waiting page waits for may never come: the page goes on all the same, and says so. Needs Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployment import SITE_FOLDER
from tests.support.tools import require_tool

SCRIPT = Path(__file__).parents[2] / "support" / "page_hangs.mjs"
Hangs = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def hangs(tmp_path_factory: pytest.TempPathFactory) -> Hangs:
    """How the page went on while something never came."""
    node = shutil.which("node")
    require_tool("Node.js", node, "install it to see what the waiting page does while it waits in vain")
    modules = tmp_path_factory.mktemp("page") / "assets"
    shutil.copytree(SITE_FOLDER, modules)
    modules.joinpath("package.json").write_text('{"type": "module"}', encoding="utf-8")

    def told(what: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(node), str(SCRIPT), str(modules), what], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return told


def test_a_worker_that_falls_silent_is_ended_and_another_one_started(hangs: Hangs) -> None:
    visit = hangs("the first worker")
    assert (visit["started"], visit["terminated"], visit["proofs"]) == (2, 2, [True])
    assert 10 <= visit["inAfterSec"] <= 15
    assert "works" in visit["notices"], "it says that the work takes longer than usual"
    assert visit["notices"][-1] != "works", "and stops saying so"


def test_a_worker_that_works_on_is_waited_for_and_the_next_one_begins_where_it_was(hangs: Hangs) -> None:
    """Three signs of life eight seconds apart, then none."""
    visit = hangs("a worker half way")
    assert (visit["started"], visit["from"], visit["proofs"]) == (2, [0, 7], [True])
    assert 34 <= visit["inAfterSec"] <= 40


def test_a_worker_that_finds_nothing_in_time_is_ended_with_its_challenge(hangs: Hangs) -> None:
    """It tells of its progress for eight minutes: longer than its challenge is good for."""
    visit = hangs("a worker that finds nothing")
    assert (visit["started"], visit["terminated"], visit["from"]) == (2, 2, [0, 0])
    assert (visit["joins"], visit["proofs"]) == (3, [True])
    assert 240 <= visit["inAfterSec"] <= 245


def test_where_no_worker_ever_answers_the_page_does_the_work(hangs: Hangs) -> None:
    visit = hangs("every worker")
    assert (visit["started"], visit["terminated"], visit["proofs"]) == (2, 2, [True])
    assert 20 <= visit["inAfterSec"] <= 25


def test_work_that_cannot_be_done_is_given_up_and_begun_again(hangs: Hangs) -> None:
    visit = hangs("every worker and the page's own digest")
    assert visit["proofs"] == [True]
    assert visit["joins"] == 3, "asked, asked anew once the first challenge was of no use, and joined"
    assert visit["inAfterSec"] >= 240
    assert "offline" not in visit["notices"], "the waiting room was there all the time"


@pytest.mark.parametrize("what", ["nothing, but a challenge makes no sense", "nothing, but a claim fails unforeseen"])
def test_a_fault_of_the_page_itself_is_got_over(hangs: Hangs, what: str) -> None:
    visit = hangs(what)
    assert visit["inAfterSec"] is not None
    assert visit["inAfterSec"] < 20
    assert visit["claims"] >= 1


@pytest.mark.parametrize("what", ["a request", "a request's answer"])
def test_no_request_is_waited_for_longer_than_ten_seconds(hangs: Hangs, what: str) -> None:
    assert hangs(what) == {"code": 0, "sec": 10}


def test_a_language_that_does_not_come_keeps_nobody_from_joining(hangs: Hangs) -> None:
    assert hangs("a language") == {"begun": ["en", 2], "given_up": ["en", 10]}


def test_a_connection_that_does_not_open_is_closed_and_tried_again(hangs: Hangs) -> None:
    assert hangs("a connection that opens") == {"held_sec": 20, "again": True}


def test_a_tab_that_can_have_no_lock_leads_itself(hangs: Hangs) -> None:
    assert hangs("a lock") == {"leads": True, "led": 1}


def test_the_line_is_looked_at_again_also_when_it_cannot_be_shown(hangs: Hangs) -> None:
    assert hangs("nothing, but showing fails") == {"third_look_at_sec": 10}


def test_a_torn_answer_does_not_make_heartbeats_run_wild(hangs: Hangs) -> None:
    assert hangs("nothing, but a renewal's answer is torn")["renewals"] <= 5
