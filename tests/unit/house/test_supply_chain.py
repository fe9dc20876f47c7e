"""The checks of our own code and of others' packages stay on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.bundle import command as build_script
from scripts.bundle.audit import LOCKS, verdict
from tests.unit.house.test_schemas import ROOT

PRODUCT = ("layer", "lambdas", "scripts")
PRODUCT_AND_TESTS = (*PRODUCT, "tests")
EXEMPTION = re.compile(r"#\s*noqa\b(?::\s*([A-Z0-9, ]+?))?\s*(- .*)?$")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"^\s*(?:- )?uses:\s*(.*)$", re.MULTILINE)
PINNED_ACTION = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
PACKAGE = re.compile(r"^([a-z0-9][\w.-]*)(?:\[[^]]*\])?(==\S+)?", re.MULTILINE)


def test_the_security_rules_are_on_for_all_that_is_shipped() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S")]
    for pattern, rules in lint["per-file-ignores"].items():
        assert pattern == "tests/**" or not [rule for rule in rules if rule.startswith("S")]


def test_every_exemption_from_a_security_rule_says_why() -> None:
    found = []
    for path in (path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            exempt = EXEMPTION.search(line)
            if exempt and re.search(r"\bS\d", exempt[1] or "S1"):
                found.append((f"{path.name}:{number}", exempt[2]))
    assert found
    assert [where for where, why in found if not why] == []


def test_every_package_is_pinned_with_its_hash() -> None:
    for name in LOCKS:
        text = (ROOT / name).read_text(encoding="utf-8")
        packages = PACKAGE.findall(text)
        assert len(packages) > 5
        assert [package for package, version in packages if not version] == []
        assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:])


GOOD: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
BAD: dict[str, Any] = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED: dict[str, Any] = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ([GOOD], 0, "Nothing is known against 1 packages; 0 could not be looked up."),
        ([GOOD, BAD, SKIPPED], 1, "b 2: PYSEC-1, repaired in 3"),
        ([SKIPPED], 2, "Nothing was audited"),
        ([], 2, "Nothing was audited"),
        ([GOOD, SKIPPED], 2, "1 could not be looked up"),
    ],
)
def test_an_audit_that_could_not_look_is_not_a_clean_one(found: list[dict[str, Any]], code: int, said: str) -> None:
    report, returned = verdict(found)
    assert returned == code
    assert said in report


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each job of each workflow, with a name to find it by."""
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items():
            yield f"{path.name}: {name}", job


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestWorkflow:
    def test_every_action_is_a_commit_with_its_version_beside_it(self, path: Path) -> None:
        used = USES.findall(path.read_text(encoding="utf-8"))
        assert used
        assert [action for action in used if not PINNED_ACTION.fullmatch(action)] == []

    def test_it_may_do_nothing_but_what_a_job_asks_for(self, path: Path) -> None:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {}
        assert all(isinstance(job["permissions"], dict) for job in workflow["jobs"].values())

    def test_nothing_of_a_stranger_runs_with_our_rights_or_becomes_a_command(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(?:pull_request_target|workflow_run)\b", text)
        steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
        assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


def test_no_job_runs_for_ever_or_leaves_its_credentials_in_the_checkout() -> None:
    for name, job in jobs():
        assert job["timeout-minutes"] <= 60, name
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name


def test_who_may_write_runs_nothing_that_was_installed() -> None:
    writers = {name: job for name, job in jobs() if "write" in job["permissions"].values()}
    assert list(writers) == ["release.yml: publish"]
    (publish,) = writers.values()
    assert [step["run"].split()[:3] for step in publish["steps"] if "run" in step] == [["gh", "release", "create"]]


def test_all_that_a_build_makes_is_kept_and_released() -> None:
    kept = [step["with"] for _, job in jobs() for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert len(kept) == len(WORKFLOWS)
    for upload in kept:
        made = {"*.zip", "*.whl", "*.tgz", build_script.SBOM, build_script.CHECKSUMS}
        assert set(upload["path"].split()) == {f"build/{name}" for name in made}
    ((_, publish),) = ((name, job) for name, job in jobs() if name.endswith(": publish"))
    assert publish["steps"][-1]["run"].endswith(" build/*")


def test_dependabot_knows_every_place_where_versions_are_written() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    known = {each["package-ecosystem"]: set(each.get("directories", [each.get("directory")])) for each in updates}
    assert set(known) == {"github-actions", "pip", "npm"}
    tracked = [path.relative_to(ROOT) for name in PRODUCT_AND_TESTS for path in (ROOT / name).rglob("*")]
    node = {f"/{path.parent}" for path in tracked if path.name == "package.json" and "node_modules" not in path.parts}
    python = {
        f"/{path.parent}" for path in tracked if path.name in {"pyproject.toml", "requirements.in", "requirements.txt"}
    }
    assert node <= known["npm"]
    assert python | {"/"} <= known["pip"]
