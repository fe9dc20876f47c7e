"""Wrong values stop a plan with a message that says what to do, whichever rule they break."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.terraform.workspace import ROOT, copy_of_the_code, init, require_terraform, terraform

ROWS = ROOT / "terraform" / "tests" / "bad_input.tftest.hcl"
RULE = re.compile(r'validation \{\n(?:.*\n)*?\s+error_message = "((?:[^"\\]|\\.)*)"\n')
SAYS_WHAT_TO_DO = re.compile(r"\b(?:set|leave|give|request|ask|pass|write|spread|is|are|has|have|needs|starts|wants)\b")


def rules(variables: Path) -> set[str]:
    """The message of every rule about a variable."""
    return {json.loads(f'"{message}"') for message in RULE.findall(variables.read_text(encoding="utf-8"))}


def rows() -> list[str]:
    """The wrong values of each run of the root module's tests."""
    return re.findall(
        r'run "wrong_values_\d+" \{\n  command = plan\n\n  variables \{\n(.*?)\n  \}', ROWS.read_text("utf-8"), re.S
    )


def messages(folder: Path, values: str) -> set[str]:
    """What a plan with these values says, without its line breaks."""
    file = folder / "wrong.tfvars"
    file.write_text(
        values + '\nartifacts_dir = "tests/artifacts"\n' * ("artifacts_dir" not in values), encoding="utf-8"
    )
    said = terraform(folder, "plan", "-json", "-input=false", f"-var-file={file.name}", codes=(1,))
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    errors = [event["diagnostic"] for event in events if event["type"] == "diagnostic" and event["@level"] == "error"]
    return {each["detail"].partition("\n\nThis was checked by")[0] for each in errors}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Everything that is said to all rows. The variables alone will do: a plan that goes further is wrong."""
    require_terraform()
    code = copy_of_the_code(tmp_path_factory.mktemp("bad-input"))
    alone = code.parent / "variables"
    alone.mkdir()
    shutil.copy(code / "variables.tf", alone)
    init(alone)
    return set().union(*(messages(alone, row) for row in rows()))


def test_every_rule_is_broken_by_some_row(said: set[str]) -> None:
    known = rules(ROOT / "terraform" / "variables.tf")
    assert len(known) > 30
    assert known - said == set()


def test_wrong_values_are_stopped_by_rules_and_by_nothing_else(said: set[str]) -> None:
    assert said - rules(ROOT / "terraform" / "variables.tf") == set()


@pytest.mark.parametrize(
    "variables", sorted((ROOT / "terraform").rglob("variables.tf")), ids=lambda path: path.parent.name
)
def test_messages_are_sentences(variables: Path) -> None:
    for message in rules(variables):
        assert message[-1] in ".)/" or message.endswith("..."), message
        assert SAYS_WHAT_TO_DO.search(message), message


@pytest.mark.parametrize(
    "variables", sorted((ROOT / "terraform").rglob("variables.tf")), ids=lambda path: path.parent.name
)
def test_every_variable_is_described_and_typed(variables: Path) -> None:
    blocks = re.split(r"^variable ", variables.read_text(encoding="utf-8"), flags=re.M)[1:]
    for block in blocks:
        assert re.search(r"^  description +=", block, re.M), block
        assert re.search(r"^  type +=", block, re.M), block
