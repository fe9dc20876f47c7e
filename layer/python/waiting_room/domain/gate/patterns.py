"""Path patterns of rules, and how a reading of a path is compared with them.

What a pattern guards it guards as the same page under every name frameworks give it: `/a` is `/a.json` too, `=/a` is
`/a/index.html`, `/a/12` is `/a/012-title`. What a pattern excludes it excludes to the letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import unquote_to_bytes

from waiting_room.domain.gate.paths import fold

__all__ = ["BadRule", "Pattern", "Reading"]

_UNCLEAR = re.compile(r"//|/\.{1,2}(?:/|\Z)|[\x00-\x1f\x7f-\x9f\\;?#]")
_PAGES = ("index", "default", "_payload", "__data", "_root", "__next", "page-data")
"""What frameworks call a directory's own document."""
_SAME_PAGE = re.compile(rf"(?:\.[^/]*)?(?:/(?:{'|'.join(_PAGES)})(?=[./]|\Z))?(?:\.[^/]*)?/*\Z", re.IGNORECASE)
"""What may follow a page's path without leading elsewhere: a directory's own document, a suffix, slashes."""
_HAS_NUMBER = re.compile(r"/[0-9]+(?=/|\Z)")
_NUMBER = re.compile(r"/[+ ]*0*([0-9]+)(?:[^0-9/][^/]*)?")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])_+(?=[0-9])")
MOST_NUMBERS = 32
"""Segments of a path that are read as numbers; no rule has as many."""


class BadRule(ValueError):
    """Raised when a rule cannot be understood; the message names its part."""


@dataclass
class Reading:
    """One reading of a request path, as it is and folded for comparing without regard to case."""

    path: str
    folded: str

    @classmethod
    def of(cls, path: str) -> Reading:
        """Fold a path once for all rules."""
        return cls(path, fold(path))

    @cached_property
    def numbered(self) -> Reading:
        """With each segment that begins with a number as that number, which is all many frameworks look for."""
        path = _numbers(self.path)
        return Reading(path, path if self.folded == self.path else _numbers(self.folded))

    @cached_property
    def stem(self) -> Reading:
        """Without a suffix at its end, and without a directory's own document."""
        return Reading(_stem(self.path), _stem(self.folded))


@dataclass(frozen=True)
class Pattern:
    """`/a` guards /a and all below; `=/a` guards only /a; `/a/*.x` is a glob whose `*` takes anything, `/` too.

    `stem` is the page of a pattern that names a document; `numbered` the pattern for readings with bare numbers, of one
    that has a number.
    """

    kind: str
    parts: tuple[str, ...]
    ignore_case: bool
    stem: str
    numbered: Pattern | None = None

    @classmethod
    def parse(cls, text: object, ignore_case: bool) -> Pattern:
        """Read a pattern. Its text is compared decoded, as readings are. Raises BadRule."""
        if not isinstance(text, str):
            raise BadRule("A path pattern must be text.")
        kind = "exact" if text.startswith("=") else "glob" if "*" in text else "prefix"
        path = _plain(text.removeprefix("="))
        if kind != "glob":
            path = path.rstrip("/")
        if ignore_case:
            path = fold(path)
        parts = tuple(path.split("*")) if kind == "glob" else (path,)
        pattern = cls(kind, parts, ignore_case, _stem(path))
        if not _HAS_NUMBER.search(path):
            return pattern
        bare = parts if kind == "glob" else (_numbers(path),)
        return replace(pattern, numbered=cls(kind, bare, ignore_case, _stem(bare[0])))

    @property
    def specificity(self) -> tuple[int, bool]:
        """Characters a path must begin with, and whether it may not go on."""
        return len(self.parts[0]), self.kind == "exact"

    @property
    def beginnings(self) -> set[str]:
        """What a path begins with, as it is, folded or with bare numbers, that this pattern may guard."""
        bare = set() if self.numbered is None else self.numbered.beginnings
        return {self.parts[0], self.stem} | bare

    def guards(self, reading: Reading) -> bool:
        """Whether a reading is a page this pattern names, or lies below it."""
        return self._guards(reading) or (self.numbered is not None and self.numbered._guards(reading.numbered))

    def excludes(self, reading: Reading) -> bool:
        """Whether a reading fits to the letter. A slash at the end makes no difference: servers often ignore it."""
        path = self._path(reading)
        if self.kind == "glob":
            return any(_glob(self.parts, text) for text in (path, path + "/", path.rstrip("/")))
        (wanted,) = self.parts
        if self.kind == "exact":
            return path.rstrip("/") == wanted
        return path.startswith(wanted) and path[len(wanted) : len(wanted) + 1] in ("", "/")

    def _guards(self, reading: Reading) -> bool:
        path = self._path(reading)
        if self.kind == "glob":
            return self.excludes(reading) or _glob(self.parts, self._path(reading.stem))
        (wanted,) = self.parts
        if path.startswith(wanted):
            if self.kind == "exact":
                return _SAME_PAGE.match(path, len(wanted)) is not None
            return path[len(wanted) : len(wanted) + 1] in ("", "/", ".")
        return path.rstrip("/") == self.stem

    def _path(self, reading: Reading) -> str:
        return reading.folded if self.ignore_case else reading.path


def _numbers(path: str) -> str:
    """`12-title`, `012`, `+12` and `1_2` as 12."""
    return _NUMBER.sub(r"/\1", _BETWEEN_DIGITS.sub("", path), count=MOST_NUMBERS)


def _stem(path: str) -> str:
    path = path.rstrip("/")
    folder, _, document = path.rpartition("/")
    name = document.partition(".")[0]
    if name.lower() in _PAGES:
        return folder
    return f"{folder}/{name}" if name else path


def _plain(path: str) -> str:
    """A pattern's path decoded and composed as the last of a request's readings is. Raises BadRule."""
    try:
        decoded = unicodedata.normalize("NFKC", unquote_to_bytes(path).decode("utf-8"))
    except UnicodeError:
        raise BadRule(f"The path pattern {path!r} is not valid UTF-8.") from None
    if not decoded.startswith("/") or _UNCLEAR.search(decoded):
        raise BadRule(
            f"The path pattern {path!r} must begin with '/' and have no '//', '/./', '/../', backslash, ';', '?', '#' "
            "or control characters: servers differ about what they mean."
        )
    return decoded


def _glob(parts: Sequence[str], path: str) -> bool:
    """Match literal parts in order, anything between them; linear in the path, unlike a regular expression."""
    first, last = parts[0], parts[-1]
    if not path.startswith(first) or len(path) < len(first) + len(last) or not path.endswith(last):
        return False
    at, end = len(first), len(path) - len(last)
    for part in parts[1:-1]:
        found = path.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
