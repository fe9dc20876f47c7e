"""`python -m scripts.costs`: see costs/command.py."""

from __future__ import annotations

import sys

from scripts.costs.command import main

sys.exit(main(sys.argv[1:]))
