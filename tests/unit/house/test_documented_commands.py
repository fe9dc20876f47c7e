"""Every command line in documents, help texts and messages is one that our own parsers read."""

from __future__ import annotations

import argparse
import ast
import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.operator_cli.cli import _parser
from scripts.operator_cli.completion import words
from tests.unit.house.test_schemas import ROOT

FOLDERS = [each for each in ROOT.iterdir() if each.is_dir() and each.name != "build" and not each.name.startswith(".")]
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in folder.rglob("*.md"))]
    if not {".terraform", "node_modules"} & set(path.parts)
)
FENCED = re.compile(r"^( *)```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}(.+)$", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?(?:wr|make|python3?)(?: |\Z)")
ASSIGNED = re.compile(r"\A[A-Z_]+=")
UNFINISHED = re.compile(
    r"arguments are required|one of the arguments .* is required|expected (one|at least one|\d+) arg"
)
"""What a parser says of a mention like `wr keys retire`, which names a command and leaves its arguments out."""
TARGETS = {
    found[1]: found[2]
    for found in re.finditer(
        r"^([a-z-]+):.*\n((?:\t.*\n)*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
}


class Line(NamedTuple):
    """A command line, where it stands, and whether it is meant to be typed as it is."""

    where: str
    text: str
    whole: bool


class Read(Exception):
    """Raised in place of what a command would do once its arguments are read."""


def in_text(where: str, text: str) -> Iterator[Line]:
    """The command lines of a Markdown text: lines of blocks are whole, spans may be mentions."""
    blocks = [*(block for _, block in FENCED.findall(text)), *INDENTED.findall(FENCED.sub("", text))]
    for line in (line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()):
        if COMMAND.match(line):
            yield Line(where, line, whole=True)
    for span in SPAN.findall(FENCED.sub("", text)):
        line = " ".join(span.split())
        if COMMAND.match(line):
            yield Line(where, line, whole=False)


def in_documents() -> Iterator[Line]:
    for path in DOCUMENTS:
        yield from in_text(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    for path in (ROOT / "terraform").rglob("*.tf"):
        yield from in_text(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))


def in_code() -> Iterator[Line]:
    """Lines of our texts that begin with a command, as in a module's usage, and spans in any text."""
    for path in [*(ROOT / "scripts").rglob("*.py"), *(ROOT / "layer").rglob("*.py")]:
        where = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from in_text(where, node.value)
                for line in (line.strip() for line in node.value.splitlines()):
                    if re.match(r"(python -m scripts\.[a-z_]+|(scripts/)?wr [a-z-]+) ", line):
                        # What a command does stands behind it.
                        yield Line(where, re.split(r" {3,}", line)[0], whole=True)


def in_help(parser: argparse.ArgumentParser, typed: str = "wr") -> Iterator[Line]:
    for text in (parser.epilog, parser.description):
        for line in (text or "").splitlines():
            if line.strip().startswith("wr "):
                yield Line(f"{typed} --help", line.strip(), whole=True)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from in_help(below, f"{typed} {name}")


PARSER = _parser()
LINES = sorted({*in_documents(), *in_code(), *in_help(PARSER)})


def tokens(text: str) -> list[str]:
    """The words of the first command of a line, without what is assigned before it and behind a pipe."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    found: list[str] = []
    for token in lexer:
        if set(token) <= set("|&;<>()"):
            break
        if found or not ASSIGNED.match(token):
            found.append(token)
    return [token for token in found if token != "..."]


def refusal(parse: argparse.ArgumentParser, given: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What a parser says against arguments; nothing when it reads them."""

    def fail(_: object, message: str) -> None:
        raise ValueError(message)

    monkeypatch.setattr(argparse.ArgumentParser, "error", fail)
    try:
        parse.parse_args(given)
    except ValueError as error:
        return str(error)
    except SystemExit:
        # --help and --version end the program.
        return ""
    return ""


def refusal_of_module(module: str, given: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The same for a command that is run as a module."""
    parse_args = argparse.ArgumentParser.parse_args
    said = []

    def read(parser: argparse.ArgumentParser, argv: list[str] | None = None, *_: object) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(argparse.ArgumentParser, "parse_args", parse_args)
            said.append(refusal(parser, given, patched))
        raise Read

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", read)
    monkeypatch.setattr(sys, "argv", [module, *given])
    with pytest.raises(Read):
        runpy.run_module(module, run_name="__main__")
    return said[0]


def has_arguments(module: str) -> bool:
    return (ROOT / module.replace(".", "/") / "command.py").is_file()


def exists(module: str) -> bool:
    base = ROOT / module.replace(".", "/")
    return base.with_suffix(".py").is_file() or (base / "__main__.py").is_file()


def told_to_write(line: Line, name: str) -> bool:
    """Whether the text that names a file has its reader write it first."""
    return (ROOT / line.where).is_file() and f", in `{name}`." in (ROOT / line.where).read_text(encoding="utf-8")


def check(line: Line, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is wrong with a command line, as its own parser says it."""
    program, *given = tokens(line.text)
    name = Path(program).name
    if name == "wr":
        said = refusal(PARSER, given, monkeypatch)
    elif name == "make":
        said = refusal_of_make(given, monkeypatch)
    elif given[:1] != ["-m"] or len(given) < 2:
        there = not given or given[0].startswith("-") or (ROOT / given[0]).is_file() or told_to_write(line, given[0])
        said = "" if there else f"no file {given[0]}"
    elif given[1] == "pytest":
        paths = [ROOT / word for word in given[2:] if word.startswith("tests")]
        said = ", ".join(f"no {path}" for path in paths if not path.exists())
    elif given[1].partition(".")[0] not in ("scripts", "tests") or given[1] == "scripts.NAME":
        said = ""
    elif not exists(given[1]):
        said = f"no module {given[1]}"
    else:
        said = refusal_of_module(given[1], given[2:], monkeypatch) if has_arguments(given[1]) else ""
    return "" if UNFINISHED.search(said) and not line.whole else said


def refusal_of_make(given: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A target that is not there, or arguments that what it runs does not read."""
    for target in (word for word in given if "=" not in word and not word.startswith("-")):
        if target not in TARGETS:
            return f"no target {target}"
        module = re.search(r"-m (scripts\.\w+) \$\(ARGS\)", TARGETS[target])
        arguments = next((word.removeprefix("ARGS=") for word in given if word.startswith("ARGS=")), "")
        if module and arguments:
            return refusal_of_module(module[1], shlex.split(arguments), monkeypatch)
    return ""


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.where}: {line.text}"[:120])
def test_a_documented_command_line_is_read(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(line, monkeypatch) == ""


def test_the_documents_were_read() -> None:
    where = {line.where for line in LINES if line.whole}
    assert {"README.md", "terraform/examples/minimal/README.md", "wr --help"} <= where
    assert any(each.startswith("scripts/demo/") for each in where)
    assert sum(line.whole for line in LINES) > 40


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("wr preflight 2000 --site-url https://tickets.example.com", False),
        ("wr --json zones list", False),
        ("wr zones list --json --region eu-west-1", False),
        ("wr zones lst", True),
        ("wr watch midnight-sun --onse", True),
        ("wr watch", True),
        ("make tset", True),
        ("make cost ARGS=--visitor-count", True),
        ("python -m scripts.costs --visitors many", True),
        ("python -m scripts.nothing", True),
        (".venv/bin/python -m pytest tests/unit/nowhere", True),
    ],
)
def test_a_wrong_one_is_noticed(text: str, wrong: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bool(check(Line("here", text, whole=True), monkeypatch)) == wrong


def test_every_command_takes_the_options_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for typed, follow in words(PARSER):
        assert {"--api-url", "--site-url", "--profile", "--region", "--json"} <= {word.text for word in follow}, typed
