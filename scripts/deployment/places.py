"""Where things lie on this machine: in a checkout, or beside the modules that a wheel brought."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
"""`scripts` in a checkout, `foyer_wr` where the wheel is installed."""
ROOT = PACKAGE.parent
IN_CHECKOUT = (ROOT / "pyproject.toml").is_file()

PAGE_ASSETS = ROOT / "lambdas/publisher/site/assets" if IN_CHECKOUT else PACKAGE / "page_assets"
"""What the waiting page loads."""


def user_folder() -> Path:
    """Where this user's tools leave what others of them look for; not made here."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "foyer"


def own_folder() -> Path:
    """Where the tools write of their own accord: a checkout's build/, else the user's folder; not made here."""
    return ROOT / "build" if IN_CHECKOUT else user_folder()
