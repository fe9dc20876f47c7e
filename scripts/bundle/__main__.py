"""`python -m scripts.bundle`: see bundle/command.py."""

from __future__ import annotations

import sys

from scripts.bundle.command import main

sys.exit(main())
