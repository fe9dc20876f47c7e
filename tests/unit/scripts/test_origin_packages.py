"""The packages for a site's own servers as files: the same bytes every time, and what installers and compilers need."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

import foyer_origin
from scripts.bundle.command import for_sites
from scripts.bundle.wheel import wheel
from scripts.operator_cli.zone_files import read_zone_file
from tests.support.origin_rooms import FOLDER, ROOT, node_package, require_node

READMES = {"python": FOLDER / "python" / "README.md", "node": FOLDER / "node" / "README.md"}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
WHEEL, TARBALL = f"foyer_origin-{VERSION}-py3-none-any.whl", f"foyer-origin-{VERSION}.tgz"

USE = """
import { createServer } from "node:http";
import { BadSettings, Verdict, WaitingRoom, endVisitCookies } from "foyer-origin";
import type { Confirmation, Guarded, Visit } from "foyer-origin";

const room = new WaitingRoom({ siteUrl: "https://s.test", zoneId: "z", issuer: "foyer" });
createServer(async (request, response) => {
  const visit: Visit = await room.check(request.headers);
  const confirmation: Confirmation = await room.confirm(visit, "order 1", { checkout: false });
  if (confirmation.verdict === Verdict.UNSURE) response.setHeader("Retry-After", confirmation.retryAfterSec);
  response.setHeader("Set-Cookie", [...confirmation.cookies, ...endVisitCookies(visit.zoneId)]);
  await room.express()(request, response, () => (request as Guarded).visit.token);
  const left: boolean = await room.leave(visit.token);
  response.end(String(left));
});
try {
  WaitingRoom.fromEnv({ run: 2 });
} catch (error) {
  if (error instanceof BadSettings) console.log(error.faults[0]);
}
"""
MISUSES = {
    "a setting that is none": 'new WaitingRoom({ siteUrl: "", zoneId: "", issuer: "", secret: "" });',
    "a verdict that is none": "Verdict.SOLD;",
    "a token that is changed": 'room.check({}).then((visit) => { visit.token = ""; });',
    "a confirmation of nothing": "room.confirm();",
}


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return for_sites(ROOT)


def test_both_are_of_this_version(made: dict[str, bytes]) -> None:
    assert sorted(made) == [TARBALL, WHEEL]
    lock = json.loads((FOLDER / "node" / "package-lock.json").read_text(encoding="utf-8"))
    assert (lock["version"], lock["packages"][""]["version"]) == (VERSION, VERSION)


def test_the_same_sources_give_the_same_bytes(made: dict[str, bytes], tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "scripts" / "origin", copy_function=shutil.copyfile)
    shutil.copy(ROOT / "LICENSE", tmp_path)
    left_over = tmp_path / "scripts/origin/python/foyer_origin/__pycache__"
    left_over.mkdir(exist_ok=True)
    left_over.joinpath("room.cpython-399.pyc").write_bytes(b"x")
    for path in tmp_path.rglob("*.*"):
        path.chmod(0o700)
    assert for_sites(tmp_path) == made


def test_the_wheel_is_installed_and_imported(made: dict[str, bytes], tmp_path: Path) -> None:
    file, site = tmp_path / WHEEL, tmp_path / "site"
    file.write_bytes(made[WHEEL])
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(site), str(file)], check=True)
    probe = f"import sys; sys.path.insert(0, {str(site)!r}); import foyer_origin; print(foyer_origin.__file__)"
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert Path(ran.stdout.strip()).is_relative_to(site)
    assert (site / "foyer_origin" / "py.typed").is_file()


def test_the_wheel_says_what_it_needs(made: dict[str, bytes]) -> None:
    project = tomllib.loads((FOLDER / "python" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(io.BytesIO(made[WHEEL])) as archive:
        metadata = Parser().parsestr(archive.read(f"foyer_origin-{VERSION}.dist-info/METADATA").decode())
        recorded = archive.read(f"foyer_origin-{VERSION}.dist-info/RECORD").decode()
        names = archive.namelist()
    assert (metadata["Name"], metadata["Version"]) == ("foyer-origin", VERSION)
    assert metadata.get_all("Requires-Dist") == project["dependencies"]
    assert metadata.get_payload() == READMES["python"].read_text(encoding="utf-8")
    assert sorted(line.split(",")[0] for line in recorded.splitlines()) == sorted(names)


def test_a_wheel_may_have_commands_and_extras(tmp_path: Path) -> None:
    tmp_path.joinpath("README.md").write_text("Read me.\n", encoding="utf-8")
    project: dict[str, Any] = {
        "name": "Some.thing",
        "version": "1.0",
        "description": "Something.",
        "license": "Apache-2.0",
        "requires-python": ">=3.11",
        "readme": "README.md",
        "scripts": {"some": "some_thing.cli:main"},
        "optional-dependencies": {"more": ["one>=1", 'two>=2; python_version < "3.12" or os_name == "nt"']},
    }
    name, content = wheel(project, tmp_path, {"some_thing/__init__.py": b""}, ROOT / "LICENSE")
    assert name == "some_thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        commands = archive.read("some_thing-1.0.dist-info/entry_points.txt").decode()
        metadata = Parser().parsestr(archive.read("some_thing-1.0.dist-info/METADATA").decode())
    assert commands == "[console_scripts]\nsome = some_thing.cli:main\n"
    assert metadata.get_all("Requires-Dist") == [
        'one>=1; extra == "more"',
        'two>=2; (python_version < "3.12" or os_name == "nt") and extra == "more"',
    ]


def test_the_tarball_has_what_npm_would_pack(made: dict[str, bytes]) -> None:
    require_node()
    pack = ["npm", "pack", "--dry-run", "--json", "--silent"]
    ran = subprocess.run(pack, cwd=FOLDER / "node", capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout)
    (packed,) = told if isinstance(told, list) else told.values()
    with tarfile.open(fileobj=io.BytesIO(made[TARBALL])) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
    assert names == {file["path"] for file in packed["files"]} | {"LICENSE"}
    assert packed["filename"] == TARBALL


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package and TypeScript installed."""
    folder = tmp_path_factory.mktemp("typed")
    package = node_package(folder / "package")
    modules = folder / "node_modules"
    modules.mkdir()
    for found in (package / "node_modules").iterdir():
        modules.joinpath(found.name).symlink_to(found)
    modules.joinpath("foyer-origin").symlink_to(package)
    return folder


def test_the_types_fit_their_use_and_tell_misuse(typed: Path) -> None:
    misuse = [
        'import { Verdict, WaitingRoom } from "foyer-origin"; declare const room: WaitingRoom;',
        *MISUSES.values(),
    ]
    typed.joinpath("use.mts").write_text(USE, encoding="utf-8")
    typed.joinpath("misuse.mts").write_text("\n".join(misuse), encoding="utf-8")
    options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"]
    tsc = ["node", str(typed / "node_modules/typescript/bin/tsc"), *options, "use.mts", "misuse.mts"]
    ran = subprocess.run(tsc, cwd=typed, capture_output=True, text=True, check=False)
    wrong = {(file, int(line)) for file, line in re.findall(r"^(\S+)\((\d+),", ran.stdout, re.MULTILINE)}
    assert wrong == {("misuse.mts", line) for line in range(2, len(misuse) + 1)}, ran.stdout


def test_the_types_declare_what_is_exported_and_no_more(typed: Path) -> None:
    list_exports = 'import("foyer-origin").then((module) => console.log(JSON.stringify(Object.keys(module))))'
    ran = subprocess.run(["node", "-e", list_exports], cwd=typed, capture_output=True, text=True, check=True)
    declared = (FOLDER / "node" / "index.d.ts").read_text(encoding="utf-8")
    assert sorted(json.loads(ran.stdout)) == sorted(
        re.findall(r"^export declare (?:const|class|function) (\w+)", declared, re.MULTILINE)
    )


def blocks(language: str, kind: str) -> list[str]:
    return re.findall(
        rf"^```{kind}\n(.*?)^```", READMES[language].read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize("language", READMES)
def test_the_zone_to_begin_with_is_valid(language: str, tmp_path: Path) -> None:
    file = tmp_path / "my.json"
    file.write_text(blocks(language, "json")[0], encoding="utf-8")
    (zone,) = read_zone_file(file)
    assert zone["forward_token"] is True


def test_the_shops_to_begin_with_can_be_read_and_name_what_is_there(tmp_path: Path) -> None:
    shop = blocks("python", "python")[0]
    compile(shop, "shop.py", "exec")
    imported = re.search(r"from foyer_origin import (.*)", shop)
    assert imported
    assert set(imported[1].split(", ")) <= set(foyer_origin.__all__)
    require_node()
    for number, text in enumerate(blocks("node", "js")):
        file = tmp_path / f"{number}.mjs"
        file.write_text(text, encoding="utf-8")
        ran = subprocess.run(["node", "--check", str(file)], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr


def test_no_line_anywhere_installs_a_package_of_this_name_from_an_index() -> None:
    """Whoever takes the name there would be installed."""
    documents = [path for path in ROOT.glob("**/*.md") if not {".venv", "build", "node_modules"} & set(path.parts)]
    bare = re.compile(
        r"\b(?:pipx?|uvx?|npx?|npm|yarn|pnpm)\b[^\n`]*\s(?:install|add|run|i)\s+[^\n`]*?(?<![\w./-])foyer[\w-]*(?![\w./*-])"
    )
    assert {path.name for path in documents} >= {"README.md", "CHANGELOG.md"}
    assert [match[0] for path in documents for match in bare.finditer(path.read_text(encoding="utf-8"))] == []
    assert bare.search("pip install foyer-origin")
    assert bare.search("npm i express foyer-origin")
    assert not bare.search("npm install /path/to/foyer-origin-0.1.0.tgz express")
