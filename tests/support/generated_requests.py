"""Viewer-request events of any shape: methods, encodings, headers, cookies, good tokens and what is made of them."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from functools import cache
from typing import Any

from tests.support.gate_support import ISSUER, KEYS, NOW_SEC, SIGNER, access_claims, bypass_claims, visitor_claims
from tests.support.hostile_requests import PIECES
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import new_key
from waiting_room.domain.networks import network_tag

MONITOR = "a-random-secret-of-the-monitor"
HOME, AWAY = "192.0.2.10", "198.51.100.99"

ZONES: list[dict[str, Any]] = [
    {
        "zone_id": zone_id,
        "mode": "queueing",
        "max_active": 5,
        "rules": [{"paths": [f"/{zone_id}"]}],
        **fields,
    }
    for zone_id, fields in {
        "midnight-sun": {
            "rules": [{"paths": ["/events/midnight-sun"], "excludes": ["/events/midnight-sun/static", "/*/logo"]}]
        },
        "events": {"rules": [{"paths": ["/events"], "hosts": ["*.example.com"], "methods": ["GET", "POST"]}]},
        "checkout": {
            "rules": [{"paths": ["=/checkout", "/pay/*/card"], "hosts": ["shop.example.com"], "ignore_case": False}],
            "network_binding": "refuse",
            "exempt": [
                {
                    "name": "monitor",
                    "header": {"name": "x-monitor", "sha256": hashlib.sha256(MONITOR.encode()).hexdigest()},
                },
                {"name": "office", "ip_ranges": ["203.0.113.0/24"]},
            ],
        },
        "www": {
            "rules": [
                {"paths": ["/events"], "hosts": ["www.example.com"], "excludes": ["/events/x"]},
                {"paths": ["/*s"], "hosts": ["www.example.com"]},
            ]
        },
        "observed": {"observe": True},
        "locked": {"control": "lock"},
        "open": {"control": "pass"},
        "over": {"control": "end", "session": {"kind": "script"}},
        "twelve": {"rules": [{"paths": ["/shows/12", "=/box-office"]}]},
    }.items()
]

WORDS = (
    *("events", "midnight-sun", "static", "logo", "checkout", "pay", "card", "observed", "locked", "open", "over"),
    *(
        "Events",
        "MIDNIGHT-SUN",
        "CHECKOUT",
        "seats",
        "x",
        "..",
        ".",
        "",
        ".waiting-room",
        "%2e%2e",
        "a;v=1",
        "%65vents",
    ),
    *(
        "events%2fmidnight-sun",
        "..%2f",
        "\\",
        "%5c",
        "%00",
        "%ff",
        "%25",
        "%2565vents",
        "é",
        "%c3%a9",
        "a b",
        "%3f",
        "#",
    ),
    *(
        "shows",
        "12",
        "12-midnight",
        "012",
        "box-office",
        "index.html",
        "index",
        "_next/data/b",
        "page-data",
        "index.php",
    ),
    *("(S(a))", "(A(1)F(2))", "checkout.json", "box-office.html", "events;jsessionid=1", "midnight-sun%C2%AD"),
    *("o%E2%80%8Bpen", "locke%CC%81d", "%EF%BC%91%EF%BC%92", "%D9%A1%D9%A2", "page-data.json", "midnight-sun&a=b"),
)
SUFFIXES = (".json", ".html", ".rsc", "%C2%AD", "%E2%80%8B", ";jsessionid=1", "/index.html", "&a=b", "%20", ".")
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "")
HOSTS = (
    *("tickets.example.com", "www.example.com", "shop.example.com", "www.example.org", "example.com.", ""),
    *("SHOP.example.com:443", "shop.example.com:", "shop.example.com:x", "shop.example.com:80:90", "www.example.com.:"),
    *("shop.example.com.", "me@shop.example.com", "me:x@shop.example.com:1", "[::1]", "[::1]:80", "[::1"),
    *("d111111abcdef8.cloudfront.net", "D111111abcdef8.cloudfront.net.:", " shop.example.com", "a" * 5000),
)
NAMES = ("accept", "sec-fetch-dest", "purpose", "origin", "access-control-request-method", "referer", "user-agent")
VALUES = (
    "text/html",
    "*/*",
    "document",
    "empty",
    "prefetch",
    "https://shop.example.com/checkout",
    "",
    "\u00e9",
    "a" * 200,
)
FORGED = (
    "x-waiting-room-session",
    "x_waiting_room_exempt",
    "X-Waiting-Room-Visitor",
    "x-original-url",
    "x-rewrite-uri",
    "X_Original_URL",
)


TELLING = ("x-forwarded-host", "X_Forwarded_Host", "x.host", "x_http_method_override", "x-method_override", "forwarded")


def any_event(rng: random.Random) -> dict[str, Any]:
    """One event. Half of all ask for a page of one zone by its plain name, with one of its tokens at hand."""
    headers: dict[str, list[dict[str, str]]] = {}
    zone = rng.choice(ZONES) if rng.random() < 0.5 else None
    hosts = zone["rules"][0].get("hosts", HOSTS) if zone else HOSTS
    put(headers, "host", rng.choice(hosts).replace("*", "a.b"))
    if rng.random() < 0.05:
        put(headers, rng.choice(TELLING), rng.choice((*HOSTS, "POST", "GET", "a.example, shop.example.com")))
    if rng.random() < 0.02:
        headers["host"] *= 2
        headers["host"][1] = {"key": "Host", "value": rng.choice(HOSTS)}
    for _ in range(rng.randrange(4)):
        put(headers, rng.choice(NAMES), rng.choice(VALUES))
    if rng.random() < 0.2:
        put(headers, rng.choice(FORGED), "1")
    if rng.random() < 0.1:
        put(headers, "x-monitor", rng.choice((MONITOR, MONITOR[:-1], "")))
    if rng.random() < 0.2:
        put(headers, "authorization", rng.choice(("Bearer ", "bearer ", "Basic ", "Bearer")) + any_token(rng, zone))
    if rng.random() < 0.8:
        put(
            headers,
            "cookie",
            rng.choice(("; ", ";", " ;")).join(any_cookie(rng, zone) for _ in range(rng.randrange(1, 5))),
        )
    query = rng.choice(("", "", "", "a=1", "a=%20&b", "wr_bypass=" + any_token(rng, zone), "x=1&wr_bypass=bad", "&&="))
    return {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "requestId": "request"},
        "request": {
            "method": rng.choice(METHODS),
            "uri": any_path(rng, zone),
            "querystring": query,
            "clientIp": rng.choice((HOME, AWAY, "203.0.113.5")),
            "headers": headers,
        },
    }


def any_path(rng: random.Random, zone: dict[str, Any] | None) -> str:
    if rng.random() < 0.02:
        return (any_path(rng, zone) + rng.choice(PIECES) * 8_192)[: rng.choice((100, 500, 2_000, 8_192))]
    if zone is not None:
        path = str(zone["rules"][0]["paths"][0]).removeprefix("=")
        if rng.random() < 0.1:
            return rng.choice(("/_next/data/b", "/index.php", "/(S(a))", "/x/../", "")) + path + rng.choice(SUFFIXES)
        return path + rng.choice(("", "", "/", "/seats", "/static/a"))
    return "/" + "/".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 5)))


def any_cookie(rng: random.Random, zone: dict[str, Any] | None) -> str:
    if rng.random() < 0.3:
        return rng.choice(("theme=dark", "a", "=", "", "__Host-session=1", "__host-wr-x=1", "__Host-wr-try=1"))
    kind = rng.choice(("access", "access", "access", "bypass", "visitor"))
    return f"__Host-wr-{kind}-{(zone or rng.choice(ZONES))['zone_id']}={any_token(rng, zone)}"


def any_token(rng: random.Random, zone: dict[str, Any] | None) -> str:
    tokens = pool()
    token = rng.choice(tokens[zone["zone_id"]] if zone and rng.random() < 0.9 else tokens["any"])
    if rng.random() < 0.2:
        place = rng.randrange(len(token) + 1)
        token = token[:place] + rng.choice(("", "A", ".", "=", " ", "_")) + token[place + 1 :]
    return token


def put(headers: dict[str, list[dict[str, str]]], name: str, value: str) -> None:
    headers[name] = [{"key": name, "value": value}]


@cache
def pool() -> dict[str, list[str]]:
    """Good tokens of every kind and bad ones of each sort, by zone; and all of them, with what is no token at all."""
    strangers = [new_key(own.state, 0) for own in KEYS.keys]
    impostors = tuple(
        type(own)(own.kid, own.state, 0, other.private_jwk, {**other.public_jwk, "kid": own.kid})
        for own, other in zip(KEYS.keys, strangers, strict=True)
    )
    forger, foreigner = Signer(_Fixed(impostors), ISSUER), Signer(KEYS, "elsewhere")
    made: dict[str, list[str]] = {}
    for zone in ZONES:
        own = {"zone": zone["zone_id"]}
        access, bypass = access_claims(**own), bypass_claims(**own)
        good = SIGNER.sign("access", access)
        made[zone["zone_id"]] = [
            good,
            SIGNER.sign("access", {**access, "exp": NOW_SEC + 50}),
            SIGNER.sign("access", {**access, "net": network_tag(access["sid"], HOME)}),
            SIGNER.sign("bypass", bypass),
            SIGNER.sign("access", {**access, "exp": NOW_SEC}),
            SIGNER.sign("access", {**access, "run": 2}),
            SIGNER.sign("bypass", {**bypass, "run": 7}),
            SIGNER.sign("visitor", visitor_claims(**own)),
            forger.sign("access", access),
            foreigner.sign("access", access),
            unsigned(good),
        ]
    everything = [token for tokens in made.values() for token in tokens]
    return {**made, "any": [*everything, "", "a.b.c", "x" * 3000, ".", "e30.e30." + "A" * 86]}


class _Fixed:
    def __init__(self, keys: Any) -> None:
        self._keys = keys

    def load(self) -> Any:
        return self._keys


def unsigned(token: str) -> str:
    """The same claims under `alg: none`."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": KEYS.keys[0].kid}).encode()).decode().rstrip("=")
    return f"{head}.{token.split('.')[1]}."
