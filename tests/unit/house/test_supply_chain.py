"""The checks of our own code and of others' packages stay on."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from scripts.bundle.audit import LOCKS, verdict
from tests.unit.house.test_schemas import ROOT

PRODUCT = ("layer", "lambdas", "scripts")
EXEMPTION = re.compile(r"#\s*noqa\b(?::\s*([A-Z0-9, ]+?))?\s*(- .*)?$")
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
