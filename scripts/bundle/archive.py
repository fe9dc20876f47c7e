"""Zip files that come out byte for byte the same whenever their content is the same."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

Entries = Mapping[str, bytes]
"""Files of an archive: path inside it, with forward slashes, to content."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""

FILE_MODE = 0o100644
_UNIX = 3


def zipped(entries: Entries) -> bytes:
    """Return a zip: names sorted, one time, one mode, whatever the files on disk had."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = _UNIX
            info.external_attr = FILE_MODE << 16
            archive.writestr(info, entries[name], compresslevel=6)
    return buffer.getvalue()


def tree(root: Path, prefix: str = "") -> dict[str, bytes]:
    """Return the files below a directory, without what Python and editors leave behind."""
    entries: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and not any(_left_behind(part) for part in inside.parts):
            entries[prefix + inside.as_posix()] = path.read_bytes()
    return entries


def write(target: Path, content: bytes) -> bool:
    """Write a file at once or not at all; a file that already has this content is left alone. Return if it changed."""
    if target.is_file() and target.read_bytes() == content:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    scratch.write_bytes(content)
    scratch.replace(target)
    return True


def _left_behind(part: str) -> bool:
    return part == "__pycache__" or part.endswith((".pyc", "~")) or part.startswith(".")
