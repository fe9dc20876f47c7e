"""Write the generated parts of terraform/'s READMEs: inputs and outputs of every module, picture, costs,
quotas and metrics.

What stands between the markers of a README is replaced, the rest is left alone. A module's README without markers gets
the tables at its end.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scripts.bundle.archive import write
from scripts.costs.model import FOLDER, Costs
from scripts.costs.tables import markdown
from scripts.tfdocs import metrics, modules, picture, quotas

ROOT = Path(__file__).resolve().parents[2]

Section = Callable[[Path], str]
"""The text of a section of one module's README."""

SECTIONS: dict[str, Section] = {
    "TF_DOCS": lambda folder: modules.document(modules.read(folder)),
    "ARCHITECTURE": lambda _: picture.architecture(ROOT / "schemas"),
    "COSTS": lambda _: _costs(),
    "METRICS": lambda _: metrics.table(ROOT / "schemas"),
    "QUOTAS": lambda _: quotas.table(),
}
EVERYWHERE = "TF_DOCS"


class BadReadme(Exception):
    """Raised for a README whose markers do not fit together; the text says which."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; 0 when nothing was to do or all was written, 1 with --check and a difference."""
    parser = argparse.ArgumentParser(prog="python -m scripts.tfdocs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say which files would change")
    parser.add_argument("--root", type=Path, default=ROOT / "terraform", help="the root module (default: terraform)")
    arguments = parser.parse_args(argv)
    try:
        stale = [path for path, text in documented(arguments.root) if _differs(path, text, arguments.check)]
    except (BadReadme, modules.BadModule) as error:
        print(error, file=sys.stderr)
        return 1
    for path in stale:
        print(f"{path}: {'out of date: run make docs' if arguments.check else 'written'}")
    return 1 if stale and arguments.check else 0


def documented(root: Path) -> Iterator[tuple[Path, str]]:
    """The README of the root and of every module with what it should say. Raises BadReadme, modules.BadModule."""
    for folder in sorted({root, *(file.parent for file in root.rglob("*.tf") if ".terraform" not in file.parts)}):
        path = folder / "README.md"
        text = path.read_text(encoding="utf-8") if path.exists() else f"# {folder.name}\n"
        yield path, filled(path, text, folder)


def filled(path: Path, text: str, folder: Path) -> str:
    """A README with the text between its markers made anew. Raises BadReadme."""
    # The tables of a root whose files are not there are left as they are.
    is_module = any(folder.glob("*.tf"))
    if is_module and _begin(EVERYWHERE) not in text:
        text = f"{text.rstrip()}\n\n{_begin(EVERYWHERE)}\n{_end(EVERYWHERE)}\n"
    for name, make in SECTIONS.items():
        begins, ends = text.count(_begin(name)), text.count(_end(name))
        if begins == ends == 0 or (name == EVERYWHERE and not is_module):
            continue
        if (begins, ends) != (1, 1) or text.index(_end(name)) < text.index(_begin(name)):
            raise BadReadme(f"{path}: {_begin(name)} and {_end(name)} must stand there once each, in this order")
        before, _, rest = text.partition(_begin(name))
        _, _, after = rest.partition(_end(name))
        text = f"{before}{_begin(name)}\n{make(folder).strip()}\n{_end(name)}{after}"
    return text


def _begin(name: str) -> str:
    return f"<!-- BEGIN_{name} -->"


def _end(name: str) -> str:
    return f"<!-- END_{name} -->"


def _costs() -> str:
    prices = json.loads((FOLDER / "prices.json").read_text(encoding="utf-8"))
    return markdown(Costs.read(), prices)


def _differs(path: Path, text: str, check: bool) -> bool:
    if check:
        return not path.exists() or path.read_text(encoding="utf-8") != text
    return write(path, text.encode())
