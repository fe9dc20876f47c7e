"""What the gate can decide about a request. Plain tuples: one is made for every request of the site."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["BadRequest", "Decision", "NewCookie", "NotFound", "Pass", "Redirect", "Refuse", "Unavailable"]

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOBODY: frozenset[str] = frozenset()


class NewCookie(NamedTuple):
    """A cookie to set; `max_age_sec` as in Set-Cookie."""

    kind: str
    zone_id: str
    value: str
    max_age_sec: int


class Pass(NamedTuple):
    """On to the site: headers to add, names of headers to take away, the query to send; our cookies go in any case.

    `noticed` is what is to be counted although nobody is stopped: `would wait` in a zone that only observes,
    `other network` for a token that was given to another one.
    """

    query: str
    add: Mapping[str, str] = _NOTHING
    strip: frozenset[str] = _NOBODY
    zone_id: str = ""
    noticed: str = ""


class Redirect(NamedTuple):
    """303 See Other to a path of this host."""

    location: str
    cookies: tuple[NewCookie, ...] = ()
    zone_id: str = ""
    noticed: str = ""


class Refuse(NamedTuple):
    """An error for programs: 429 to those who may enter and try again, 503 to browsers that only guess."""

    status: int
    problem: str
    title: str
    detail: str
    zone_id: str
    enter_url: str = ""
    noticed: str = ""


class BadRequest(NamedTuple):
    """400: the path has no safe reading."""

    detail: str


class NotFound(NamedTuple):
    """404: a path under the prefix, which only CloudFront's own behaviours may answer."""


class Unavailable(NamedTuple):
    """503: whether the session has ended is not known, for the exit list of its zone cannot be read."""

    zone_id: str


Decision = Pass | Redirect | Refuse | BadRequest | NotFound | Unavailable
