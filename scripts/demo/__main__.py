"""`python -m scripts.demo`: see demo/command.py."""

from __future__ import annotations

import sys

from scripts.demo.command import main

sys.exit(main(sys.argv[1:]))
