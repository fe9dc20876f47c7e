"""A second, plain-minded model of the gate (PROTOCOL, Gate), written for the tests alone.

It shares no code with the gate: paths are reduced to one form, and that to the page a framework serves by it (the gate
looks at all), patterns become regular expressions, tokens are checked by PyJWT. It says what must become of a request;
the gate may only be stricter, and only where a path or a Host can be read in several ways.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import json
import posixpath
import re
import unicodedata
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
        page = served(path)
        exact = page == path and is_plain(request) and len(hosts(request)) == 1
        named = hosts(request) or {"", *(host for zone in self.zones.values() for host in rule_hosts(zone))}
        guarding = [self.guarding(request, host, path, page) for host in sorted(named)]
        if not any(guarding):
            return Expected(PASS, exact=exact)
        found = [self.before(self.zones[zone_id], request, exact) for zone_id in guarding if zone_id]
        return next((each for each in found if each.kind != PASS), found[0])

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
        free = {"observe": zone.get("observe"), "pass": control == "pass", "preflight": preflight(request)}
        if any(free.values()) and not told:
            told = {"open": next(why for why, so in free.items() if so)}
        if any(free.values()) or "exempt" in told or (told and control != "lock"):
            return Expected(PASS, zone_id, told, exact)
        return Expected(WAIT, zone_id, exact=exact)

    def guarding(self, request: Mapping[str, Any], host: str, path: str, page: str) -> str | None:
        """The zone with the most specific rule that fits."""
        best: tuple[Any, ...] = ()
        for zone in self.zones.values():
            for rule in zone["rules"]:
                rank = self.rank(rule, host, path, page, methods(request))
                if rank is not None:
                    best = max(best, (*rank, zone["zone_id"]))
        return best[-1] if best else None

    def rank(self, rule: dict[str, Any], host: str, path: str, page: str, asked: set[str]) -> tuple[Any, ...] | None:
        """How exactly a rule fits; no methods: any."""
        named = rule.get("hosts", [])
        by_host = max((0 if not named else -1, *(host_rank(name, host) for name in named)))
        wanted = set(rule.get("methods", []))
        allowed = not wanted or not asked or asked & (wanted | ({"HEAD"} if "GET" in wanted else set()))
        flags = re.IGNORECASE if rule.get("ignore_case", True) else 0
        fits = [
            text
            for text in rule["paths"]
            if re.fullmatch(expression(text), path, flags) or re.fullmatch(expression(served(text)), page, flags)
        ]
        excluded = any(re.fullmatch(expression(text), path, flags) for text in rule.get("excludes", []))
        excluded = excluded or any(re.fullmatch(expression(text), page, flags) for text in rule.get("excludes", []))
        if by_host < 0 or not allowed or not fits or excluded:
            return None
        return by_host, *max((len(literal(text)), text.startswith("=")) for text in fits), bool(wanted)

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
        text = re.sub(r"/\(([A-Z]\(\w*\))+\)", "/", text)
        text = "".join(plain(each) for each in unicodedata.normalize("NFKD", text))
        return posixpath.normpath("/" + text.lstrip("/"))


def plain(character: str) -> str:
    """A character as a database or an old server compares it; accents and what is not seen go."""
    category = unicodedata.category(character)
    if character.isascii() or category[0] == "L":
        return character
    known = {"Nd": str(unicodedata.digit(character, "")), "Pd": "-", "Zs": " ", "Cf": "", "Mn": "", "Me": "", "Mc": ""}
    return known.get(category, character)


def served(path: str) -> str:
    """The page by which frameworks answer a path: data routes, front controllers, suffixes, titles after numbers."""
    data = re.match(r"(.*)/_next/data/[^/]+(/.+)\Z", path) or re.match(r"(.*)/page-data(/.+)/page-data.json\Z", path)
    path = data[1] + data[2] if data else path
    path = re.sub(r"/[^/]+\.php/", "/", path)
    path = re.sub(r"(?<=[^/=])\.(?:json|html|rsc)\Z", "", path)
    path = re.sub(r"/index\Z", "", path) or "/"
    return re.sub(r"/0*(\d+)(?:\D[^/]*)?(?=/|\Z)", r"/\1", path)


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


def hosts(request: Mapping[str, Any]) -> set[str]:
    """Every name some server may go by; none: any."""
    named = {host for value in values(request, "host") for host in [host_of(value)]}
    if not named or "" in named or "d111111abcdef8.cloudfront.net" in named:
        return set()
    for name in request["headers"]:
        if re.sub("[^a-z0-9]", "-", name.lower()) in ("x-forwarded-host", "x-forwarded-server", "x-host"):
            named |= {host_of(part) for value in values(request, name) for part in value.split(",")}
    return named


def is_plain(request: Mapping[str, Any]) -> bool:
    """Whether path, Host and method can be read in one way only."""
    host = ",".join(values(request, "host")).lower()
    one_path = (
        len(request["uri"]) < 300
        and PLAIN.match(request["uri"])
        and "//" not in request["uri"]
        and "data" not in request["uri"]
    )
    told = [name for name in request["headers"] if re.search("^x.*host|forwarded|x.*method", name.lower())]
    return bool(one_path and re.fullmatch(r"[a-z0-9.-]{1,253}(:\d+)?", host) and not told)


def rule_hosts(zone: Mapping[str, Any]) -> list[str]:
    return [name.replace("*", "any") for rule in zone["rules"] for name in rule.get("hosts", [])]


def host_of(value: str) -> str:
    name = re.match(r"\s*(?:[^@/]*@)?(\[[^\]]*\]|[^:]*)", value.lower())
    return (name[1] if name else "").strip().rstrip(".")


def values(request: Mapping[str, Any], name: str) -> list[str]:
    return [str(entry["value"]) for entry in request["headers"].get(name, [])]


def methods(request: Mapping[str, Any]) -> set[str]:
    """The method, or nothing where a header asks the server for another."""
    overridden = any(re.search("http.method|method.override", name.lower()) for name in request["headers"])
    return set() if overridden else {request["method"]}


def preflight(request: Mapping[str, Any]) -> bool:
    return (
        request["method"] == "OPTIONS"
        and {"origin", "access-control-request-method"} <= request["headers"].keys()
        and methods(request) != set()
        and not {"cookie", "authorization"} & request["headers"].keys()
    )


def problem(result: Mapping[str, Any]) -> dict[str, Any]:
    """The problem document of a refusal."""
    document: dict[str, Any] = json.loads(result["body"])
    return document
