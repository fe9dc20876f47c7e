"""Third-party packages as archive entries: from pinned wheels of another platform, or from this interpreter."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Collection
from pathlib import Path

PYTHON_VERSION = "3.13"
"""The Lambda runtime; schemas/functions.json names the same."""

PLATFORMS = {
    "arm64": ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"),
    "x86_64": ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"),
}
"""Wheel tags that run on Amazon Linux 2023 (glibc 2.34), by Lambda's name of the architecture."""

_RECORDS = ("/RECORD", "/INSTALLER", "/REQUESTED", "/direct_url.json", "/RECORD.jws", "/RECORD.p7s")
"""What installers write about themselves; nothing reads it at run time."""


class DownloadFailed(Exception):
    """Raised when pip cannot get the pinned wheels; the text is pip's."""


def download(lock: Path, architecture: str, cache: Path) -> list[Path]:
    """Return the wheels of a lock file for one architecture, sorted; hashes are checked.

    They are kept in `cache` and fetched again only when the lock file changes. Raises DownloadFailed.
    """
    wanted = hashlib.sha256(lock.read_bytes() + repr(PLATFORMS[architecture]).encode()).hexdigest()[:16]
    folder = cache / f"{architecture}-{wanted}"
    if not folder.is_dir():
        scratch = folder.with_suffix(".part")
        shutil.rmtree(scratch, ignore_errors=True)
        platforms = [argument for tag in PLATFORMS[architecture] for argument in ("--platform", tag)]
        target = ["--implementation", "cp", "--python-version", PYTHON_VERSION, *platforms, "--dest", str(scratch)]
        checks = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement", str(lock)]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command = [*pip, *target, *checks]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
        if finished.returncode != 0:
            raise DownloadFailed(f"The wheels for {architecture} could not be fetched:\n{finished.stderr.strip()}")
        scratch.rename(folder)
    return sorted(folder.glob("*.whl"))


def unpacked(wheels: Collection[Path], only: Collection[str] | None = None) -> dict[str, bytes]:
    """Return the files of wheels as they lie in site-packages; `only` keeps distributions by normalised name."""
    entries: dict[str, bytes] = {}
    for wheel in wheels:
        if only is not None and normalised(wheel.name.split("-")[0]) not in only:
            continue
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                place = _place(name)
                if place is not None:
                    entries[place] = archive.read(name)
    return entries


def installed(names: Collection[str]) -> dict[str, bytes]:
    """Return the files of distributions installed for this interpreter, the same way."""
    entries: dict[str, bytes] = {}
    for name in names:
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or []:
            place = _place(file.as_posix())
            path = Path(str(distribution.locate_file(file)))
            if place is not None and path.is_file():
                entries[place] = path.read_bytes()
    return entries


def normalised(name: str) -> str:
    """Return a distribution's name in its one spelling (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _place(name: str) -> str | None:
    """Return where a file of a wheel belongs, or None when it is not needed to run."""
    if name.endswith("/") or name.startswith("../") or name.endswith(".pyc"):
        return None
    if ".dist-info/" in name and name.endswith(_RECORDS):
        return None
    data, separator, inside = name.partition(".data/")
    if separator and "/" not in data:
        kind, _, rest = inside.partition("/")
        return rest if kind in ("purelib", "platlib") else None
    return name
