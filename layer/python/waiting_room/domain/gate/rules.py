"""Which zone guards a request: by host, path, method and exclusions, the most specific rule of all zones first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from waiting_room.domain.gate.paths import fold

__all__ = ["BadRule", "Reading", "Rule", "guards", "host_name"]

_UNCLEAR = re.compile(r"//|/\.{1,2}(?:/|\Z)|[\x00-\x1f\x7f-\x9f\\;?#]")
Specificity = tuple[int, int, bool, bool]
"""How exactly the host is given, how many characters the path begins with, whether it ends there, whether by method."""

EXACT_HOST = 1000
"""More than any `*.` of a name, which counts by its length; 0 is any host."""


class BadRule(ValueError):
    """Raised when a rule cannot be understood; the message names its part."""


@dataclass(frozen=True)
class Reading:
    """One reading of a request path, as it is and folded for comparing without regard to case."""

    path: str
    folded: str

    @classmethod
    def of(cls, path: str) -> Reading:
        """Fold a path once for all rules."""
        return cls(path, fold(path))


@dataclass(frozen=True)
class _Pattern:
    """`/a` guards /a and all below; `=/a` guards only /a; `/a/*.x` is a glob whose `*` takes anything, `/` too."""

    kind: str
    parts: tuple[str, ...]
    ignore_case: bool

    @classmethod
    def parse(cls, text: object, ignore_case: bool) -> _Pattern:
        """Read a pattern. Its text is compared decoded, as readings are. Raises BadRule."""
        if not isinstance(text, str):
            raise BadRule("A path pattern must be text.")
        kind = "exact" if text.startswith("=") else "glob" if "*" in text else "prefix"
        path = _plain(text.removeprefix("="))
        if kind != "glob":
            path = path.rstrip("/")
        if ignore_case:
            path = fold(path)
        return cls(kind, tuple(path.split("*")) if kind == "glob" else (path,), ignore_case)

    @property
    def specificity(self) -> tuple[int, bool]:
        """Characters a path must begin with, and whether it may not go on."""
        return len(self.parts[0]), self.kind == "exact"

    def matches(self, reading: Reading) -> bool:
        """Whether a reading fits. A slash at the end makes no difference: servers ignore it as often as not."""
        path = reading.folded if self.ignore_case else reading.path
        if self.kind == "glob":
            return any(_glob(self.parts, text) for text in (path, path + "/", path.rstrip("/")))
        (wanted,) = self.parts
        if self.kind == "exact":
            return path.rstrip("/") == wanted
        return path.startswith(wanted) and path[len(wanted) : len(wanted) + 1] in ("", "/")


@dataclass(frozen=True)
class Rule:
    """One rule of a zone. No hosts: any host. No methods: any method; GET means HEAD too.

    `domains` are hosts given as `*.example.org`, of which `.example.org` is kept: every name below, not itself.
    """

    zone_id: str
    hosts: frozenset[str]
    domains: tuple[str, ...]
    paths: tuple[_Pattern, ...]
    methods: frozenset[str]
    excludes: tuple[_Pattern, ...]

    @classmethod
    def parse(cls, zone_id: str, document: Mapping[str, Any]) -> Rule:
        """Read a rule of a zone document. Raises BadRule."""
        ignore_case = document.get("ignore_case", True)
        if type(ignore_case) is not bool:
            raise BadRule("ignore_case must be true or false.")
        paths = tuple(_Pattern.parse(text, ignore_case) for text in _texts(document, "paths"))
        if not paths:
            raise BadRule("A rule needs at least one path.")
        methods = frozenset(method.upper() for method in _texts(document, "methods"))
        hosts = [host_name(host) for host in _texts(document, "hosts")]
        if any("*" in host.removeprefix("*.") or not host.strip("*.") for host in hosts):
            raise BadRule("A host is a name, or '*.' and a name for every name below it.")
        return cls(
            zone_id=zone_id,
            hosts=frozenset(host for host in hosts if not host.startswith("*.")),
            domains=tuple(host[1:] for host in hosts if host.startswith("*.")),
            paths=paths,
            methods=methods | {"HEAD"} if "GET" in methods else methods,
            excludes=tuple(_Pattern.parse(text, ignore_case) for text in _texts(document, "excludes")),
        )

    def match(
        self, hosts: Collection[str] | None, reading: Reading, methods: Collection[str] | None
    ) -> Specificity | None:
        """How specifically the rule guards this, or None. Hosts or methods None: not known, so any may be meant."""
        if self.why_not(hosts, reading, methods):
            return None
        by_path = max(pattern.specificity for pattern in self.paths if pattern.matches(reading))
        return (self._by_host(hosts) or 0, *by_path, bool(self.methods))

    def why_not(self, hosts: Collection[str] | None, reading: Reading, methods: Collection[str] | None) -> str:
        """Why the rule does not guard this, in one word: host, method, path or excluded; empty when it does."""
        if self._by_host(hosts) is None:
            return "host"
        if self.methods and methods is not None and self.methods.isdisjoint(methods):
            return "method"
        if not any(pattern.matches(reading) for pattern in self.paths):
            return "path"
        return "excluded" if any(pattern.matches(reading) for pattern in self.excludes) else ""

    def _by_host(self, hosts: Collection[str] | None) -> int | None:
        if hosts is None or not (self.hosts or self.domains):
            return 0
        if not self.hosts.isdisjoint(hosts):
            return EXACT_HOST
        return max((len(domain) for domain in self.domains for host in hosts if host.endswith(domain)), default=None)


def guards(
    rules: Sequence[Rule], hosts: Collection[str] | None, paths: Iterable[str], methods: Collection[str] | None
) -> tuple[str, ...]:
    """Ids of the zones that guard a request, the most specific first: one for each reading of its path in a zone.

    Usually one or none. Several mean that servers may differ about what is asked for, and then each of these zones
    must let the request in.
    """
    best: dict[str, Specificity] = {}
    for reading in map(Reading.of, paths):
        matches = [(found, rule.zone_id) for rule in rules if (found := rule.match(hosts, reading, methods))]
        if matches:
            found, zone_id = max(matches)
            best[zone_id] = max(found, best.get(zone_id, found))
    return tuple(sorted(best, key=lambda zone_id: (best[zone_id], zone_id), reverse=True))


def host_name(host: str) -> str:
    """A host as it is compared: lower case, without port and without the dot at the end."""
    name, colon, port = host.strip().lower().rpartition(":")
    return (name if colon and port.isdecimal() else host.strip().lower()).rstrip(".")


def _texts(document: Mapping[str, Any], name: str) -> list[str]:
    values = document.get(name) or []
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise BadRule(f"{name} must be a list of texts.")
    return list(values)


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
