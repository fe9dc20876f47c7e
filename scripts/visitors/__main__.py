"""`python -m scripts.visitors`: see visitors/command.py."""

from __future__ import annotations

import sys

from scripts.visitors.command import main

sys.exit(main(sys.argv[1:]))
