"""Tokens that are forged, expired or of somewhere else, and gates that know nothing: the page stays shut."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from jwt.algorithms import ECAlgorithm

from scripts.edge import Edge
from scripts.visitors.browser import PAGE_HEADERS, SCRIPT_HEADERS, token_claims
from tests.integration.guests import Guest, connections, problem_of
from tests.integration.running import PUBLISHED_SEC, Foyer, wait_until
from tests.integration.zones import SITE_KEY, open_zones, path_of, zone
from tests.support.serving import Receive, Scope, Send, served
from waiting_room.adapters.signing_keys import new_key

Claims = dict[str, Any]


@dataclass(frozen=True)
class Sealed:
    """Two guests who are in, and the key their tokens are signed with: everything a forger could dream of."""

    guest: Guest
    neighbour: Guest
    key: dict[str, Any]

    @property
    def claims(self) -> Claims:
        """What a good access token says."""
        return token_claims(self.guest.token("access"))

    def signed(self, claims: Claims, key: dict[str, Any] | None = None, **header: str) -> str:
        """A token that is signed as ours are, whatever it says."""
        chosen = key or self.key
        private: Any = ECAlgorithm.from_jwk(dict(chosen["private_jwk"]))
        return jwt.encode(claims, private, algorithm="ES256", headers={"kid": self.key["kid"], **header})


@pytest.fixture(scope="module")
def sealed(foyer: Foyer, http: httpx.Client) -> Sealed:
    """A zone and its neighbour, each with a guest inside."""
    open_zones(foyer, zone("sealed"), zone("neighbour"))
    guests = [Guest(http, zone_id) for zone_id in ("sealed", "neighbour")]
    assert [guest.is_in() for guest in guests] == [True, True]
    stored = foyer.client("secretsmanager").get_secret_value(SecretId=foyer.stack.names.signing_keys)
    keys = json.loads(stored["SecretString"])["keys"]
    return Sealed(guests[0], guests[1], next(key for key in keys if key["state"] == "active"))


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def with_other_claims(sealed: Sealed) -> str:
    head, _, tail = sealed.guest.token("access").split(".")
    return f"{head}.{part({**sealed.claims, 'hard_end': 2**39, 'exp': 2**39})}.{tail}"


def unsigned(sealed: Sealed) -> str:
    return f"{part({'alg': 'none', 'kid': sealed.key['kid']})}.{part(sealed.claims)}."


FORGERIES: dict[str, Callable[[Sealed], str]] = {
    "nonsense": lambda _: "nonsense",
    "alg none": unsigned,
    "other claims under a good signature": with_other_claims,
    "another key": lambda sealed: sealed.signed(sealed.claims, vars(new_key("active", 0))),
    "unknown key": lambda sealed: sealed.signed(sealed.claims, kid="unknown"),
    "expired": lambda sealed: sealed.signed({**sealed.claims, "exp": int(time.time())}),
    "another zone": lambda sealed: sealed.signed({**sealed.claims, "zone": "neighbour"}),
    "the neighbour's own": lambda sealed: sealed.neighbour.token("access"),
    "the run before": lambda sealed: sealed.signed({**sealed.claims, "run": sealed.claims["run"] - 1}),
    "the next run": lambda sealed: sealed.signed({**sealed.claims, "run": sealed.claims["run"] + 1}),
    "another audience": lambda sealed: sealed.signed({**sealed.claims, "aud": "visitor"}),
    "a visitor token": lambda sealed: sealed.guest.token("visitor"),
    "another issuer": lambda sealed: sealed.signed({**sealed.claims, "iss": "somebody"}),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_bad_token_is_no_token(foyer: Foyer, http: httpx.Client, sealed: Sealed, forgery: Any) -> None:
    token = forgery(sealed)
    foyer.site.reset()
    carriers = [{"Cookie": f"__Host-wr-{kind}-sealed={token}"} for kind in ("access", "bypass")]
    for carrier in (*carriers, {"Authorization": f"Bearer {token}"}):
        assert http.get(path_of("sealed"), headers=PAGE_HEADERS | carrier).status_code == 303
        assert problem_of(http.get(path_of("sealed"), headers=SCRIPT_HEADERS | carrier)) == "waiting"
        assert problem_of(http.post(path_of("sealed"), headers=SCRIPT_HEADERS | carrier)) == "waiting"
    assert foyer.site.received == []
    assert sealed.guest.is_in()


@pytest.mark.parametrize("forgery", ["nonsense", "alg none", "another key", "another zone", "the next run"])
def test_a_bad_token_opens_nothing_at_the_api_either(http: httpx.Client, sealed: Sealed, forgery: str) -> None:
    token = FORGERIES[forgery](sealed)
    for method, path in (
        ("GET", "/visitors/me"),
        ("POST", "/visitors/me/away"),
        ("POST", "/access-tokens"),
        ("POST", "/sessions/me/renewals"),
        ("DELETE", "/sessions/me"),
    ):
        answer = http.request(method, sealed.guest.api + path, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, problem_of(answer)) == (401, "no-token"), path
    confirmation = {"token": token, "reference": "order 1"}
    answer = http.post("/.waiting-room/v1/confirmations", json=confirmation, headers=bearer(SITE_KEY))
    # A well signed token of another zone is looked up there, where there is no such session.
    assert problem_of(answer) in ("no-token", "lapsed"), answer.text


def test_tokens_of_a_run_that_is_over_are_void(foyer: Foyer, http: httpx.Client) -> None:
    open_zones(foyer, zone("ended-run", max_active=1))
    guest, waiting = Guest(http, "ended-run"), Guest(http, "ended-run")
    assert guest.is_in()
    assert not waiting.is_in()
    assert foyer.operate("POST", "/zones/ended-run/control", {"reset": True}).json()["run"] == 2
    wait_until(lambda: guest.get(guest.path).status_code == 303, PUBLISHED_SEC, "the gate goes by the new run")
    wait_until(lambda: guest.call("GET", "/visitors/me").status_code == 401, PUBLISHED_SEC, "so does the API")
    assert problem_of(guest.call("POST", "/sessions/me/renewals")) == "no-token"
    assert problem_of(waiting.call("POST", "/access-tokens")) == "no-token"
    old = waiting.token("visitor")
    assert not waiting.is_in()
    assert token_claims(waiting.token("visitor"))["sub"] != token_claims(old)["sub"]
    assert waiting.place()["run"] == 2


@pytest.mark.parametrize("fault", ["lost", "torn", "old", "of another deployment", "from the future"])
def test_without_a_snapshot_to_trust_nobody_gets_in_with_whatever_token(
    foyer: Foyer, sealed: Sealed, fault: str
) -> None:
    document = foyer.snapshot()
    now_ms = time.time_ns() // 1_000_000
    faults: dict[str, dict[str, Any]] = {
        "old": {"published_at_ms": now_ms - 301_000},
        "of another deployment": {"issuer": "somebody"},
        "from the future": {"published_at_ms": now_ms + 120_000},
    }
    body = json.dumps(document | faults.get(fault, {})).encode()
    bucket = _Bucket(404 if fault == "lost" else 200, body[:-9] if fault == "torn" else body)
    foyer.site.reset()
    with served(bucket) as bucket_url:
        stack = _Stack(foyer.api_url, bucket_url, foyer.stack.origin_secret, foyer.stack.gatekeeper_settings)
        with Edge(0, stack, foyer.site_url) as edge, connections(edge.url) as http:
            for path in ("/", path_of("sealed")):
                answer = Guest(http, "sealed", dict(sealed.guest.cookies)).get(path)
                assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert bucket.reads > 0
    assert foyer.site.received == []


@dataclass(frozen=True)
class _Stack:
    """The stack as an edge sees it, with another bucket."""

    api_url: str
    bucket_url: str
    origin_secret: str
    gatekeeper_settings: dict[str, Any]
    sign_bucket_read: None = None
    websocket_url: str = "http://127.0.0.1:9/live"

    def outbox_page(self) -> str:
        return ""


@dataclass
class _Bucket:
    """Gives the same answer to everybody."""

    status: int
    body: bytes
    reads: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reads += 1
        headers = [(b"content-length", str(len(self.body)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
