"""How browsers say that they ask on a guess, before anybody has decided to come.

`Sec-Purpose: prefetch` or `prefetch;prerender` (Fetch, "Sec-Purpose header"; HTML, "Speculative loading"), and what
came before it: `Purpose` and `X-Purpose` (Chromium, WebKit), `X-Moz` (Gecko). What is not answered with a success is
thrown away, and asked for again when somebody follows the link (web-platform-tests,
speculation-rules/prefetch/prefetch-status.https.html and prerender/response-code-non-successful.https.html).
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["PREFETCH_HEADERS", "is_prefetch"]

PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_WORDS = ("prefetch", "prerender", "preview")


def is_prefetch(values: Iterable[str]) -> bool:
    """Whether any of these values of PREFETCH_HEADERS says so."""
    told = " ".join(values).lower()
    return any(word in told for word in _WORDS)
