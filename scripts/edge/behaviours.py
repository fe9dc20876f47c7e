"""schemas/behaviours.json as the edge uses it: which path goes where, what is kept and for how long."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

LAYERS = 2
"""Edge location and regional edge cache, which keep an answer one after the other; Origin Shield is a third ("How
CloudFront delivers content" and "Use Amazon CloudFront Origin Shield", Amazon CloudFront Developer Guide)."""


@dataclass(frozen=True)
class CachePolicy:
    """Bounds of how long an answer is kept, in seconds; what the origin says applies within them."""

    min_ttl_sec: int
    default_ttl_sec: int
    max_ttl_sec: int
    layers: int = 1
    """Caches in a row that an answer passes through."""

    @property
    def disabled(self) -> bool:
        """Nothing is ever kept, so readers need not wait for each other either."""
        return self.max_ttl_sec == 0


@dataclass(frozen=True)
class Behaviour:
    """What happens to requests whose normalised path matches a pattern."""

    name: str
    pattern: re.Pattern[str]
    origin: str
    cache: CachePolicy
    gate: bool
    origin_secret: bool
    methods: frozenset[str]
    answer: int | None
    """Status the edge answers with itself, where no origin stands behind the pattern."""
    headers: Mapping[str, str]
    """What the edge sends with every answer, in place of what the origin says: for files of the bucket."""


@dataclass(frozen=True)
class Behaviours:
    """All behaviours, most important first."""

    prefix: str
    origin_secret_header: str
    viewer_host_header: str
    """Where the WebSocket API learns which host a viewer used: Host itself does not travel on."""
    forward: Mapping[str, str]
    """Per origin, which part of the viewer's request travels on: none, all_viewer, all_viewer_except_host,
    own_cookies."""
    own_cookies: tuple[re.Pattern[str], ...]
    """Names of the only cookies that travel on to an origin with `own_cookies`."""

    listed: tuple[Behaviour, ...]
    error_ttl_sec: Mapping[int, int]
    """How long the distribution keeps an error at least, by status: its custom error responses."""

    def match(self, path: str) -> Behaviour:
        """Return the first behaviour whose pattern matches a normalised path; the last one matches any."""
        return next(behaviour for behaviour in self.listed if behaviour.pattern.match(path))


def load(file: Path) -> Behaviours:
    """Read schemas/behaviours.json. Raises ValueError when its last pattern would let a path fall through."""
    document: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    caches = {name: CachePolicy(**policy) for name, policy in document["caches"].items()}
    entries, origins = document["behaviours"], document["origins"]
    files = document["headers"]["every"] | document["headers"]["file"]
    if entries[-1]["path_pattern"] != "*":
        raise ValueError(f"{file}: the last behaviour must have the pattern *")
    return Behaviours(
        prefix=document["prefix"],
        origin_secret_header=document["origin_secret_header"],
        viewer_host_header=document["viewer_host_header"],
        forward={name: origin["forward"] for name, origin in document["origins"].items()},
        own_cookies=tuple(_compiled(name) for name in document["own_cookies"]),
        listed=tuple(
            Behaviour(
                name=entry["name"],
                pattern=_compiled(entry["path_pattern"]),
                origin=entry["origin"],
                cache=replace(
                    caches[entry["cache"]],
                    layers=LAYERS + origins.get(entry["origin"], {}).get("origin_shield", False),
                ),
                gate=entry["gate"],
                origin_secret=entry["origin_secret"],
                methods=frozenset(entry["methods"]),
                answer=entry.get("answer"),
                headers=files if origins.get(entry["origin"], {}).get("kind") == "bucket" else {},
            )
            for entry in entries
        ),
        error_ttl_sec={int(status): ttl for status, ttl in document["error_caching_min_ttl_sec"].items()},
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of a path or of a cookie's name as CloudFront reads it: `*` any run of characters, `?` any one.

    Case counts.
    """
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(character, re.escape(character)) for character in pattern) + r"\Z", re.DOTALL)
