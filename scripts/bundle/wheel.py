"""Wheels of pure Python, without a build tool; the format: packaging.python.org, "Binary distribution format".

The same files and the same project always give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.bundle.archive import Entries, zipped

TAG = "py3-none-any"


def wheel(project: Mapping[str, Any], folder: Path, files: Entries, licence: Path) -> tuple[str, bytes]:
    """The name and the bytes of a wheel that puts `files` into site-packages as they are named.

    `project` is the table of that name in a pyproject.toml; its `readme` lies in `folder`. Raises KeyError for one
    that does not say what a wheel must, FileNotFoundError without README or licence.
    """
    name = f"{re.sub(r'[-_.]+', '_', project['name']).lower()}-{project['version']}"
    readme = (folder / project["readme"]).read_text(encoding="utf-8")
    about = {
        "METADATA": "\n".join([*_metadata(project, licence.name), "", readme]),
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: foyer\nRoot-Is-Purelib: true\nTag: {TAG}\n",
        f"licenses/{licence.name}": licence.read_text(encoding="utf-8"),
    }
    if commands := project.get("scripts"):
        lines = [f"{command} = {target}" for command, target in sorted(commands.items())]
        about["entry_points.txt"] = "\n".join(["[console_scripts]", *lines, ""])
    entries = {**files, **{f"{name}.dist-info/{part}": text.encode() for part, text in about.items()}}
    record = f"{name}.dist-info/RECORD"
    entries[record] = "".join([*_recorded(entries), f"{record},,\n"]).encode()
    return f"{name}-{TAG}.whl", zipped(entries)


def _metadata(project: Mapping[str, Any], licence: str) -> Iterator[str]:
    yield "Metadata-Version: 2.4"
    yield f"Name: {project['name']}"
    yield f"Version: {project['version']}"
    yield f"Summary: {project['description']}"
    yield f"License-Expression: {project['license']}"
    yield f"License-File: {licence}"
    yield f"Requires-Python: {project['requires-python']}"
    yield from (f"Requires-Dist: {requirement}" for requirement in project.get("dependencies", ()))
    for extra, requirements in project.get("optional-dependencies", {}).items():
        yield f"Provides-Extra: {extra}"
        yield from (f"Requires-Dist: {_only_with(extra, requirement)}" for requirement in requirements)
    yield "Description-Content-Type: text/markdown"


def _only_with(extra: str, requirement: str) -> str:
    package, _, condition = requirement.partition(";")
    only = f'extra == "{extra}"'
    return f"{package.strip()}; " + (f"({condition.strip()}) and {only}" if condition else only)


def _recorded(entries: Entries) -> Iterator[str]:
    for name in sorted(entries):
        digest = base64.urlsafe_b64encode(hashlib.sha256(entries[name]).digest()).rstrip(b"=").decode()
        yield f"{name},sha256={digest},{len(entries[name])}\n"
