"""Wheels of pure Python, without a build tool; the format: packaging.python.org, "Binary distribution format".

The same files and the same metadata always give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.bundle.archive import Entries, zipped

TAG = "py3-none-any"


@dataclass(frozen=True)
class Metadata:
    """What a wheel says of itself; requirements as in PEP 508, `commands` by their name as `module:function`."""

    name: str
    version: str
    summary: str
    requires_python: str
    license: str
    dependencies: Sequence[str] = ()
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, project_file: Path, extras: Collection[str] | None = None) -> Metadata:
        """The metadata that a pyproject.toml declares; of its extras those named, without names all."""
        project = tomllib.loads(project_file.read_text(encoding="utf-8"))["project"]
        declared = project.get("optional-dependencies", {})
        return cls(
            name=project["name"],
            version=project["version"],
            summary=project["description"],
            requires_python=project["requires-python"],
            license=project["license"],
            dependencies=project.get("dependencies", ()),
            extras={name: declared[name] for name in (declared if extras is None else extras)},
            commands=project.get("scripts", {}),
        )

    @property
    def _escaped(self) -> str:
        return f"{self.name.replace('-', '_')}-{self.version}"

    @property
    def file_name(self) -> str:
        """Name of the wheel's file."""
        return f"{self._escaped}-{TAG}.whl"

    @property
    def folder(self) -> str:
        """Name of the folder in the wheel that holds this metadata."""
        return f"{self._escaped}.dist-info"


def wheel(metadata: Metadata, files: Entries, readme: str = "", license_text: str = "") -> bytes:
    """The bytes of a wheel that puts `files` into site-packages as they are named."""
    about = {"METADATA": _metadata(metadata, readme, bool(license_text)), "WHEEL": _wheel_file()}
    if metadata.commands:
        lines = [f"{name} = {target}" for name, target in sorted(metadata.commands.items())]
        about["entry_points.txt"] = "\n".join(["[console_scripts]", *lines, ""])
    if license_text:
        about["licenses/LICENSE"] = license_text
    entries = {**files, **{f"{metadata.folder}/{name}": text.encode() for name, text in about.items()}}
    record = f"{metadata.folder}/RECORD"
    entries[record] = "".join([*_recorded(entries), f"{record},,\n"]).encode()
    return zipped(entries)


def _metadata(metadata: Metadata, readme: str, licensed: bool) -> str:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {metadata.name}",
        f"Version: {metadata.version}",
        f"Summary: {metadata.summary}",
        f"License-Expression: {metadata.license}",
        *(["License-File: LICENSE"] if licensed else []),
        f"Requires-Python: {metadata.requires_python}",
        *(f"Requires-Dist: {requirement}" for requirement in metadata.dependencies),
    ]
    for extra, requirements in metadata.extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_only_with(extra, requirement)}" for requirement in requirements]
    if readme:
        lines.append("Description-Content-Type: text/markdown")
    return "\n".join([*lines, "", readme])


def _only_with(extra: str, requirement: str) -> str:
    package, _, condition = requirement.partition(";")
    only = f'extra == "{extra}"'
    return f"{package.strip()}; " + (f"({condition.strip()}) and {only}" if condition else only)


def _wheel_file() -> str:
    return f"Wheel-Version: 1.0\nGenerator: foyer\nRoot-Is-Purelib: true\nTag: {TAG}\n"


def _recorded(entries: Entries) -> Iterator[str]:
    for name in sorted(entries):
        digest = base64.urlsafe_b64encode(hashlib.sha256(entries[name]).digest()).rstrip(b"=").decode()
        yield f"{name},sha256={digest},{len(entries[name])}\n"
