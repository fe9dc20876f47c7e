"""The page's modules as one file: what each of them does, in the order they need each other, names kept apart."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tools import require_tool
from waiting_room.http.page.assets import assets
from waiting_room.http.page.bundle import bundled_script, bundled_style

ASSETS = Path(__file__).parents[3] / "lambdas/publisher/site/assets"
MODULES = {
    "entry.js": 'import { double, Box as Case } from "./b.js";\nimport { one } from "./a.js";\n'
    "console.log(double(one), new Case().value, typeof secret);\n",
    "b.js": '/** Twice. @param {import("./a.js").Number} n */\nimport { one } from "./a.js";\n'
    "const secret = 2;\nexport const double = (n) => n * secret;\n\nexport class Box {\n  value = one;\n}\n",
    "a.js": "const secret = 1;\nexport const one = secret;\n",
}


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    require_tool("Node.js", found, "install it to run the page's scripts in one file")
    return str(found)


def test_the_modules_run_once_each_in_the_order_of_need(node: str, tmp_path: Path) -> None:
    file = tmp_path / "one.mjs"
    file.write_text(bundled_script(MODULES, "entry.js"), encoding="utf-8")
    ran = subprocess.run([node, str(file)], capture_output=True, text=True, check=True)
    assert ran.stdout == "2 1 undefined\n"


def test_the_page_s_own_script_is_a_module_that_parses(node: str, tmp_path: Path) -> None:
    file = tmp_path / "waiting.mjs"
    file.write_bytes(next(asset.body for asset in assets(ASSETS) if asset.key_suffix == "waiting.js"))
    ran = subprocess.run([node, "--check", str(file)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "\nimport " not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"a.js": 'import { x } from "./b.js";\nexport const one = 1;\n'}, "b.js imports a.js imports b.js: a circle"),
        ({"a.js": 'export { one } from "./c.js";\n'}, "a.js: cannot put this into one file"),
        ({"a.js": "export default 1;\n"}, "a.js: cannot put this into one file: export default 1;"),
        ({"a.js": 'import * as all from "./c.js";\n'}, "a.js: cannot put this into one file"),
        ({"a.js": 'import { x } from "./gone.js";\n'}, "a.js imports gone.js, which is not there"),
        ({"c.js": "const c = 1;\n"}, "no module imports c.js"),
    ],
)
def test_what_it_does_not_know_is_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bundled_script(MODULES | changes, "entry.js")


def test_styles_keep_their_order_the_entry_first() -> None:
    assert bundled_style({"b.css": "b", "a.css": "a", "main.css": "main"}, "main.css") == "main\na\nb"
