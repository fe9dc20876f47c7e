"""`wr` from its wheel, in an environment of its own and a folder outside of any checkout, against a running stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.bundle.contents import command_line
from scripts.deployment.local import FILE, Announcement
from tests.integration.running import Foyer
from tests.integration.zones import open_zones, zone
from tests.unit.house.test_schemas import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]

WHERE_IT_LIES = """
import importlib, json, pkgutil
import foyer_wr, waiting_room
from foyer_wr.deployment import installed, places
from foyer_wr.operator_cli.dashboard import server
from foyer_wr.report import questions
for module in pkgutil.walk_packages(foyer_wr.__path__, "foyer_wr."):
    # Running its commands, or the engine of a rehearsal, takes more than an import.
    if not module.name.endswith(("__main__", ".engine")):
        importlib.import_module(module.name)
read = [questions.QUESTIONS, places.PAGE_ASSETS, server.FOLDER, foyer_wr.__file__, waiting_room.__file__]
print(json.dumps({"read": [str(each) for each in read], "report": installed.how_to_get("report")}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with the wheel alone; what it needs of others is this environment's."""
    folder = tmp_path_factory.mktemp("wheel")
    name, content = command_line(ROOT)
    (folder / name).write_bytes(content)
    made = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(made / "bin" / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(folder / name)], check=True)
    (site,) = made.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def home(foyer: Foyer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a user for whom a stack is described, as the demo describes itself."""
    open_zones(foyer, zone("wheeled"))
    folder = tmp_path_factory.mktemp("home")
    Announcement.made([folder / ".local/state/foyer" / FILE], foyer.stack.describe(edge_url=foyer.url))
    return folder


@pytest.fixture(scope="module")
def run(environment: Path, home: Path) -> Run:
    """Runs a program of the environment as that user, far from any checkout."""

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(environment / "bin" / program), *arguments]
        return subprocess.run(
            command, cwd=home, env=alone(home), capture_output=True, text=True, check=False, timeout=120
        )

    return run


def alone(home: Path) -> dict[str, str]:
    """An environment that knows nothing of a checkout."""
    return {"PATH": os.environ["PATH"], "HOME": str(home)}


def test_it_lies_in_the_environment_with_all_it_reads(run: Run, environment: Path) -> None:
    told = run("python", "-c", WHERE_IT_LIES)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert all(Path(path).is_relative_to(environment) and Path(path).exists() for path in found["read"]), found
    assert found["report"].endswith("-m pip install 'duckdb>=1.3,<2'")


def test_it_says_its_version_and_what_it_can_do(run: Run) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{run("wr", "--version").stdout.split()[1]}"' in project
    assert "zones" in run("wr", "--help").stdout


def test_a_zone_is_begun_tried_applied_and_watched_outside_of_any_checkout(run: Run, tmp_path: Path) -> None:
    begun = run("wr", "zones", "new", "begun", "--paths", "/events/begun")
    file = tmp_path / "zones.json"
    file.write_text(begun.stdout, encoding="utf-8")
    tried = run("wr", "zones", "apply", str(file), "--dry-run")
    assert (tried.returncode, tried.stdout, tried.stderr) == (0, "begun: would be created\n", "")
    applied = run("wr", "--json", "zones", "apply", str(file))
    assert json.loads(applied.stdout)["zones"][0]["action"] == "created"
    watched = run("wr", "watch", "wheeled", "--once", "--json")
    assert json.loads(watched.stdout)["zone"]["zone_id"] == "wheeled"


def test_costs_need_no_service(run: Run) -> None:
    assert "idle_month" in json.loads(run("wr", "cost", "--json").stdout)


def test_pages_are_served_with_what_they_load(environment: Path, home: Path) -> None:
    command = [str(environment / "bin" / "wr"), "--json", "page", "preview", "wheeled"]
    with subprocess.Popen(command, cwd=home, env=alone(home), stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            address = json.loads("".join(iter(serving.stdout.readline, "}\n")) + "}")["address"]
            for path in ("state/waiting?lang=de", ".waiting-room/assets/waiting.js"):
                with urllib.request.urlopen(address + path, timeout=20) as answer:
                    assert answer.status == 200
        finally:
            serving.terminate()
