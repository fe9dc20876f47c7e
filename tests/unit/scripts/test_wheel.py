"""The wheel of `wr`: what is in it, what it says of itself, and that nothing in it needs what is not."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.bundle import backend
from scripts.bundle.contents import COMMAND_LINE, EXTRAS, ROOMS, command_line, command_line_project
from scripts.bundle.wheel import wheel
from scripts.deployment import installed
from tests.unit.house.test_documented_commands import DOCUMENTS
from tests.unit.house.test_schemas import ROOT

MODULE_OF = {
    "pyjwt": "jwt",
    "websocket-client": "websocket",
    "py_ecc": "py_ecc",
    "aws-lambda-powertools": "aws_lambda_powertools",
}
BROUGHT = {"botocore", "cryptography", "gevent"}
"""What a declared package always brings along."""


def modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from (ROOT / "scripts" / room).rglob("*.py")


def declared() -> set[str]:
    """The modules of the packages that the wheel asks for."""
    project = command_line_project(ROOT)
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(each for extra in extras for each in extra)]
    names = {re.split(r"[\[<>=~; ]", requirement)[0] for requirement in wanted}
    return {MODULE_OF.get(name, name.replace("-", "_")) for name in names} | BROUGHT


def strange(path: Path, known: set[str]) -> Iterator[str]:
    """What a module imports that does not ship with it."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            target = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            if target[:1] != ["scripts"] or target[1:2] == [""] or target[1] not in ROOMS:
                yield ".".join(target)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (name for name in names if name.partition(".")[0] not in known)


def test_a_room_that_ships_imports_nothing_that_does_not() -> None:
    known = {*sys.stdlib_module_names, "waiting_room", *declared()}
    found = [(str(path.relative_to(ROOT)), name) for path in modules() for name in strange(path, known)]
    assert found == []


def test_the_same_sources_give_the_same_wheel(tmp_path: Path) -> None:
    for folder in ("lambdas/publisher", "layer", "schemas", *(f"scripts/{room}" for room in ROOMS)):
        shutil.copytree(ROOT / folder, tmp_path / folder, copy_function=shutil.copyfile)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    assert command_line(tmp_path) == command_line(ROOT)


@pytest.fixture(scope="module")
def made() -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(io.BytesIO(command_line(ROOT)[1])) as archive:
        yield archive


def test_it_holds_the_rooms_the_layer_and_all_they_read(made: zipfile.ZipFile) -> None:
    names = made.namelist()
    assert {name.partition("/")[0] for name in names} == {
        COMMAND_LINE,
        "waiting_room",
        f"foyer_waiting_room-{installed.version()}.dist-info",
    }
    for name in (
        f"{COMMAND_LINE}/costs/prices.json",
        f"{COMMAND_LINE}/operator_cli/dashboard/page/dashboard.js",
        f"{COMMAND_LINE}/page_assets/waiting.js",
        f"{COMMAND_LINE}/report/page.css",
        "waiting_room/schemas_data/zone.json",
        "waiting_room/schemas_data/archive/waits.sql",
        "waiting_room/http/page/texts/en.json",
    ):
        assert name in names


def test_its_record_lists_every_file_with_its_digest(made: zipfile.ZipFile) -> None:
    folder = f"foyer_waiting_room-{installed.version()}.dist-info"
    rows = [line.rsplit(",", 2) for line in made.read(f"{folder}/RECORD").decode().splitlines()]
    assert [row[0] for row in rows[:-1]] == [name for name in made.namelist() if name != f"{folder}/RECORD"]
    assert rows[-1] == [f"{folder}/RECORD", "", ""]
    for name, digest, size in rows[:-1]:
        content = made.read(name)
        wanted = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert (digest, size) == (f"sha256={wanted}", str(len(content)))


def test_it_says_what_it_needs_and_what_it_puts_on_the_path(made: zipfile.ZipFile) -> None:
    folder = f"foyer_waiting_room-{installed.version()}.dist-info"
    said = made.read(f"{folder}/METADATA").decode().partition("\n\n")[0].splitlines()
    assert "Name: foyer-waiting-room" in said
    assert "Requires-Python: >=3.11" in said
    assert [line for line in said if line.startswith("Provides-Extra")] == [
        f"Provides-Extra: {each}" for each in EXTRAS
    ]
    assert 'Requires-Dist: duckdb>=1.3,<2; extra == "report"' in said
    assert any(line.startswith("Requires-Dist: httpx") for line in said)
    commands = made.read(f"{folder}/entry_points.txt").decode()
    assert commands == f"[console_scripts]\nwr = {COMMAND_LINE}.operator_cli.cli:main\n"


def test_a_requirement_that_has_a_condition_keeps_it() -> None:
    project = {**command_line_project(ROOT), "name": "a-b", "version": "1"}
    project["optional-dependencies"] = {"x": ["c>=1; sys_platform == 'win32'"]}
    name, content = wheel(project, ROOT, {"a_b.py": b""}, ROOT / "LICENSE")
    assert name == "a_b-1-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        said = made.read("a_b-1.dist-info/METADATA").decode()
    assert "Requires-Dist: c>=1; (sys_platform == 'win32') and extra == \"x\"\n" in said


def test_installers_build_the_same_wheel(tmp_path: Path) -> None:
    name = backend.build_wheel(str(tmp_path))
    assert (name, (tmp_path / name).read_bytes()) == command_line(ROOT)


@pytest.mark.parametrize(
    ("prefix", "begins"),
    [("/home/a/.venv", f"{sys.executable} -m pip "), ("/p/pipx/w", "pipx inject foyer-waiting-room ")],
)
def test_a_missing_extra_is_told_as_what_to_type(prefix: str, begins: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    told = installed.how_to_get("rehearse")
    assert told.startswith(begins)
    assert told.endswith("'locust>=2.40,<3' 'websocket-client>=1.7,<2'")


def test_no_line_installs_a_package_of_our_name_from_an_index() -> None:
    """Nobody but us may hold these names; until an index has our packages, only files are installed."""
    texts = [path.read_text(encoding="utf-8") for path in [*DOCUMENTS, *(ROOT / "scripts").rglob("*.py")]]
    installing = re.compile(r"(?:pipx? install|uv tool install|uvx(?: --from)?|npm install)((?: [^\s`]+)+)")
    words = [word.strip("'\"") for text in texts for found in installing.findall(text) for word in found.split()]
    assert [word for word in words if re.fullmatch(r"foyer[a-z-]*(\[.*\])?([=<>~].*)?", word)] == []
