"""The demo's origin: a made-up concert hall that knows nothing of the waiting room but the package `foyer_origin`."""

import sys
from pathlib import Path

# A site of your own has it installed; here it lies beside.
sys.path.append(str(Path(__file__).resolve().parents[1] / "origin" / "python"))
