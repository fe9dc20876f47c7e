"""Requests that pass without a token: monitoring, partners, an office. Known by a secret or by their address."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import islice
from typing import Any, Protocol

__all__ = ["BadExemption", "Exemption", "secret_hash"]

LONGEST_SECRET = 512
"""Characters that are looked at; a longer value is no secret of ours."""
MOST_VALUES = 10
"""Values of one name looked at in one request."""

_DIGEST = re.compile(r"\A[0-9a-f]{64}\Z")
_NAME = re.compile(r"\A[A-Za-z0-9_.-]{1,64}\Z")
_PLACES = ("header", "cookie", "query")


class BadExemption(ValueError):
    """Raised when an exempt rule cannot be understood; the message names its part."""


class Asked(Protocol):
    """The parts of a request that can carry a secret."""

    @property
    def client_ip(self) -> str: ...
    def values(self, place: str, name: str) -> Iterable[str]:
        """Values of a name in a place: `header`, `cookie` or `query`."""
        ...


def secret_hash(secret: str) -> str:
    """What is stored of a secret, hexadecimal. It is published to every edge: only a random secret stays one."""
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Exemption:
    """All parts must fit. `secrets`: place, name and SHA-256 of the value; no networks: any address."""

    name: str
    secrets: tuple[tuple[str, str, str], ...]
    networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Exemption:
        """Read an exempt rule of a zone document. Raises BadExemption."""
        name = document.get("name")
        if type(name) is not str or not _NAME.match(name):
            raise BadExemption("An exempt rule needs a name of 1 to 64 letters, digits, '_', '.' or '-'.")
        secrets = tuple(_secret(place, document[place]) for place in _PLACES if place in document)
        ranges = document.get("ip_ranges", [])
        if not isinstance(ranges, list | tuple):
            raise BadExemption("ip_ranges must be a list.")
        networks = tuple(map(_network, ranges))
        if not secrets and not networks:
            raise BadExemption("An exempt rule needs a header, a cookie, a query key or ip_ranges.")
        return cls(name, secrets, networks)

    def fits(self, request: Asked) -> bool:
        """Whether a request is exempt. Takes the same time for every wrong secret."""
        if self.networks and not self._is_inside(request.client_ip):
            return False
        return all(_has(request.values(place, name), digest) for place, name, digest in self.secrets)

    def _is_inside(self, client_ip: str) -> bool:
        try:
            address = ip_address(client_ip)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)


def _has(values: Iterable[str], digest: str) -> bool:
    # Every value is compared, so that nothing is told by when this stops.
    known = [value for value in islice(values, MOST_VALUES) if len(value) <= LONGEST_SECRET]
    return sum(compare_digest(_hash(value), digest) for value in known) > 0


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _secret(place: str, document: object) -> tuple[str, str, str]:
    fields = document if isinstance(document, Mapping) else {}
    name, digest = fields.get("name"), fields.get("sha256")
    if type(name) is not str or not _NAME.match(name):
        raise BadExemption(f"{place} needs a name of 1 to 64 letters, digits, '_', '.' or '-'.")
    if type(digest) is not str or not _DIGEST.match(digest):
        raise BadExemption(f"{place} needs sha256: 64 hexadecimal digits, in lower case. `wr secret` makes one.")
    return place, name.lower() if place == "header" else name, digest


def _network(text: object) -> IPv4Network | IPv6Network:
    if type(text) is not str:
        raise BadExemption("An IP range must be text.")
    try:
        return ip_network(text)
    except ValueError as error:
        raise BadExemption(f"{text!r} is no IP range: {error}.") from None
