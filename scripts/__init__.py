"""Foyer's tools, run as `python -m scripts.NAME` from the root of a checkout; each says with --help what it does."""

from __future__ import annotations

import sys
from pathlib import Path

_LAYER = str(Path(__file__).resolve().parents[1] / "layer" / "python")
# In a checkout the product lies beside the tools; where both are installed it is on the path already.
if Path(_LAYER).is_dir() and _LAYER not in sys.path:
    sys.path.insert(0, _LAYER)
