"""The documents in the root say what is: headings that code cites, constants, files, tests and links are all there."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scripts.simulation.scenarios import SCENARIOS
from tests.faults.mutations import MUTATIONS
from waiting_room.http.frame.errors import STATUS_OF

ROOT = Path(__file__).resolve().parents[3]
CITED = ("PROTOCOL", "ARCHITECTURE")
"""Documents whose headings code cites as `(PROTOCOL, Claim)`."""
CHECKED = ("PROTOCOL.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
"""Documents in which every file, test, command and constant is looked up; those that are not there yet are not."""
FOLDERS = ("layer", "lambdas", "scripts", "tests", "terraform", "schemas")
TEXT = {".css", ".hcl", ".html", ".js", ".json", ".md", ".mjs", ".py", ".sh", ".sql", ".tf", ".toml", ".txt", ".yml"}
GENERATED = {".terraform", "__pycache__", "node_modules"}
BELOW = ("", "layer/python/waiting_room", "lambdas/publisher/site")
"""Where the path of a file may begin."""

_NUMBER = re.compile(r"\brules? (\d+(?:(?:, | and |, and )\d+)*)", re.IGNORECASE)
_RULE = re.compile(r"Rule (\d+): ")
_FILE = re.compile(r"^[A-Za-z0-9_][\w.-]*(?:/[\w.-]+)+\.(?:css|js|json|md|mjs|py|sh|sql|svg|tf|toml|yml)$")
_FOLDER = re.compile(r"^(?:layer|lambdas|scripts|tests|terraform|schemas)/(?:[\w.-]+/)*[\w.-]*$")
_TEST = re.compile(r"^([\w./-]+\.py)?::(test_\w+)(?:\[.*\])?$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CONSTANT = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)` = ([\d.,]*\d)")
_ARGUMENTS = re.compile(r"ARGS=('[^']*'|\S+?)(?=[`\s])")
_SCENARIOS = re.compile(r"\bscenarios? ((?:`[^`]+`(?:, and |, | and )?)+)")


def documents() -> list[Path]:
    """The Markdown files of the root."""
    return sorted(ROOT.glob("*.md"))


def checked() -> list[Path]:
    return [ROOT / name for name in CHECKED if (ROOT / name).exists()]


@cache
def sources() -> Mapping[str, str]:
    """Every text file that may cite a document, by its path; this one speaks of citing and is left out."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in TEXT]
    kept = [path for path in [*files, *documents()] if not GENERATED.intersection(path.parts) and path.is_file()]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in kept
        if path != Path(__file__).resolve()
    }


@cache
def prose(path: Path) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def headings(path: Path) -> list[str]:
    return [found[2].strip() for found in re.finditer(r"^(#+) (.+)$", prose(path), re.M)]


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in headings(path):
        plain = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[plain] = found.get(plain, -1) + 1
    return {f"{plain}-{count}" if count else plain for plain, most in found.items() for count in range(most + 1)}


def spans(path: Path) -> Iterator[str]:
    """What stands in backquotes, each also when it is broken over two lines."""
    return (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(path)))


def file_of(name: str) -> Path | None:
    """The file or folder a document means; None where there is none."""
    return next((ROOT / below / name for below in BELOW if (ROOT / below / name).exists()), None)


def rows(path: Path, *columns: str) -> Iterator[list[str]]:
    """Cells of every row of the tables that begin with these columns."""
    fits = False
    for line in prose(path).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            fits = False
        elif cells[: len(columns)] == list(columns):
            fits = True
        elif fits and not set(cells[0]) <= set("-: "):
            yield cells


def sections(path: Path) -> list[str]:
    return re.split(r"^#+ ", prose(path), flags=re.M)


def number(text: str) -> float:
    return float(text.replace(",", ""))


def value_of(name: str, file: str) -> Any:
    """The value of a constant of a Python module or of a script of the page."""
    path = file_of(file)
    assert path is not None, f"{file} does not exist"
    if path.suffix == ".py":
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[2:] if parts[:2] == ("layer", "python") else parts
        return getattr(importlib.import_module(".".join(parts)), name)
    found = re.search(rf"^const {name} = ([\d_.]+);", path.read_text(encoding="utf-8"), re.M)
    assert found, f"{name} is not in {file}"
    return ast.literal_eval(found[1])


def test_every_citation_names_a_heading() -> None:
    wrong = []
    citing = {name: text for name, text in sources().items() if any(f"{document}," in text for document in CITED)}
    for name, text in citing.items():
        flowing = re.sub(r"\s+(?:[#*] |// )?", " ", text)
        for document, said in re.findall(rf"\b({'|'.join(CITED)}), ([^\n]{{1,80}})", flowing):
            path = ROOT / f"{document}.md"
            if path.exists() and not any(re.match(rf"{re.escape(known)}(?!\w)", said) for known in headings(path)):
                wrong.append(f"{name}: {document}, {said}")
    assert not wrong, "\n".join(wrong)


def test_every_rule_that_is_named_by_its_number_has_a_heading() -> None:
    known = {found[1] for heading in headings(ROOT / "PROTOCOL.md") if (found := _RULE.match(heading))}
    wrong = [
        f"{name}: {found[0]}"
        for name, text in sources().items()
        for found in _NUMBER.finditer(text)
        if not set(re.findall(r"\d+", found[1])) <= known
    ]
    assert known
    assert not wrong, "\n".join(wrong)


def test_nothing_cites_what_no_reader_has() -> None:
    wrong = [name for name, text in sources().items() if re.search(r"\bDESIGN(?:\.md)?\b", text)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", checked(), ids=lambda path: path.name)
def test_every_file_and_test_that_is_named_is_there(path: Path) -> None:
    wrong, last = [], ""
    for span in spans(path):
        if test := _TEST.match(span):
            last = test[1] or last
            file = file_of(last)
            if file is None or not re.search(rf"^ *(?:async )?def {test[2]}\(", file.read_text(encoding="utf-8"), re.M):
                wrong.append(span)
        elif _FILE.match(span) or _FOLDER.match(span):
            last = span
            if file_of(span) is None:
                wrong.append(span)
    assert not wrong, f"{path.name} names what is not there: {', '.join(wrong)}"


@pytest.mark.parametrize("path", checked(), ids=lambda path: path.name)
def test_every_command_that_is_named_can_be_given(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    wrong = [target for target in re.findall(r"`make ([a-z-]+)", text) if target not in targets]
    for line in re.findall(r"make simulate ([^\n]*)", text):
        for arguments in _ARGUMENTS.findall(line + " "):
            words = iter(shlex.split("".join(shlex.split(arguments))))
            for word in words:
                if word.startswith("--"):
                    next(words, None)
                elif word not in SCENARIOS:
                    wrong.append(word)
    for named in _SCENARIOS.findall(" ".join(text.split())):
        wrong += [name for name in re.findall(r"`([^`]+)`", named) if name not in SCENARIOS]
    assert not wrong, f"{path.name}: {wrong}"


@pytest.mark.parametrize("path", checked(), ids=lambda path: path.name)
def test_every_constant_has_the_value_that_is_told(path: Path) -> None:
    told = [(cells[0].strip("`"), cells[1], cells[2].strip("`")) for cells in rows(path, "constant", "value", "file")]
    wrong = [f"{name} of {file} is not {text}" for name, text, file in told if value_of(name, file) != number(text)]
    for section in sections(path):
        files = [span for span in re.findall(r"`([^`\s]+\.(?:py|js))`", section) if file_of(span)]
        for name, text in _CONSTANT.findall(section):
            values = []
            for file in files:
                try:
                    values.append(value_of(name, file))
                except (AttributeError, AssertionError):
                    continue
            if number(text) not in values:
                wrong.append(f"{name} is not {text} in any of {files}")
    assert not wrong, "\n".join(wrong)


def test_the_settings_of_a_zone_have_the_bounds_that_are_told() -> None:
    schema = json.loads((ROOT / "schemas" / "zone.json").read_text(encoding="utf-8"))
    told = list(rows(ROOT / "PROTOCOL.md", "setting", "default", "least", "most"))
    assert told
    for setting, *bounds in told:
        found = schema
        for name in setting.strip("`").split("."):
            found = found["properties"][name]
        least = f"above {found['exclusiveMinimum']}" if "exclusiveMinimum" in found else f"{found['minimum']:,}"
        default = f"{found['default']:,}" if "default" in found else "–"
        assert bounds == [default, least, f"{found['maximum']:,}"], setting


def test_every_problem_stands_with_its_status() -> None:
    told = {
        problem: int(cells[0])
        for cells in rows(ROOT / "PROTOCOL.md", "status", "problems")
        for problem in re.findall(r"`([a-z-]+)`", cells[1])
    }
    assert told == {**STATUS_OF, "internal": 500}


def test_every_safeguard_that_is_taken_away_stands_with_a_rule() -> None:
    text = "".join(cells[0] for cells in rows(ROOT / "PROTOCOL.md", "taken away", "what breaks"))
    assert set(re.findall(r"`([a-z_ ]+)`", text)) >= set(MUTATIONS)
    assert not {name for name in re.findall(r"`([a-z ]+)`", text) if " " in name} - set(MUTATIONS)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    wrong = []
    for link in _LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert not wrong, f"{path.name}: {wrong}"
