"""What the edge and the site's servers share, kept from one start to the next."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foyer_origin import ORIGIN_SECRET_HEADER

LEAST_KEY = 32
EDGE = "origin_secret"


@dataclass(frozen=True)
class Keys:
    """What the edge and the site's servers share: good for this machine and nothing else."""

    origin_secret: str = field(repr=False)
    site_keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def site_headers(self) -> dict[str, str]:
        """What the edge sends to the site with every request."""
        return {ORIGIN_SECRET_HEADER: self.origin_secret}


def kept_keys(zone_ids: list[str], file: Path) -> Keys:
    """The keys in a file, with new ones for zones it does not know: a site need not be told others after each start."""
    kept: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError, AttributeError):
        told = json.loads(file.read_text(encoding="utf-8")).items()
        kept = {name: key for name, key in told if isinstance(key, str) and len(key) >= LEAST_KEY}
    # No zone's id has an underscore.
    for name in (EDGE, *zone_ids):
        kept.setdefault(name, secrets.token_urlsafe(LEAST_KEY))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return Keys(kept[EDGE], {name: key for name, key in kept.items() if name != EDGE})
