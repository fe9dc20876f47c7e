"""A second, plain-minded model of the gate (PROTOCOL, Gate), written for the tests alone.

It shares no code with the gate: paths are reduced to one form (the gate looks at all), patterns become regular
expressions, tokens are checked by PyJWT. It says what must become of a request; the gate may only be stricter, and
only where a path can be read in several ways.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import jwt

BAD, NOT_FOUND, PASS, WAIT, LINK = "400", "404", "pass", "wait", "link"
PLAIN = re.compile(r"\A/[A-Za-z0-9/_-]*\Z")


@dataclass(frozen=True)
class Expected:
    """What becomes of a request: a kind, the zone that decides, and what the site is told beside it."""

    kind: str
    zone_id: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    exact: bool = True


class Model:
    """Zones as documents, public keys as JWKs, and one moment in seconds."""

    def __init__(self, zones: list[dict[str, Any]], jwks: list[Mapping[str, Any]], issuer: str, now_sec: int) -> None:
        self.zones = {zone["zone_id"]: zone for zone in zones}
        self.keys = {jwk["kid"]: jwt.PyJWK(dict(jwk)).key for jwk in jwks}
        self.issuer = issuer
        self.now_sec = now_sec
        self.claims = functools.lru_cache(maxsize=5000)(self._claims)

    def expect(self, request: Mapping[str, Any]) -> Expected:
        """What must become of the request part of an event."""
        request = {**request, "method": request["method"].upper()}
        path = self.reduced(request["uri"])
        if path is None:
            return Expected(BAD)
        if (path.lower() + "/").startswith("/.waiting-room/"):
            return Expected(NOT_FOUND)
        exact = PLAIN.match(request["uri"]) is not None and "//" not in request["uri"]
        guarding = self.guarding(request, path)
        if guarding is None:
            return Expected(PASS, exact=exact)
        return self.before(self.zones[guarding], request, exact)

    def before(self, zone: dict[str, Any], request: Mapping[str, Any], exact: bool) -> Expected:
        zone_id, told = zone["zone_id"], {}
        linked = any(part.startswith("wr_bypass=") for part in request["querystring"].split("&"))
        if linked and request["method"] in ("GET", "HEAD"):
            return Expected(WAIT if "prefetch" in header(request, "purpose") else LINK, zone_id, exact=exact)
        cookies = [pair.strip().partition("=") for pair in header(request, "cookie").split(";")]
        bypasses = [self.claims(value, "bypass") for name, _, value in cookies if name == f"__Host-wr-bypass-{zone_id}"]
        bypass = self.first(bypasses[:3], zone)
        scheme, _, bearer = header(request, "authorization").partition(" ")
        carried = [value for name, _, value in cookies if name == f"__Host-wr-access-{zone_id}"][:3]
        carried += [bearer.strip()] if scheme.lower() == "bearer" else []
        access = self.first([self.bound(zone, self.claims(token, "access"), request) for token in carried], zone)
        exempt = next((rule["name"] for rule in zone.get("exempt", []) if self.exempts(rule, request)), None)
        if bypass is not None:
            told = {"exempt": bypass["jti"], "lane": bypass["lane"]}
        elif access is not None:
            told = {"visitor": access["sub"], "lane": access["lane"], "session": access["sid"]}
        elif exempt is not None:
            told = {"exempt": exempt}
        control = zone.get("control", "auto")
        free = control == "pass" or zone.get("observe") or preflight(request)
        if free or "exempt" in told or (told and control != "lock"):
            return Expected(PASS, zone_id, told, exact)
        return Expected(WAIT, zone_id, exact=exact)

    def guarding(self, request: Mapping[str, Any], path: str) -> str | None:
        """The zone with the most specific rule that fits."""
        host = header(request, "host").lower().split(":")[0].rstrip(".")
        best: tuple[Any, ...] = ()
        for zone in self.zones.values():
            for rule in zone["rules"]:
                rank = self.rank(rule, host, path, request["method"])
                if rank is not None:
                    best = max(best, (*rank, zone["zone_id"]))
        return best[-1] if best else None

    def rank(self, rule: dict[str, Any], host: str, path: str, method: str) -> tuple[Any, ...] | None:
        hosts = rule.get("hosts", [])
        by_host = max((0 if not hosts else -1, *(host_rank(name, host) for name in hosts)))
        methods = rule.get("methods", [])
        allowed = not methods or method in methods or (method == "HEAD" and "GET" in methods)
        flags = re.IGNORECASE if rule.get("ignore_case", True) else 0
        fits = [text for text in rule["paths"] if re.fullmatch(expression(text), path, flags)]
        excluded = any(re.fullmatch(expression(text), path, flags) for text in rule.get("excludes", []))
        if by_host < 0 or not allowed or not fits or excluded:
            return None
        return by_host, *max((len(literal(text)), text.startswith("=")) for text in fits), bool(methods)

    def exempts(self, rule: dict[str, Any], request: Mapping[str, Any]) -> bool:
        """Whether an exempt rule with a header or address ranges fits."""
        if "ip_ranges" in rule:
            address = ipaddress.ip_address(request["clientIp"])
            if not any(address in ipaddress.ip_network(text) for text in rule["ip_ranges"]):
                return False
        part = rule.get("header")
        return part is None or hashlib.sha256(header(request, part["name"]).encode()).hexdigest() == part["sha256"]

    def bound(
        self, zone: dict[str, Any], claims: dict[str, Any] | None, request: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Claims, unless they are of another network in a zone that refuses those."""
        if claims is None or zone.get("network_binding", "off") != "refuse" or "net" not in claims:
            return claims
        network = ipaddress.ip_network(f"{request['clientIp']}/24", strict=False)
        digest = hashlib.sha256(f"{claims['sid']}|{network}".encode()).digest()[:8]
        return claims if jwt.utils.base64url_encode(digest).decode() == claims["net"] else None

    def first(self, found: list[dict[str, Any] | None], zone: dict[str, Any]) -> dict[str, Any] | None:
        """The first claims that are of this zone's current run."""
        ours = (each for each in found if each and (each["zone"], each["run"]) == (zone["zone_id"], 1))
        return next(ours, None)

    def _claims(self, token: str, audience: str) -> dict[str, Any] | None:
        try:
            kid = jwt.get_unverified_header(token)["kid"]
            options: Any = {"verify_exp": False, "verify_iat": False, "require": ["exp", "zone", "run", "lane"]}
            claims: dict[str, Any] = jwt.decode(
                token, self.keys[kid], algorithms=["ES256"], audience=audience, issuer=self.issuer, options=options
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            return None
        return claims if self.now_sec < claims["exp"] else None

    @staticmethod
    def reduced(uri: str) -> str | None:
        """A path in one form; None for one that has none."""
        text = uri
        if not text.startswith("/") or not text.isascii():
            return None
        for _ in range(4):
            if re.search(r"[\x00-\x1f\x7f]", text):
                return None
            try:
                decoded = unquote_to_bytes(text).decode()
            except UnicodeDecodeError:
                return None
            if decoded == text:
                break
            text = decoded
        else:
            return None
        text = re.sub(r";[^/]*", "", text.replace("\\", "/")).split("?")[0].split("#")[0]
        return posixpath.normpath("/" + text.lstrip("/"))


def host_rank(name: str, host: str) -> int:
    """How exactly a rule's host names this one; -1 for another."""
    if name.startswith("*."):
        return len(name) - 1 if host.endswith(name[1:]) else -1
    return 1000 if name == host else -1


def literal(pattern: str) -> str:
    return pattern.removeprefix("=").split("*")[0] if "*" in pattern else pattern.removeprefix("=").rstrip("/")


def expression(pattern: str) -> str:
    """A path pattern as a regular expression."""
    if pattern.startswith("="):
        return re.escape(pattern[1:].rstrip("/")) + "/?"
    if "*" in pattern:
        return ".*".join(map(re.escape, pattern.split("*"))) + "/?"
    return re.escape(pattern.rstrip("/")) + "(?:/.*)?"


def header(request: Mapping[str, Any], name: str) -> str:
    entries = request["headers"].get(name, [])
    return str(entries[0]["value"]) if entries else ""


def preflight(request: Mapping[str, Any]) -> bool:
    return (
        request["method"] == "OPTIONS"
        and {"origin", "access-control-request-method"} <= request["headers"].keys()
        and not any("method-override" in name for name in request["headers"])
    )


def problem(result: Mapping[str, Any]) -> dict[str, Any]:
    """The problem document of a refusal."""
    document: dict[str, Any] = json.loads(result["body"])
    return document
