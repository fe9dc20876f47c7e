"""axe-core, which finds what keeps people out of a page. Fetched from npm once, into build/; nothing ships with it."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support.tools import one_at_a_time, require_tool

VERSION = "4.10.3"
FOLDER = Path(__file__).parents[2] / "build" / "axe"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_file() -> Path:
    """Return the file of the library, fetched if it is not here yet; skips the test where npm is missing."""
    file = FOLDER / f"axe-{VERSION}.min.js"
    with one_at_a_time(FOLDER):
        if not file.exists():
            _fetch(file)
    return file


def _fetch(file: Path) -> None:
    npm = shutil.which("npm")
    require_tool("npm", npm, "install Node.js, it fetches axe-core for the accessibility tests")
    packed = subprocess.run(
        [str(npm), "pack", f"axe-core@{VERSION}", "--silent"], cwd=FOLDER, capture_output=True, text=True, timeout=120
    )
    require_tool("axe-core", packed.returncode == 0, f"npm could not fetch it: {packed.stderr.strip()[:200]}")
    archive = FOLDER / packed.stdout.strip().splitlines()[-1]
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as content:
        member = content.extractfile("package/axe.min.js")
        assert member is not None
        file.write_bytes(member.read())
    archive.unlink()


def violations(page: Page, allowed: str = "") -> list[str]:
    """What the page does wrong: rule and element of each violation but those of the rule `allowed`."""
    page.evaluate(axe_file().read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(
        "(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags } })", RULES
    )
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        if each["id"] != allowed
        for node in each["nodes"]
    ]
