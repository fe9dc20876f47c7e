"""`wr completion`: each shell offers what the parser takes."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from scripts.operator_cli.cli import _parser, main
from scripts.operator_cli.completion import SHELLS, words

OFFERED = [
    ("wr zo", {"zones"}),
    ("wr zones ", {"new", "fields", "apply", "list", "show"}),
    ("wr zones apply zones.json --d", {"--dry-run"}),
    ("wr --region eu-west-1 keys r", {"rotate", "retire"}),
    ("wr control midnight-sun p", {"pause", "pass"}),
    ("wr completion ", {"bash", "zsh", "fish"}),
]


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def offered(line: str, given: str) -> set[str]:
    """What bash offers behind a line, asked in bash itself."""
    typed = [*line.split(), *([""] if line.endswith(" ") else [])]
    words_typed = " ".join(shlex.quote(word) for word in typed)
    asking = f"COMP_WORDS=({words_typed}); COMP_CWORD={len(typed) - 1}; _wr; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash"], input=f"{given}\n{asking}\n", capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(("line", "expected"), OFFERED)
def test_a_shell_offers_what_may_follow(line: str, expected: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    found = offered(line, script("bash", capsys))
    assert expected <= found
    assert all(word.startswith(line.rpartition(" ")[2]) for word in found)


def test_every_script_knows_every_command_and_option(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in SHELLS:
        told = script(shell, capsys)
        for typed, follow in words(_parser()):
            assert typed in told
            assert all(word.text.removeprefix("--") in told for word in follow), (shell, typed)
