"""What goes into each zip. Everything here is entries in memory; nothing is written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.bundle.archive import tree
from scripts.bundle.imports import needed_modules
from scripts.bundle.wheel import wheel

PACKAGE = "waiting_room"

EDGE_DISTRIBUTIONS = ("cffi", "cryptography", "pycparser")
"""Third-party packages of the edge bundle: what checking an ES256 signature takes and no more."""


COMMAND_LINE = "foyer_wr"
"""The package that holds our rooms in the wheel: `scripts` would be a rude name beside other people's packages."""
ROOMS = ("costs", "deployment", "operator_api", "operator_cli", "rehearsal", "report", "visitors")
"""The folders of scripts/ behind `wr`. They import each other by relative names, and nothing else of scripts/."""
EXTRAS = ("report", "beacon", "rehearse")


def functions(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the functions of schemas/functions.json by component."""
    document = json.loads((root / "schemas" / "functions.json").read_text(encoding="utf-8"))
    return dict(document["functions"])


def layer(root: Path, packages: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Return the layer: our package with a copy of schemas/ inside, and third-party packages beside it."""
    third_party = {f"python/{name}": content for name, content in (packages or {}).items()}
    return {
        **third_party,
        **tree(root / "layer" / "python" / PACKAGE, f"python/{PACKAGE}/"),
        **tree(root / "schemas", f"python/{PACKAGE}/schemas_data/"),
    }


def function(root: Path, component: str) -> dict[str, bytes]:
    """Return one function's zip: its folder in lambdas/ as it is. Raises FileNotFoundError without a handler."""
    entries = tree(root / "lambdas" / component)
    if "handler.py" not in entries:
        raise FileNotFoundError(f"lambdas/{component}/handler.py is missing: schemas/functions.json names it")
    return entries


def command_line(root: Path) -> tuple[str, bytes]:
    """Return name and content of the wheel that puts `wr` on the path, with all it reads."""
    entries = {f"{COMMAND_LINE}/__init__.py": b'"""The operator\'s command line of Foyer, and what it is made of."""\n'}
    for room in ROOMS:
        entries |= tree(root / "scripts" / room, f"{COMMAND_LINE}/{room}/")
    entries |= tree(root / "lambdas" / "publisher" / "site" / "assets", f"{COMMAND_LINE}/page_assets/")
    entries |= {name.removeprefix("python/"): content for name, content in layer(root).items()}
    return wheel(command_line_project(root), root, entries, root / "LICENSE")


def command_line_project(root: Path) -> dict[str, Any]:
    """Return what pyproject.toml says of `wr`: of the extras those alone that its user may want."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return {**project, "optional-dependencies": {name: extras[name] for name in EXTRAS}}


def edge_bundle(root: Path, packages: Mapping[str, bytes], settings: Mapping[str, Any] | None) -> dict[str, bytes]:
    """Return the gatekeeper with all it imports, because Lambda@Edge has neither layers nor environment variables.

    `settings` becomes settings.json; without it the folder's own file goes in, if there is one.
    """
    entries = function(root, "gatekeeper")
    needed: dict[str, Path] = {}
    source = root / "layer" / "python"
    for name in entries:
        if name.endswith(".py"):
            needed |= needed_modules(root / "lambdas" / "gatekeeper" / name, PACKAGE, source)
    ours = {path.relative_to(source).as_posix(): path.read_bytes() for path in needed.values()}
    if settings is not None:
        entries["settings.json"] = json.dumps(settings, indent=2, sort_keys=True).encode() + b"\n"
    return {**packages, **ours, **entries}
