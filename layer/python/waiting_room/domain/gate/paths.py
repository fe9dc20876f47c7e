"""Every way an origin may read a request path (PROTOCOL, Paths and rules).

A guard that reads a path one way while the site reads it another lets visitors past. So no single normal form is
chosen: each transformation some server makes is applied to each result of the others, in any order, until nothing
new comes. A zone is guarded if any of these readings lies in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

__all__ = ["BadPath", "fold", "readings"]

LONGEST_PATH = 8192
"""Characters; CloudFront takes no longer URL."""
DECODING_ROUNDS = 3
MOST_READINGS = 64
"""An honest path has fewer than ten; one with more is an attempt to wear the gate out."""

_PLAIN = re.compile(r"\A(?:/(?:[\w!$&'()*+,=:@~-](?:[\w!$&'()*+,=:@~.-]*[\w!$&'()*+,=:@~-])?))*/?\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_WIDE_ESCAPE = re.compile(r"%[uU]([0-9A-Fa-f]{4})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_SLASHES = re.compile(r"/{2,}")
_ENDS_IN_DOT = re.compile(r"[. ](?:/|\Z)")
_PARAMETERS = re.compile(r";[^/]*")


class BadPath(ValueError):
    """Raised when a path has no safe reading: bad UTF-8, control bytes, encoded more than three times, or too long."""


def readings(path: str) -> tuple[str, ...]:
    """All readings of a raw path, the path itself first. Raises BadPath."""
    if not path.startswith("/") or len(path) > LONGEST_PATH or not path.isascii():
        raise BadPath("The path must begin with '/', be ASCII and have 8,192 characters at most.")
    if _PLAIN.match(path):
        return (path,)
    rounds = {path: 0}
    queue = [path]
    for text in queue:
        _refuse_control(text)
        decoded = _decode(text)
        if decoded not in rounds:
            if rounds[text] == DECODING_ROUNDS:
                raise BadPath("The path is percent-encoded too often.")
            rounds[decoded] = rounds[text] + 1
            queue.append(decoded)
        for step in _STEPS:
            result = step(text)
            if result not in rounds:
                rounds[result] = rounds[text]
                queue.append(result)
        if len(queue) > MOST_READINGS:
            raise BadPath("The path can be read in too many ways.")
    return tuple(queue)


def fold(text: str) -> str:
    """Text for comparing without regard to case, in the widest sense any server compares."""
    return text.lower() if text.isascii() else text.upper().casefold()


def _refuse_control(text: str) -> None:
    if _CONTROL.search(text):
        raise BadPath("The path has control characters.")


def _decode(text: str) -> str:
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise BadPath("The path is not valid UTF-8.") from None


def _decode_unreserved(text: str) -> str:
    """What RFC 3986 (6.2.2.2) allows at any time: `%2e` is a dot for a server that still takes `%2F` as no slash."""
    return _ESCAPE.sub(_unreserved, text) if "%" in text else text


def _unreserved(escape: re.Match[str]) -> str:
    character = chr(int(escape.group(1), 16))
    return character if _UNRESERVED.match(character) else escape.group(0)


def _decode_wide(text: str) -> str:
    """`%u002f`, as some older servers read it. A surrogate half stays as it is."""
    if "%" not in text:
        return text
    return _WIDE_ESCAPE.sub(lambda escape: _character(escape.group(1)) or escape.group(0), text)


def _character(digits: str) -> str:
    code = int(digits, 16)
    return "" if 0xD800 <= code <= 0xDFFF else chr(code)


def _forward_slashes(text: str) -> str:
    return text.replace("\\", "/")


def _without_parameters(text: str) -> str:
    return _PARAMETERS.sub("", text)


def _until_query(text: str) -> str:
    """The path up to a `?` or `#` that was hidden by encoding."""
    return re.split(r"[?#]", text, maxsplit=1)[0]


def _single_slashes(text: str) -> str:
    return _SLASHES.sub("/", text)


def _without_dots(text: str) -> str:
    """RFC 3986, 5.2.4: `.` and `..` resolved; climbing above the root stays at the root."""
    if "/." not in text:
        return text
    kept: list[str] = []
    segments = text.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _without_blanks(text: str) -> str:
    """Segments without the blanks at their end, so that `.. ` is `..`."""
    return "/".join(segment.rstrip(" ") for segment in text.split("/")) if " " in text else text


def _without_trailing_dots(text: str) -> str:
    """Segments without the dots and blanks at their end, which file systems of Windows ignore."""
    if not _ENDS_IN_DOT.search(text):
        return text
    segments = text.split("/")
    return "/".join(segment if segment in (".", "..") else segment.rstrip(". ") for segment in segments)


def _compatible(text: str) -> str:
    """Composed and compatible forms made one, as file systems and frameworks do with Unicode names."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


_STEPS: tuple[Callable[[str], str], ...] = (
    _decode_unreserved,
    _decode_wide,
    _forward_slashes,
    _without_parameters,
    _until_query,
    _single_slashes,
    _without_dots,
    _without_blanks,
    _without_trailing_dots,
    _compatible,
)
