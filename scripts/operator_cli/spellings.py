"""Other addresses under which a site may serve the same page: what `wr explain --aliases` prints and a deployment is
asked for. The gate's own readings know more; these are the ones people try."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

__all__ = ["spellings"]

SUFFIXES = (".json", ".html", ".rsc", ".data", "/index.html", "/__data.json", "/_payload.json")
PREFIXES = ("/index.php", "/_next/data/x", "/(S(a))", "/amp", "/en", "/page-data")


def spellings(path: str) -> list[str]:
    """Addresses like `path`, each once and without itself; those behind `/amp` or `/en` only a rule can guard."""
    return [each for each in dict.fromkeys(_spelled(path.rstrip("/") or "/")) if each != path]


def _spelled(path: str) -> Iterator[str]:
    folder, _, name = path.rpartition("/")
    yield from (path + suffix for suffix in SUFFIXES)
    yield from (prefix + path for prefix in PREFIXES)
    yield from (
        path + "/",
        f"/{path}",
        path + "%20",
        path + ".",
        path + "%C2%AD",
        path + ";jsessionid=1",
        path + "&x=1",
    )
    yield from (path.upper(), f"{folder}/%{ord(name[0]):02X}{name[1:]}" if name else path)
    yield path.replace("/", "%2F").replace("%2F", "/", 1)
    yield re.sub(r"\.[^/.]+\Z", "", path)
    # Many frameworks look for the number alone.
    yield re.sub(r"(?<=/)(\d+)-[^/]+", r"\1", path)
    yield re.sub(r"(?<=/)(\d+)(?=/|\Z)", r"\1-" + quote("title"), path)
