"""Every way an origin may read a request path (PROTOCOL, Paths and rules).

A guard that reads a path one way while the site reads it another lets visitors past. So no single normal form is
chosen: each transformation some server makes is applied to each result of the others, in any order, until nothing
new comes. A zone is guarded if any of these readings lies in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote_to_bytes

__all__ = ["BadPath", "fold", "readings"]

LONGEST_PATH = 8192
"""Characters; CloudFront takes no longer URL."""
DECODING_ROUNDS = 3
MOST_READINGS = 32
"""An honest path has fewer than ten; one with more is an attempt to wear the gate out."""
READING_BUDGET = 2048
"""Characters of all readings together, a `%` or `/` for three: every step of reading looks at each of them."""

REMEMBERED = 10_000
"""Characters of which it is remembered what they are compared as."""

_ODD = re.compile(r"[^\w!$')*,=:@~./-]", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOT_UNRESERVED = re.compile(r"%(?!2[DdEe]|3\d|[46][1-9A-Fa-f]|5[\dAaFf]|7[\dAaEe])")
_WIDE_ESCAPE = re.compile(r"%[uU]([0-9A-Fa-f]{4})")
_SLASHES = re.compile(r"/{2,}")
_BLANKS_AT_END = re.compile(r"(?<! ) +(?=/|\Z)")
_DOTS_AT_END = re.compile(r"(?<=[^/. ])[. ]+(?=/|\Z)")
_ONLY_DOTS = re.compile(r"(?<=/)(?!\.{1,2}(?:/|\Z))[. ]+(?=/|\Z)")
_PARAMETERS = re.compile(r";[^/]*")
_SESSION_SEGMENT = re.compile(r"\((?:[A-Za-z]\([^()/]*\))+\)")
_SESSION_AND_SLASH = re.compile("/" + _SESSION_SEGMENT.pattern)
_SCRIPT_SEGMENT = re.compile(r"/[^/]+\.(?:php\d?|phtml|f?cgi|pl|py|rb|aspx?|ashx|cfm|jspx?|do|dll)(?=/)", re.IGNORECASE)
_SCRIPT_SUFFIX = re.compile(r"\.(?:php\d?|phtml|f?cgi|pl|py|rb|aspx?|ashx|cfm|jspx?|do|dll)(?=/)", re.IGNORECASE)
_DATA_ROUTE = re.compile(r"/_next/data/[^/]*(?=/)|/page-data(?=/)", re.IGNORECASE)


class BadPath(ValueError):
    """Raised when a path has no safe reading: bad UTF-8, control bytes, encoded more than three times, or too long."""


@lru_cache(maxsize=16)
def readings(path: str) -> tuple[str, ...]:
    """All readings of a raw path, the path itself first. Raises BadPath."""
    if not path.startswith("/") or len(path) > LONGEST_PATH or not path.isascii():
        raise BadPath("The path must begin with '/', be ASCII and have 8,192 characters at most.")
    if _is_plain(path):
        return (path,)
    rounds = {path: 0}
    queue = [path]
    left = READING_BUDGET
    for text in queue:
        left -= len(text) + 2 * (text.count("%") + text.count("/"))
        if left < 0 or len(queue) > MOST_READINGS:
            raise BadPath("The path can be read in too many ways.")
        if _CONTROL.search(text):
            raise BadPath("The path has control characters.")
        decoded = _decode(text)
        if decoded not in rounds:
            if rounds[text] == DECODING_ROUNDS:
                raise BadPath("The path is percent-encoded too often.")
            rounds[decoded] = rounds[text] + 1
            queue.append(decoded)
        for result in _read_otherwise(text):
            if result not in rounds:
                rounds[result] = rounds[text]
                queue.append(result)
    return tuple(queue)


def fold(text: str) -> str:
    """Text for comparing without regard to case and accents, in the widest sense any server or database compares."""
    return text.lower() if text.isascii() else _bare(text).upper().casefold()


def _is_plain(path: str) -> bool:
    """Whether no step changes a path; nothing here takes longer than one look at it."""
    if _ODD.search(path) or "//" in path or "/." in path or "./" in path or path.endswith("."):
        return False
    return not (_SCRIPT_SUFFIX.search(path) or _DATA_ROUTE.search(path))


def _read_otherwise(text: str) -> list[str]:
    steps = [step for mark, step in _STEPS if mark in text]
    if not text.isascii():
        steps += _STEPS_BEYOND_ASCII
    return [step(text) for step in steps]


def _decode(text: str) -> str:
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise BadPath("The path is not valid UTF-8.") from None


def _decode_unreserved(text: str) -> str:
    """What RFC 3986 (6.2.2.2) allows at any time: `%2e` is a dot for a server that still takes `%2F` as no slash."""
    return unquote_to_bytes(_NOT_UNRESERVED.sub("%25", text)).decode("utf-8")


def _decode_wide(text: str) -> str:
    """`%u002f`, as some older servers read it. A surrogate half stays as it is."""
    return _WIDE_ESCAPE.sub(lambda escape: _character(escape.group(1)) or escape.group(0), text)


def _character(digits: str) -> str:
    code = int(digits, 16)
    return "" if 0xD800 <= code <= 0xDFFF else chr(code)


def _forward_slashes(text: str) -> str:
    return text.replace("\\", "/")


def _without_parameters(text: str) -> str:
    return _PARAMETERS.sub("", text)


def _until_query(text: str) -> str:
    """The path up to a hidden `?`."""
    return text.partition("?")[0]


def _until_fragment(text: str) -> str:
    return text.partition("#")[0]


def _until_parameter(text: str) -> str:
    """The path up to an `&`, which a rule like `index.php?q=$1` makes the next parameter."""
    return text.partition("&")[0]


def _plus_as_blank(text: str) -> str:
    """What decodes a path as if it were a form."""
    return text.replace("+", " ")


def _without_session(text: str) -> str:
    """`(S(...))`, the session ASP.NET keeps in the path."""
    return _SESSION_SEGMENT.sub("", text)


def _without_session_segment(text: str) -> str:
    """The same with the slash before it: `/b/(S(x))in` is `/bin` for ASP.NET."""
    return "/" + _SESSION_AND_SLASH.sub("", text).removeprefix("/")


def _without_script(text: str) -> str:
    """What a front controller serves: `/index.php/events` is `/events`."""
    return _SCRIPT_SEGMENT.sub("", text) if _SCRIPT_SUFFIX.search(text) else text


def _without_script_suffix(text: str) -> str:
    """Where names are found without their suffix, `/events.php/x` is `/events/x`."""
    return _SCRIPT_SUFFIX.sub("", text)


def _page_of_data(text: str) -> str:
    """The page whose data it is: `/_next/data/BUILD/x.json` (Next.js), `/page-data/x/page-data.json` (Gatsby)."""
    return _DATA_ROUTE.sub("", text)


def _single_slashes(text: str) -> str:
    return _SLASHES.sub("/", text)


def _without_dots(text: str) -> str:
    """RFC 3986, 5.2.4: `.` and `..` resolved; climbing above the root stays at the root."""
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
    return _BLANKS_AT_END.sub("", text)


def _without_trailing_dots(text: str) -> str:
    """Segments without the dots and blanks at their end, which file systems of Windows ignore."""
    return _ONLY_DOTS.sub("", _DOTS_AT_END.sub("", text))


def _compatible(text: str) -> str:
    """Composed and compatible forms made one, as file systems and frameworks do with Unicode names."""
    return unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=64)
def _bare(text: str) -> str:
    """Without accents and what is not seen, as databases compare, and with the nearest ASCII of the rest."""
    return unicodedata.normalize("NFKD", text).translate(_NEAREST)


class _Nearest(dict[int, str]):
    """What a character is compared as, by its code; found once for each."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character.isascii():
            near = character
        elif category in ("Mn", "Mc", "Me", "Cf"):
            near = ""
        elif category == "Nd":
            near = str(unicodedata.decimal(character))
        else:
            near = {"Pd": "-", "Zs": " "}.get(category, character)
        if len(self) < REMEMBERED:
            self[code] = near
        return near


_NEAREST = _Nearest({0x2044: "/", 0x2215: "/", 0x2216: "\\", 0x115F: "", 0x1160: "", 0x3164: "", 0xFFA0: ""})
"""Slashes as Windows maps them to a code page, and the Hangul fillers, which Unicode calls ignorable."""
_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("%", _decode_unreserved),
    ("%", _decode_wide),
    ("\\", _forward_slashes),
    (";", _without_parameters),
    ("?", _until_query),
    ("#", _until_fragment),
    ("&", _until_parameter),
    ("+", _plus_as_blank),
    ("//", _single_slashes),
    ("/.", _without_dots),
    (" ", _without_blanks),
    (".", _without_trailing_dots),
    (" ", _without_trailing_dots),
    ("(", _without_session),
    ("/(", _without_session_segment),
    (".", _without_script),
    (".", _without_script_suffix),
    ("/_", _page_of_data),
    ("/p", _page_of_data),
    ("/P", _page_of_data),
)
"""Each step, and what a text has that it changes."""
_STEPS_BEYOND_ASCII = (_compatible, _bare)
