"""What `pip install .` and `uvx --from . wr` build with (PEP 517): the wheel that `make build` makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.bundle.archive import write
from scripts.bundle.contents import command_line

ROOT = Path(__file__).resolve().parents[2]


class UnsupportedOperation(Exception):
    """Raised for what is not built here; the name is PEP 517's."""


def build_wheel(wheel_directory: str, _settings: Any = None, _metadata_directory: str | None = None) -> str:
    """Write the wheel of `wr` into a directory and return the name of its file."""
    name, content = command_line(ROOT)
    write(Path(wheel_directory) / name, content)
    return name


def build_sdist(_sdist_directory: str, _settings: Any = None) -> str:
    """Refuse: the source is the repository."""
    raise UnsupportedOperation("there is no source distribution: build the wheel from a checkout")
