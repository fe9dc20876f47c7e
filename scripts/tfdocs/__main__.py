"""`python -m scripts.tfdocs`: see tfdocs/command.py."""

from __future__ import annotations

import sys

from scripts.tfdocs.command import main

sys.exit(main(sys.argv[1:]))
