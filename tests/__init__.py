"""Tests leave nothing in the folders of whoever runs them."""

import os
from pathlib import Path

os.environ["XDG_STATE_HOME"] = str(Path(__file__).resolve().parents[1] / "build" / "tests")
