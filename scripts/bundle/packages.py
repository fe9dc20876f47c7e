"""Packages for others to install: Python wheels and npm tarballs, written here so that the same files give the same
bytes with nothing but Python. An npm package is a tar of the folder `package/`.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tomllib
from pathlib import Path

from scripts.bundle.archive import FILE_MODE, Entries, tree
from scripts.bundle.wheel import wheel

LICENCE = "LICENSE"
_NPM_FOLDER = "package/"


def python_package(root: Path, folder: Path) -> tuple[str, bytes]:
    """The name and the bytes of the wheel of a folder with a pyproject.toml and one package.

    Raises FileNotFoundError, and KeyError for a pyproject.toml without what a wheel needs.
    """
    document = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    module = str(document["project"]["name"]).replace("-", "_")
    return wheel(document["project"], folder, tree(folder / module, f"{module}/"), root / LICENCE)


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


def _tarred(entries: Entries) -> bytes:
    """A gzipped tar: names sorted, one time, one mode, nobody's name, as `zipped` makes zips."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(entries):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(entries[name]), FILE_MODE & 0o777
            archive.addfile(info, io.BytesIO(entries[name]))
    return gzip.compress(buffer.getvalue(), compresslevel=6, mtime=0)
