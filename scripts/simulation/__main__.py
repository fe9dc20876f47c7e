"""`python -m scripts.simulation`: see simulation/command.py."""

from __future__ import annotations

import sys

from scripts.simulation.command import main

sys.exit(main(sys.argv[1:]))
