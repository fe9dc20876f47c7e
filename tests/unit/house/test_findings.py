"""findings/: every script is listed and says what it runs; none of them runs here, for they install packages."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.unit.house.test_schemas import ROOT

FINDINGS = ROOT / "findings"
SCRIPTS = sorted(path for path in FINDINGS.iterdir() if path.suffix == ".sh")
INSTALLS = re.compile(r"^\s*(?:\S*pip|npm) install (.*)$", re.MULTILINE)


def test_every_finding_is_in_the_table() -> None:
    rows = re.findall(r"^\| \[(\S+)\]\((\S+)\) \|", (FINDINGS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(path.name, path.name) for path in SCRIPTS]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_finding_can_be_run_leaves_nothing_and_names_its_versions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert os.access(path, os.X_OK)
    for part in ("set -euo pipefail", "scratch=$(mktemp -d)", 'rm -rf "$scratch"', "# One would guess:", "# Seen "):
        assert part in text
    installed = [word for line in INSTALLS.findall(text) for word in line.split() if not word.startswith("-")]
    assert installed
    assert [word for word in installed if not re.search(r"[=@](?:[\d.]+|\$version)['\"]?$", word)] == []
    assert "waiting_room" not in text
