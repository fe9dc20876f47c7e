"""Which zone guards a request: by host, path, method and exclusions, the most specific rule of all zones first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waiting_room.domain.gate.patterns import BadRule, Pattern, Reading

__all__ = ["BadRule", "Reading", "Rule", "Rules", "guards", "host_name"]

_NAME = re.compile(r"\A([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[^@/\\?#]*)?\Z")
Specificity = tuple[int, int, bool, bool]
"""How exactly the host is given, how many characters the path begins with, whether it ends there, whether by method."""

LONGEST_HOST = 300
"""Characters; DNS has no longer name."""
HONEST_READINGS = 8
MOST_COMPARISONS = 128
"""Readings times rules that begin like one of them, from HONEST_READINGS on."""
EXACT_HOST = 1000
"""More than any `*.` of a name, which counts by its length; 0 is any host."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule of a zone. No hosts: any host. No methods: any method; GET means HEAD too.

    `domains` are hosts given as `*.example.org`, of which `.example.org` is kept: every name below, not itself.
    """

    zone_id: str
    hosts: frozenset[str]
    domains: tuple[str, ...]
    paths: tuple[Pattern, ...]
    methods: frozenset[str]
    excludes: tuple[Pattern, ...]

    @classmethod
    def parse(cls, zone_id: str, document: Mapping[str, Any]) -> Rule:
        """Read a rule of a zone document. Raises BadRule."""
        ignore_case = document.get("ignore_case", True)
        if type(ignore_case) is not bool:
            raise BadRule("ignore_case must be true or false.")
        paths = tuple(Pattern.parse(text, ignore_case) for text in _texts(document, "paths"))
        if not paths:
            raise BadRule("A rule needs at least one path.")
        methods = frozenset(method.upper() for method in _texts(document, "methods"))
        hosts = [(host.startswith("*."), host_name(host.removeprefix("*."))) for host in _texts(document, "hosts")]
        if not all(name for _, name in hosts):
            raise BadRule("A host is a name, or '*.' and a name for every name below it.")
        return cls(
            zone_id=zone_id,
            hosts=frozenset(name for below, name in hosts if not below),
            domains=tuple(f".{name}" for below, name in hosts if below),
            paths=paths,
            methods=methods | {"HEAD"} if "GET" in methods else methods,
            excludes=tuple(Pattern.parse(text, ignore_case) for text in _texts(document, "excludes")),
        )

    def match(self, reading: Reading) -> tuple[int, bool] | None:
        """How specifically the rule's paths guard this, or None."""
        fitting = [pattern.specificity for pattern in self.paths if pattern.guards(reading)]
        if not fitting or any(pattern.excludes(reading) for pattern in self.excludes):
            return None
        return max(fitting)

    def why_not(self, hosts: Collection[str] | None, reading: Reading, methods: Collection[str] | None) -> str:
        """Why the rule does not guard this, in one word: host, method, path or excluded; empty when it does."""
        if not self.is_for(hosts, methods):
            return "host" if self.by_host(hosts) is None else "method"
        if not any(pattern.guards(reading) for pattern in self.paths):
            return "path"
        return "excluded" if any(pattern.excludes(reading) for pattern in self.excludes) else ""

    def is_for(self, hosts: Collection[str] | None, methods: Collection[str] | None) -> bool:
        """Whether host and method fit, whatever the path."""
        if self.methods and methods is not None and self.methods.isdisjoint(methods):
            return False
        return self.by_host(hosts) is not None

    def by_host(self, hosts: Collection[str] | None) -> int | None:
        """How specifically the rule names one of these hosts, or None."""
        if hosts is None or not (self.hosts or self.domains):
            return 0
        if not self.hosts.isdisjoint(hosts):
            return EXACT_HOST
        return max((len(domain) for domain in self.domains for host in hosts if host.endswith(domain)), default=None)


class Rules:
    """All rules of a snapshot, found by how their paths begin: a request is compared with the few that may fit."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._all = tuple(rules)
        self._by_beginning: dict[str, list[int]] = {}
        for number, rule in enumerate(self._all):
            for text in set().union(*(pattern.beginnings for pattern in rule.paths)):
                self._by_beginning.setdefault(text, []).append(number)
        self._numbered = any(pattern.numbered for rule in self._all for pattern in rule.paths)
        self._lengths = sorted({len(text) for text in self._by_beginning})

    def guards(
        self, hosts: Collection[str] | None, paths: Iterable[str], methods: Collection[str] | None
    ) -> tuple[str, ...]:
        """Ids of the zones that guard a request, the most specific first: one for each host and reading in a zone.

        Usually one or none. Several mean that servers may differ about what is asked for, and then each of these zones
        must let the request in. Hosts or methods None: not known, so any may be meant.
        """
        readings = list(map(Reading.of, paths))
        likely = [rule for rule in self._beginning_like(readings) if rule.is_for(hosts, methods)]
        meant = _hosts_of(likely) if hosts is None else hosts
        if len(readings) > HONEST_READINGS and len(readings) * len(likely) > MOST_COMPARISONS:
            # Whoever asks for a page does not come here: all that may be meant guards it.
            return tuple(sorted({rule.zone_id for rule in likely}, reverse=True))
        # Most readings fit the same rules, and hosts tell only those apart.
        ways = {tuple((rule, found) for rule in likely if (found := rule.match(reading))) for reading in readings}
        best: dict[str, Specificity] = {}
        for fitting in filter(None, ways):
            for host in meant:
                named = [(rule.by_host((host,)), by_path, rule) for rule, by_path in fitting]
                ranked = [((by, *path, bool(rule.methods)), rule.zone_id) for by, path, rule in named if by is not None]
                if ranked:
                    rank, zone_id = max(ranked)
                    best[zone_id] = max(rank, best.get(zone_id, rank))
        return tuple(sorted(best, key=lambda zone_id: (best[zone_id], zone_id), reverse=True))

    def _beginning_like(self, readings: Sequence[Reading]) -> list[Rule]:
        """The rules with a path that begins like any of these readings."""
        compared = [*readings, *(each.numbered for each in readings)] if self._numbered else readings
        texts = {text + "/" for each in compared for text in (each.path, each.folded)}
        found = {text[:length] for text in texts for length in self._lengths if length <= len(text)}
        numbers = {number for text in found for number in self._by_beginning.get(text, ())}
        return [self._all[number] for number in sorted(numbers)]


def guards(
    rules: Iterable[Rule], hosts: Collection[str] | None, paths: Iterable[str], methods: Collection[str] | None
) -> tuple[str, ...]:
    """Ids of the zones of these rules that guard a request."""
    return Rules(rules).guards(hosts, paths, methods)


def _hosts_of(rules: Iterable[Rule]) -> set[str]:
    """One host of each kind that rules tell apart: those they name, one below each domain, and any other."""
    return {"", *(host for rule in rules for host in (*rule.hosts, *(f"any{domain}" for domain in rule.domains)))}


def host_name(host: str) -> str:
    """A host as it is compared: lower case, without whatever follows a colon and dots at the end; "" for no name."""
    found = _NAME.match(host.strip().lower()) if len(host) <= LONGEST_HOST else None
    return found[1].rstrip(".") if found else ""


def _texts(document: Mapping[str, Any], name: str) -> list[str]:
    values = document.get(name) or []
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise BadRule(f"{name} must be a list of texts.")
    return list(values)
