"""Scripted visitors look at the line as often as the waiting page does: both are asked the same, at random."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.visitors.pace import pause_sec, wants_push
from tests.support.deployment import SITE_FOLDER
from tests.support.tools import require_tool

CASES = 400
NOW_MS = 1_790_000_000_000
PHASES = ("open", "open", "open", "before", "paused", "locked", "sold_out", "ended")

ASK = """
import { readFileSync } from "node:fs";
const [pace, line] = await Promise.all(["pace.js", "line.js"].map((name) => import(process.argv[1] + "/" + name)));
const answers = JSON.parse(readFileSync(0, "utf8")).map(({ place, status, held, pushed, chance, nowMs }) => {
  const { ahead, speed } = line.standing(place, status);
  const startsInSec = status.starts_at_ms ? (status.starts_at_ms - nowMs) / 1000 : Infinity;
  const state = line.stateOf(place, status, "", startsInSec <= 0);
  const now = { state, ahead, speed, startsInSec, hidden: false, pushed, heldSec: held };
  return { delay: pace.pollDelaySec(now, status.poll, chance),
    push: pace.wantsPush(state, ahead, startsInSec, status.push_window, speed, pushed) };
});
process.stdout.write(JSON.stringify(answers));
"""


@dataclass(frozen=True)
class InLine:
    lane: str
    position: int | None


def case(dice: random.Random) -> dict[str, Any]:
    serving = dice.randrange(500)
    # Behind the line's front: whoever is called does not wait for a look.
    position = dice.choice([None, serving + dice.randrange(20), serving + dice.randrange(3_000)])
    lane = {"serving": serving, "floor": 0, "ahead": 0, "tail": 9_999, "speed_per_sec": dice.choice([0, 0.5, 3, 40])}
    status = {
        "run": 1,
        "phase": dice.choice(PHASES),
        "door": dice.choice(["open", "open", "shut"]),
        "lanes": {"general": lane},
        "poll": {"near_sec": dice.choice([1, 2]), "far_sec": dice.choice([5, 30]), "near_ahead": dice.choice([0, 200])},
        "push_window": dice.choice([0, 10, 5_000]),
        "starts_at_ms": dice.choice([None, NOW_MS + dice.randrange(-60_000, 300_000)]),
        "updated_at_ms": NOW_MS,
    }
    return {
        "place": {"run": 1, "status": "waiting", "lane": "general", "position": position, "told_at_ms": 0},
        "status": status,
        "held": dice.choice([20, 120]),
        "pushed": dice.random() < 0.5,
        "chance": dice.random(),
        "nowMs": NOW_MS,
    }


def test_the_page_and_its_stand_ins_keep_the_same_pace(tmp_path: Path) -> None:
    require_tool("Node.js", shutil.which("node"), "install it to compare scripted visitors with the waiting page")
    modules = tmp_path / "assets"
    shutil.copytree(SITE_FOLDER, modules)
    modules.joinpath("package.json").write_text('{"type": "module"}', encoding="utf-8")
    dice = random.Random(1)
    cases = [case(dice) for _ in range(CASES)]
    told = subprocess.run(
        ["node", "--input-type=module", "-e", ASK, str(modules)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for asked, answer in zip(cases, json.loads(told.stdout), strict=True):
        place = InLine("general", asked["place"]["position"])
        status, pushed = asked["status"], asked["pushed"]
        own = pause_sec(status, place, asked["held"], NOW_MS, asked["chance"], pushed=pushed)
        assert own == pytest.approx(answer["delay"]), asked
        assert wants_push(status, place, NOW_MS, pushed=pushed) == answer["push"], asked
