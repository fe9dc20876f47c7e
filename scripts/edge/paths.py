"""Path normalisation as CloudFront does it before it chooses a behaviour (RFC 3986, 6.2.2)."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normalised(raw_path: str) -> str:
    """Return the path used to choose a behaviour; the raw path is what travels on.

    Escapes of unreserved characters are decoded once, others are upper-cased, dot segments are removed. Nothing more:
    `%2F`, `//` and backslashes stay, because CloudFront leaves them too. The gate has to be stricter than this.
    """
    decoded = _ESCAPE.sub(_canonical_escape, raw_path)
    return _without_dot_segments(decoded)


def _canonical_escape(match: re.Match[str]) -> str:
    character = chr(int(match.group(1), 16))
    return character if character in _UNRESERVED else match.group(0).upper()


def _without_dot_segments(path: str) -> str:
    """Remove `.` and `..` segments (RFC 3986, 5.2.4); climbing above the root stays at the root."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
