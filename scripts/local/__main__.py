"""`python -m scripts.local`: see local/command.py."""

from __future__ import annotations

import sys

from scripts.local.command import main

sys.exit(main())
