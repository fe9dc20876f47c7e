"""The files the pages load: read from a folder, with the content type and cache lifetime each is stored with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from waiting_room.http.languages import TEXTS

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

# Names stay the same from release to release: five minutes spare a crowd's reloads, and an update is soon everywhere.
CACHE_CONTROL = "public, max-age=300, stale-while-revalidate=86400"

MODULES = (
    "alarm",
    "api",
    "clock",
    "departures",
    "doubt",
    "feed",
    "language",
    "line",
    "look",
    "move",
    "options",
    "pace",
    "push",
    "room",
    "shown",
    "spoken",
    "steady",
    "tabs",
    "turn",
    "view",
    "words",
)
"""The scripts of the waiting page, named so that the browser fetches them all at once: without it, it would find them
one after the other."""


class Asset(NamedTuple):
    """One file; `key_suffix` is its path below `.waiting-room/assets/`."""

    key_suffix: str
    body: bytes
    content_type: str
    cache_control: str


def site_assets(folder: Path) -> Iterator[Asset]:
    """What the pages load: the files of a folder, and the texts of every language below `texts/`."""
    yield from assets(folder)
    for asset in assets(TEXTS):
        yield asset._replace(key_suffix=f"texts/{asset.key_suffix}")


def assets(folder: Path) -> Iterator[Asset]:
    """Every file of a folder in order of name; raises ValueError for one whose kind is not known."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content_type = _CONTENT_TYPES.get(path.suffix)
        if content_type is None:
            raise ValueError(f"{path.name}: no content type is known for {path.suffix or 'files without an extension'}")
        yield Asset(path.relative_to(folder).as_posix(), path.read_bytes(), content_type, CACHE_CONTROL)
