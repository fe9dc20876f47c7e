"""`python -m scripts.onsale`: see onsale/command.py."""

from __future__ import annotations

import sys

from scripts.onsale.command import main

sys.exit(main(sys.argv[1:]))
