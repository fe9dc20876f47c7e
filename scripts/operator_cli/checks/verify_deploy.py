"""`wr verify-deploy`: a deployment looked at from outside, in minutes: what a mistake in it would let through or break.

Nothing is changed and nobody is put in line: a first request to `enter` only sets a cookie.
"""

from __future__ import annotations

import secrets
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from waiting_room import schemas
from waiting_room.domain.locations import PREFIX, place_url

from ...operator_api.api import ADMIN, OperatorApi
from . import verify_zone
from .findings import Check, Finding, State, gate_snapshot
from .verify_zone import PAGE, SCRIPT

TIMEOUT_SEC = 20.0
GUARDING = ("auto", "pause", "lock")
"""States of a zone in which the gate lets nobody pass without a token."""
SNAPSHOT_OLD_SEC = 240
CERTIFICATE_DAYS = 14
ERROR_PAUSE_SEC = 4
"""Longer than three caches in a row keep a missing document (1 s each), shorter than CloudFront's default of 10 s."""


API_HEAD_BYTES = 10_240
"""What an HTTP API takes of request line and headers (API Gateway guide, "Quotas for configuring ... an HTTP API")."""


@dataclass(frozen=True)
class SeenDeployment:
    """A deployment from outside: its site, its API, and where the gate snapshot lies (None: not known)."""

    site_url: str
    api_url: str
    http: httpx.Client
    api: OperatorApi
    snapshot_key: str | None = None

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """One request to the site, redirects not followed."""
        return self.http.get(self.site_url + path, headers=headers or SCRIPT)


def checks(found: SeenDeployment) -> list[Check]:
    """Every check by its name. Those about zones take the first zone the gate guards."""
    looks: list[Check] = [
        ("certificate", lambda: certificate(found)),
        ("site", lambda: [site(found)]),
        ("operator call", lambda: operator_call(found)),
        ("operator routes", lambda: operator_routes(found)),
        ("origin secret", lambda: [origin_secret(found)]),
        ("API stage", lambda: [api_stage(found)]),
        ("prefix", lambda: prefix(found)),
        ("kept errors", lambda: [kept_errors(found)]),
        ("cookies", lambda: [foreign_cookies(found)]),
        ("websocket", lambda: [websocket(found)]),
        ("gate snapshot", lambda: [snapshot(found)]),
        ("public keys", lambda: [public_keys(found)]),
    ]
    return [*looks, ("zones", lambda: zones(found))]


def zones(found: SeenDeployment) -> Iterable[Finding]:
    """What can only be seen at a zone: the first that is guarded."""
    guarded = next(
        (zone for zone in found.api.zones() if zone["control"] in GUARDING and not zone.get("observe")), None
    )
    if guarded is None:
        return [Finding("zones", State.UNKNOWN, "no zone is guarded", "Create one: `wr zones apply FILE`.")]
    return verify_zone.findings(found.get, guarded)


def certificate(found: SeenDeployment) -> Iterator[Finding]:
    """The site's certificate as browsers get it, and how long it lasts."""
    url = httpx.URL(found.site_url)
    if url.scheme != "https":
        yield Finding.judged(
            "certificate",
            url.host in ("localhost", "127.0.0.1"),
            "plain HTTP",
            "Browsers keep no __Host- cookie: use HTTPS.",
        )
        return
    days = (_not_after(url.host, url.port or 443) - datetime.now(UTC)).days
    yield Finding.judged(
        "certificate",
        days >= CERTIFICATE_DAYS,
        f"{days} days left",
        "Renew it, or repair its validation records in DNS.",
    )


def _not_after(host: str, port: int) -> datetime:
    with (
        socket.create_connection((host, port), timeout=TIMEOUT_SEC) as plain,
        ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
    ):
        peer = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(peer["notAfter"])), UTC)


def site(found: SeenDeployment) -> Finding:
    """The site answers, and CloudFront stands before it."""
    answer = found.get("/", PAGE)
    by = answer.headers.get("x-cache", "")
    return Finding.judged(
        "site",
        answer.status_code < 500 and "cloudfront" in by.lower(),
        f"{answer.status_code}, {by.lower() or 'not through CloudFront'}",
        "Point the site's name at the distribution, and look at the origin if it is a 5xx.",
    )


def operator_call(found: SeenDeployment) -> Iterator[Finding]:
    """A signed call is answered, and one that nobody signed is refused."""
    yield Finding("operator call", State.OK, f"signed: {len(found.api.zones())} zones")
    unsigned = found.http.get(f"{found.api_url}{ADMIN}/zones")
    yield Finding.judged(
        "operator call",
        unsigned.status_code in (401, 403),
        f"unsigned: {unsigned.status_code}",
        "The operator's routes need AWS_IAM: apply Terraform again, and revoke what may have been changed.",
    )


def operator_routes(found: SeenDeployment) -> Iterator[Finding]:
    """The operator's routes do not exist at the site's address, however they are spelled."""
    for path in (f"{ADMIN}/zones", f"{PREFIX}/v1/%61dmin/zones", f"{PREFIX}/v1/x/..%2fadmin/zones"):
        status = found.get(path).status_code
        yield Finding.judged(
            "operator routes",
            status in (400, 403, 404),
            f"{status} at {path}",
            "The behaviour for the operator's routes is missing or stands too low.",
        )


def origin_secret(found: SeenDeployment) -> Finding:
    """The token service refuses who did not come through the distribution."""
    answer = found.http.get(f"{found.api_url}{place_url('none', None)}", headers=SCRIPT)
    return Finding.judged(
        "origin secret",
        answer.status_code == 403,
        f"{answer.status_code} without it",
        "The API can be reached past CloudFront: check ORIGIN_SECRET of the bouncer and the origin's custom header.",
    )


def api_stage(found: SeenDeployment) -> Finding:
    """Whoever knows the API's host and not its stage is answered by API Gateway itself."""
    url = httpx.URL(found.api_url)
    above = url.path.rstrip("/").rpartition("/")[0]
    answer = found.http.get(url.copy_with(path=above + place_url("none", None)), headers=SCRIPT)
    return Finding.judged(
        "API stage",
        answer.status_code in (403, 404) and "problem+json" not in answer.headers.get("content-type", ""),
        f"{answer.status_code} without it",
        "The API has the stage $default beside its own: take it away, for whoever asks there starts a function.",
    )


def prefix(found: SeenDeployment) -> Iterator[Finding]:
    """Nothing below the prefix reaches the site: an unknown name is not found, in any spelling, and sets no cookie."""
    name = f"verify-{secrets.token_hex(8)}"
    for path in (f"{PREFIX}/{name}", f"/%2ewaiting-room/{name}", f"/x/..%2f.waiting-room/{name}"):
        answer = found.get(path)
        yield Finding.judged(
            "prefix",
            answer.status_code in (400, 403, 404) and "set-cookie" not in answer.headers,
            f"{answer.status_code} at {path.replace(name, '...')}",
            f"The catch-all behaviour for {PREFIX}/* must lead to the bucket, above the site's own.",
        )


def kept_errors(found: SeenDeployment) -> Finding:
    """The distribution has the custom error responses of schemas/behaviours.json.

    Seen at a document that is missing: nobody outside can bring about a 5xx. CloudFront says `Error from cloudfront` of
    a new error and a kept one alike; a kept one has an Age, and the request id that S3 wrote into its body.
    """
    path = f"{PREFIX}/status/verify-{secrets.token_hex(8)}.json"
    first = found.get(path)
    time.sleep(ERROR_PAUSE_SEC)
    second = found.get(path)
    if (first.status_code, second.status_code) != (404, 404):
        statuses = f"{first.status_code}, then {second.status_code}, for a missing document"
        return Finding("kept errors", State.UNKNOWN, statuses, "The bucket should say 404: check its policy.")
    age = second.headers.get("age", "")
    repeated = "<RequestId>" in first.text and first.text == second.text
    kept = repeated or (age.isdecimal() and int(age) >= ERROR_PAUSE_SEC)
    return Finding.judged(
        "kept errors",
        not kept,
        f"{'kept longer than' if kept else 'asked again within'} {ERROR_PAUSE_SEC} s",
        "One visitor's failure is everybody's: add the custom error responses of the output attachment.",
    )


def foreign_cookies(found: SeenDeployment) -> Finding:
    """The token service is spared the site's own cookies, which alone may be as many bytes as an HTTP API takes."""
    answer = found.get(place_url("none", None), {**SCRIPT, "cookie": f"verify={'x' * API_HEAD_BYTES}"})
    return Finding.judged(
        "cookies",
        answer.status_code in (401, 404) and "problem+json" in answer.headers.get("content-type", ""),
        f"{answer.status_code} with {API_HEAD_BYTES:,} bytes of the site's own",
        "Who has many cookies cannot join: give the API's behaviours the origin_request_policy_id of attachment.",
    )


def websocket(found: SeenDeployment) -> Finding:
    """The WebSocket path leads to an API that speaks the protocol, not to the bucket and not to the site."""
    if not any(spec["triggers"].get("websocket") for spec in schemas.functions().values()):
        return Finding("websocket", State.OK, "this version has none")
    path = next(each["path_pattern"] for each in schemas.behaviours()["behaviours"] if each["name"] == "websocket")
    handshake = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "Zm95ZXIgaXMgaGVyZSAhIQ==",
        "origin": found.site_url,
    }
    with found.http.stream("GET", found.site_url + path, headers=handshake) as answer:
        status, bucket = answer.status_code, answer.headers.get("server") == "AmazonS3"
    # Without a visitor's token the API refuses to connect, which is as good an answer; the bucket refuses too.
    return Finding.judged(
        "websocket",
        status == 101 or (status in (400, 401, 403) and not bucket),
        f"{status}{', from the bucket' if bucket else ''}",
        "Check the behaviour for the WebSocket path and the function that puts the stage before it.",
    )


def snapshot(found: SeenDeployment) -> Finding:
    """The gate snapshot can be read where the gatekeeper reads it, and is young enough for the gate to stay open."""
    if found.snapshot_key is None:
        return Finding("gate snapshot", State.UNKNOWN, "its address is a secret", "Give --name and rights to read it.")
    answer = found.get(f"/{found.snapshot_key}")
    if answer.status_code != 200:
        return Finding(
            "gate snapshot", State.ACT, str(answer.status_code), "Without it the gate answers 503 to everybody."
        )
    to_do = "The dispatcher should have renewed it by now."
    return gate_snapshot(answer.json(), time.time_ns() // 1_000_000, SNAPSHOT_OLD_SEC, to_do)


def public_keys(found: SeenDeployment) -> Finding:
    """Two public keys at least, so that one can be replaced without a gap, and nothing private among them."""
    answer = found.get(f"{PREFIX}/jwks.json")
    keys = answer.json().get("keys", []) if answer.status_code == 200 else []
    return Finding.judged(
        "public keys",
        len(keys) >= 2 and not any("d" in key for key in keys),
        f"{len(keys)} keys" if answer.status_code == 200 else str(answer.status_code),
        "The operator makes them with the first zone; the publisher writes them within seconds.",
    )
