"""How servers that stand behind the gate read a raw path: written on their own, without a line of the gate's code."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

Origin = Callable[[str], str]


def _dots(path: str) -> str:
    """Resolve dot segments the way POSIX does, `//` collapsed."""
    return posixpath.normpath("/" + path.lstrip("/"))


def literal(path: str) -> str:
    """A router that matches the path byte for byte."""
    return path


def decoding(path: str) -> str:
    """A framework that decodes once and matches what it gets (WSGI, most Python and Ruby frameworks)."""
    return unquote(path)


def reverse_proxy(path: str) -> str:
    """Decode once, merge slashes, resolve dots (nginx)."""
    return _dots(unquote(path))


def proxy_before_framework(path: str) -> str:
    """A proxy that decodes and forwards decoded, before a framework that decodes again."""
    return unquote(_dots(unquote(path)))


def servlet_container(path: str) -> str:
    """Cut `;parameters` of every segment, then decode, then resolve dots (Tomcat, Jetty)."""
    return _dots(unquote(re.sub(r";[^/]*", "", path)))


def lenient_servlet_container(path: str) -> str:
    """The same with the parameters cut after decoding."""
    return _dots(re.sub(r";[^/]*", "", unquote(path)))


def windows_server(path: str) -> str:
    """Backslashes are slashes, case does not matter, dots and blanks at the end of a name are dropped (IIS)."""
    segments = unquote(path).replace("\\", "/").split("/")
    return _dots("/".join(part if set(part) <= {"."} else part.rstrip(". ") for part in segments)).lower()


def url_parser(path: str) -> str:
    """A program that resolves `.` and `%2e` segments but decodes nothing else (WHATWG URL, as in Node)."""
    escaped = re.sub(r"%2e", ".", path.replace("\\", "/"), flags=re.IGNORECASE)
    kept: list[str] = []
    for segment in escaped.split("/")[1:]:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


def url_parser_then_decoding(path: str) -> str:
    """The same before a router that decodes."""
    return unquote(url_parser(path))


def absolute_url_parser(path: str) -> str:
    """A program that joins base and path and lets a parser take the path out again, decoded query sign and all."""
    return urlsplit("https://origin.example" + unquote(path)).path


ORIGINS: tuple[Origin, ...] = (
    literal,
    decoding,
    reverse_proxy,
    proxy_before_framework,
    servlet_container,
    lenient_servlet_container,
    windows_server,
    url_parser,
    url_parser_then_decoding,
    absolute_url_parser,
)


def serves(origin: Origin, raw_path: str, guarded_path: str) -> bool:
    """Whether an origin would show something at or below a path, given what the gate forwards."""
    try:
        path = origin(raw_path)
    except ValueError:
        return False
    return path == guarded_path or path.startswith(guarded_path + "/")
