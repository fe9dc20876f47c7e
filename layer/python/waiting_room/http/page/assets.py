"""The files the pages load: read from a folder, with the content type and cache lifetime each is stored with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from waiting_room.domain.locations import PREFIX
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.bundle import bundled_script, bundled_style
from waiting_room.http.page.languages import TEXTS

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
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


_EMBEDDED = ("favicon.svg", "picture.svg")
"""Pictures that are a part of the waiting page: a kilobyte more in it costs less than a request for each visitor."""
_SAFE = " =:/,;()-._~!*'"
"""What a data URL keeps as it is: nothing that ends an attribute, a script block or the URL."""


class Asset(NamedTuple):
    """One file; `key_suffix` is its path below `.waiting-room/assets/`."""

    key_suffix: str
    body: bytes
    content_type: str
    cache_control: str


_Bundler = Callable[[Mapping[str, str], str], str]

_BUNDLES: dict[str, tuple[str, _Bundler]] = {
    ".js": ("waiting.js", bundled_script),
    ".css": ("waiting.css", bundled_style),
}
"""Kinds of files that become one file: its name, which is that of the file it starts with, and how."""

_APART = {"foyer.js"}
"""Scripts that sites load into their own pages, each by itself."""


def site_assets(folder: Path) -> Iterator[Asset]:
    """What the pages load: the files of a folder, and the texts of every language below `texts/`."""
    yield from assets(folder)
    for asset in assets(TEXTS):
        yield asset._replace(key_suffix=f"texts/{asset.key_suffix}")


def assets(folder: Path) -> Iterator[Asset]:
    """What the pages load, in order of name: scripts and styles as one file each, every other file as it is.

    Folders are pages of their own: nothing in them is put together; neither is what sites load by itself.

    Raises ValueError for a file whose kind is not known, and for scripts that cannot be put into one file.
    """
    found = {file.key_suffix: file for file in files(folder)}
    for kind, (entry, bundled) in _BUNDLES.items():
        parts = {name: found.pop(name) for name in list(found) if name.endswith(kind) and _is_part(name)}
        if parts:
            text = bundled({name: part.body.decode() for name, part in parts.items()}, entry)
            found[entry] = Asset(entry, text.encode(), _CONTENT_TYPES[kind], CACHE_CONTROL)
    yield from (found[name] for name in sorted(found))


def embedded(page: Callable[[Zone], str], folder: Path) -> Callable[[Zone], str]:
    """The waiting page with its own small pictures in it, in place of their addresses."""
    pictures = {f"{PREFIX}/assets/{name}": _data_url((folder / name).read_text(encoding="utf-8")) for name in _EMBEDDED}

    def filled(zone: Zone) -> str:
        text = page(zone)
        for address, picture in pictures.items():
            text = text.replace(address, picture)
        return text

    return filled


def _data_url(svg: str) -> str:
    return f"data:image/svg+xml,{quote(svg.strip(), safe=_SAFE)}"


def _is_part(name: str) -> bool:
    return "/" not in name and name not in _APART


def files(folder: Path) -> Iterator[Asset]:
    """Every file of a folder as it was written; raises ValueError for one whose kind is not known."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content_type = _CONTENT_TYPES.get(path.suffix)
        if content_type is None:
            raise ValueError(f"{path.name}: no content type is known for {path.suffix or 'files without an extension'}")
        yield Asset(path.relative_to(folder).as_posix(), path.read_bytes(), content_type, CACHE_CONTROL)
