"""Packages for others to install: Python wheels and npm tarballs, written here so that the same files give the same
bytes with nothing but Python.

A wheel is what "Binary distribution format" and "Core metadata" of packaging.python.org ask for; an npm package is a
tar of the folder `package/`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.bundle.archive import FILE_MODE, Entries, tree, zipped

METADATA_VERSION = "2.4"
LICENCE = "LICENSE"
_NPM_FOLDER = "package/"


def python_package(root: Path, folder: Path) -> tuple[str, bytes]:
    """The name and the bytes of the wheel of a folder with a pyproject.toml and one package.

    Raises FileNotFoundError, and KeyError for a pyproject.toml without what a wheel needs.
    """
    document = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    module = str(document["project"]["name"]).replace("-", "_")
    return wheel(document["project"], folder, tree(folder / module, f"{module}/"), root / LICENCE)


def wheel(project: Mapping[str, Any], folder: Path, files: Entries, licence: Path) -> tuple[str, bytes]:
    """The name and the bytes of a wheel that runs on any Python 3: `files` by their place in site-packages.

    `project` is the table of that name in pyproject.toml; its `readme` lies in `folder`.
    """
    name = re.sub(r"[-_.]+", "_", str(project["name"])).lower()
    info = f"{name}-{project['version']}.dist-info"
    readme = (folder / project["readme"]).read_text(encoding="utf-8")
    told = {
        f"{info}/METADATA": "\n".join([*_metadata(project), "", readme]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: foyer\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if scripts := project.get("scripts"):
        lines = [f"{command} = {target}" for command, target in scripts.items()]
        told[f"{info}/entry_points.txt"] = "\n".join(["[console_scripts]", *lines, ""])
    entries = {
        **files,
        f"{info}/licenses/{LICENCE}": licence.read_bytes(),
        **{path: text.encode() for path, text in told.items()},
    }
    record = "".join(f"{path},{_digest(content)},{len(content)}\n" for path, content in sorted(entries.items()))
    entries[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return f"{name}-{project['version']}-py3-none-any.whl", zipped(entries)


def npm_package(root: Path, folder: Path) -> tuple[str, bytes]:
    """The name and the bytes of the npm package of a folder: what its package.json lists in `files`.

    Raises FileNotFoundError, and KeyError for a package.json without what a package needs.
    """
    document = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    entries = {name: (folder / name).read_bytes() for name in ("package.json", "README.md")}
    entries[LICENCE] = (root / LICENCE).read_bytes()
    for listed in document["files"]:
        path = folder / listed
        entries |= tree(path, f"{listed}/") if path.is_dir() else {listed: path.read_bytes()}
    content = _tarred({_NPM_FOLDER + name: content for name, content in entries.items()})
    return f"{document['name']}-{document['version']}.tgz", content


def _metadata(project: Mapping[str, Any]) -> Iterator[str]:
    yield f"Metadata-Version: {METADATA_VERSION}"
    yield f"Name: {project['name']}"
    yield f"Version: {project['version']}"
    yield f"Summary: {project['description']}"
    yield f"License-Expression: {project['license']}"
    yield f"License-File: {LICENCE}"
    yield f"Requires-Python: {project['requires-python']}"
    yield from (f"Requires-Dist: {needed}" for needed in project.get("dependencies", ()))
    for extra, needs in project.get("optional-dependencies", {}).items():
        yield f"Provides-Extra: {extra}"
        for needed in needs:
            distribution, _, marker = needed.partition(";")
            condition = f"({marker.strip()}) and " if marker else ""
            yield f'Requires-Dist: {distribution.strip()}; {condition}extra == "{extra}"'
    yield "Description-Content-Type: text/markdown"


def _digest(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _tarred(entries: Entries) -> bytes:
    """A gzipped tar: names sorted, one time, one mode, nobody's name, as `zipped` makes zips."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(entries):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(entries[name]), FILE_MODE & 0o777
            archive.addfile(info, io.BytesIO(entries[name]))
    return gzip.compress(buffer.getvalue(), compresslevel=6, mtime=0)
