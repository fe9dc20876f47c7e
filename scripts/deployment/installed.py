"""Which version this is, and what its extras need: from the checkout's pyproject.toml, or from what was installed."""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
from typing import Any

from .places import IN_CHECKOUT, ROOT

DISTRIBUTION = "foyer-waiting-room"


def version() -> str:
    """The version, as `1.2.3`."""
    return str(_project()["version"]) if IN_CHECKOUT else importlib.metadata.version(DISTRIBUTION)


def requirements(extra: str) -> list[str]:
    """What an extra needs, as pip takes it (`duckdb>=1.3,<2`)."""
    if IN_CHECKOUT:
        return list(_project()["optional-dependencies"][extra])
    told = (requirement.partition(";") for requirement in importlib.metadata.requires(DISTRIBUTION) or ())
    return [needed.strip() for needed, _, condition in told if f'extra == "{extra}"' in condition]


def how_to_get(extra: str) -> str:
    """The command that installs what an extra needs for this very Python."""
    needed = " ".join(f"'{requirement}'" for requirement in requirements(extra))
    if "pipx" in sys.prefix:
        return f"pipx inject {DISTRIBUTION} {needed}"
    return f"{sys.executable} -m pip install {needed}"


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project
