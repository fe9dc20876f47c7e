"""The network a client comes from: what stays the same while one connection lasts, and names no single person."""

from __future__ import annotations

import base64
import hashlib
from ipaddress import ip_address, ip_network

__all__ = ["NETWORK_TAG", "network_of", "network_tag"]

V4_BITS, V6_BITS = 24, 48
"""A provider gives one household at least so much; what is smaller changes while people walk through a house."""

NETWORK_TAG = r"\A[A-Za-z0-9_-]{11}\Z"


def network_of(client_ip: str) -> str:
    """The network of an address as text (`192.0.2.0/24`, `2001:db8::/48`); empty for anything that is no address."""
    try:
        address = ip_address(client_ip.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network((mapped, V4_BITS if mapped.version == 4 else V6_BITS), strict=False))


def network_tag(salt: str, client_ip: str) -> str:
    """64 bits that are the same for addresses of one network under one salt; empty without an address."""
    network = network_of(client_ip)
    if not network:
        return ""
    digest = hashlib.sha256(f"{salt}|{network}".encode()).digest()[:8]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
