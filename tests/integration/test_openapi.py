"""Calls generated from openapi.json against the running stack: no 5xx, no status or body that is not documented."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.running import SIGNED, Foyer
from tests.integration.zones import open_zones, zone
from tests.tools import require_tool

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "build" / "schemathesis" / "bin" / "schemathesis"
EXAMPLES = 12
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
# A deleted zone would leave the others nothing to ask for; a changed one waits for somebody who tests that.
LEFT_OUT = ("delete_zone", "retire_key")


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Foyer:
    """The running stack with the zone the calls are aimed at; nothing is started where the tool is missing."""
    require_tool("schemathesis", TOOL.is_file(), "`make schemathesis` installs it into build/")
    foyer: Foyer = request.getfixturevalue("foyer")
    open_zones(foyer, zone("openapi"))
    return foyer


@pytest.mark.parametrize("who", ["visitors", "sites", "operators"])
def test_every_answer_is_as_documented(target: Foyer, tmp_path: Path, who: str) -> None:
    url = target.api_url if who == "operators" else target.url
    command = [str(TOOL), "--config-file", str(Path(__file__).parent / "schemathesis.toml"), "run"]
    command += [str(ROOT / "schemas" / "openapi.json"), "--url", url, "--phases", "fuzzing", "--no-color"]
    command += ["--include-tag", who, "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES)]
    command += ["--generation-deterministic"]
    for name in LEFT_OUT:
        command += ["--exclude-operation-id", name]
    for name, value in SIGNED.items() if who == "operators" else ():
        command += ["--header", f"{name}: {value}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
