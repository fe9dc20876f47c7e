"""`wr verify-deploy` on answers that are right, and on each kind that a mistake in a deployment gives.

tests/integration/test_verify_deploy.py runs it on the local stack.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from scripts.operator_api.api import ADMIN
from scripts.operator_cli.checks import verify_deploy, verify_zone
from scripts.operator_cli.checks.findings import Finding, State
from scripts.operator_cli.checks.verify_deploy import SeenDeployment
from tests.support.api_world import ApiWorld
from waiting_room import schemas
from waiting_room.domain.zone.zones import Zone

SITE, API = "https://tickets.example.com", "https://abc123.execute-api.eu-west-1.amazonaws.com"
SNAPSHOT_KEY = ".waiting-room/gate-0123456789abcdef0123456789abcdef.json"
FULL_SNAPSHOT = {"published_at_ms": 2**53, "left_out": 7}
ZONE = {
    "zone_id": "midnight-sun",
    "mode": "queueing",
    "max_active": 5,
    "control": "auto",
    "rules": [{"paths": ["/events/midnight-sun"]}],
    "landing_path": "/events/midnight-sun",
}
NO_STORE = {"cache-control": "no-store"}

Answer = httpx.Response | Callable[[httpx.Request], httpx.Response]
Look = Callable[[SeenDeployment], Finding | Iterable[Finding]]


class World:
    """A deployment that is as it should be; `answers` replaces what it says at a path, by host and path."""

    def __init__(self) -> None:
        self.zones: list[dict[str, Any]] = [ZONE]
        self.answers: dict[tuple[str, str], Answer] = {}
        self.status_reads = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        host = "api" if request.url.host in API else "site"
        answer = self.answers.get((host, request.url.raw_path.decode()))
        if answer is not None:
            return answer(request) if callable(answer) else answer
        return self._api(request) if host == "api" else self._site(request)

    def _api(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(403)

    def _site(self, request: httpx.Request) -> httpx.Response:
        path, found = request.url.raw_path.decode(), {"x-cache": "Miss from cloudfront"}
        if path == f"/{SNAPSHOT_KEY}":
            return httpx.Response(200, json={"published_at_ms": time.time_ns() // 1_000_000 - 60_000})
        if path == "/.waiting-room/jwks.json":
            return httpx.Response(200, json={"keys": [{"kid": "a"}, {"kid": "b"}]})
        if path == STATUS:
            self.status_reads += 1
            hit = "Hit from cloudfront" if self.status_reads > 1 else "Miss from cloudfront"
            return httpx.Response(200, json={}, headers={"cache-control": "public, max-age=1", "x-cache": hit})
        if path.startswith("/.waiting-room/pages/midnight-sun"):
            return httpx.Response(200, html="<p>", headers={"cache-control": "public, max-age=10"})
        if path.startswith("/.waiting-room/v1/zones/midnight-sun/enter"):
            cookie = "__Host-wr-visitor-midnight-sun=a.b.c; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"
            return httpx.Response(303, headers={**NO_STORE, "set-cookie": cookie})
        if path == FOREIGN:
            return replied(404, content_type="application/problem+json")
        if path == "/.waiting-room/ws":
            return httpx.Response(403, headers={"x-amzn-requestid": "1"})
        if "waiting-room" in path:
            return httpx.Response(404)
        if path == "/events/midnight-sun":
            if "sec-purpose" in request.headers:
                return httpx.Response(503, headers=NO_STORE)
            navigates = request.headers.get("sec-fetch-mode") == "navigate"
            return httpx.Response(303 if navigates else 429, headers=NO_STORE)
        return httpx.Response(200, headers=found)


class _Api:
    """The operator's API as far as these checks ask."""

    def __init__(self, world: World) -> None:
        self._world = world

    def zones(self) -> list[dict[str, Any]]:
        return self._world.zones


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_deploy, "ERROR_PAUSE_SEC", 0.01)


@pytest.fixture
def world() -> World:
    return World()


def look(world: World, check: Look) -> list[Finding]:
    http = httpx.Client(transport=httpx.MockTransport(world))
    found = check(SeenDeployment(SITE, API, http, _Api(world), SNAPSHOT_KEY))  # type: ignore[arg-type]
    return [found] if isinstance(found, Finding) else list(found)


CHECKS = (
    verify_deploy.site,
    verify_deploy.operator_call,
    verify_deploy.operator_routes,
    verify_deploy.origin_secret,
    verify_deploy.prefix,
    verify_deploy.kept_errors,
    verify_deploy.foreign_cookies,
    verify_deploy.websocket,
    verify_deploy.snapshot,
    verify_deploy.public_keys,
    verify_deploy.zones,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_deployment_as_it_should_be(world: World, check: Look) -> None:
    found = look(world, check)
    assert found
    assert {finding.state for finding in found} == {State.OK}, found


ENTER = "/.waiting-room/v1/zones/midnight-sun/enter"
STATUS = "/.waiting-room/status/midnight-sun.json"
FOREIGN = "/.waiting-room/v1/zones/none/visitors/me"


def replied(status: int, body: Any = None, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body or {}, headers=sent)


@pytest.mark.parametrize(
    ("check", "where", "answer", "named"),
    [
        (verify_deploy.site, ("site", "/"), replied(200), "not through CloudFront"),
        (verify_deploy.site, ("site", "/"), replied(502, x_cache="Error from cloudfront"), "502"),
        (verify_deploy.operator_call, ("api", f"{ADMIN}/zones"), replied(200), "unsigned: 200"),
        (verify_deploy.operator_routes, ("site", f"{ADMIN}/zones"), replied(200), f"200 at {ADMIN}/zones"),
        (verify_deploy.operator_routes, ("site", "/.waiting-room/v1/%61dmin/zones"), replied(401), "401 at"),
        (verify_deploy.origin_secret, ("api", "/.waiting-room/v1/zones/none/visitors/me"), replied(401), "401 without"),
        (verify_deploy.foreign_cookies, ("site", FOREIGN), replied(431), "431 with 10,240 bytes"),
        (verify_deploy.foreign_cookies, ("site", FOREIGN), replied(404, content_type="text/html"), "404 with"),
        (verify_deploy.snapshot, ("site", f"/{SNAPSHOT_KEY}"), replied(200, {"published_at_ms": 1}), "s old"),
        (verify_deploy.snapshot, ("site", f"/{SNAPSHOT_KEY}"), replied(200, FULL_SNAPSHOT), "7 revoked sessions"),
        (verify_deploy.snapshot, ("site", f"/{SNAPSHOT_KEY}"), replied(403), "403"),
        (verify_deploy.public_keys, ("site", "/.waiting-room/jwks.json"), replied(200, {"keys": [{}]}), "1 keys"),
        (
            verify_deploy.public_keys,
            ("site", "/.waiting-room/jwks.json"),
            replied(200, {"keys": [{"d": "private"}, {}]}),
            "2 keys",
        ),
        (verify_deploy.zones, ("site", ENTER), replied(303, cache_control="public"), "303, public"),
        (
            verify_deploy.zones,
            ("site", ENTER),
            replied(303, set_cookie="__Host-wr-visitor-midnight-sun=a; Path=/; Secure; SameSite=Lax"),
            "'httponly': ''",
        ),
        (verify_deploy.zones, ("site", "/.waiting-room/pages/midnight-sun/index.html"), replied(404), "404, no cache"),
        (verify_deploy.zones, ("site", STATUS), replied(200, cache_control="public, max-age=1"), "each time"),
        (verify_deploy.zones, ("site", "/.waiting-room/exits/midnight-sun.json"), replied(403), "403"),
        (
            verify_deploy.zones,
            ("site", STATUS),
            replied(200, cache_control="public, max-age=60", x_cache="Hit from cloudfront"),
            "max-age=60",
        ),
        (verify_deploy.zones, ("site", "/events/midnight-sun"), replied(200), "a navigation: 200"),
        (
            verify_deploy.zones,
            ("site", "/events/midnight-sun"),
            replied(503, cache_control="public, max-age=10"),
            "a prefetch: 503, public",
        ),
    ],
)
def test_each_mistake_is_seen_and_said(
    world: World,
    check: Look,
    where: tuple[str, str],
    answer: httpx.Response,
    named: str,
) -> None:
    world.answers[where] = lambda _: answer
    wrong = [finding for finding in look(world, check) if finding.state is not State.OK]
    assert any(named in finding.found for finding in wrong), wrong
    assert all(finding.to_do for finding in wrong)


def test_a_prefix_that_reaches_the_site_is_seen(world: World) -> None:
    def everywhere(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200)

    world._site = everywhere  # type: ignore[method-assign]
    assert {finding.state for finding in look(world, verify_deploy.prefix)} == {State.ACT}


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        (httpx.Response(404, headers={"age": "0"}), httpx.Response(404, headers={"age": "4"}), State.ACT),
        (httpx.Response(404, text="<RequestId>A"), httpx.Response(404, text="<RequestId>A"), State.ACT),
        (httpx.Response(404, text="<RequestId>A"), httpx.Response(404, text="<RequestId>B"), State.OK),
        (httpx.Response(404), httpx.Response(404, headers={"age": "1"}), State.OK),
        (httpx.Response(403), httpx.Response(403, headers={"age": "4"}), State.UNKNOWN),
    ],
)
def test_a_distribution_that_keeps_errors_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch, first: httpx.Response, second: httpx.Response, state: State
) -> None:
    answers = iter([first, second])
    monkeypatch.setattr(world, "_site", lambda _: next(answers))
    monkeypatch.setattr(verify_deploy, "ERROR_PAUSE_SEC", 4)
    monkeypatch.setattr(verify_deploy.time, "sleep", lambda _: None)
    (finding,) = look(world, verify_deploy.kept_errors)
    assert finding.state is state


def test_without_a_guarded_zone_it_is_said_what_to_make(world: World) -> None:
    for zones in ([], [{**ZONE, "control": "pass"}], [{**ZONE, "observe": True}]):
        world.zones = zones
        (finding,) = look(world, verify_deploy.zones)
        assert finding.state is State.UNKNOWN
        assert "wr zones apply" in finding.to_do


def test_a_secret_nobody_may_read_is_not_taken_for_fine(world: World) -> None:
    http = httpx.Client(transport=httpx.MockTransport(world))
    finding = verify_deploy.snapshot(SeenDeployment(SITE, API, http, _Api(world), None))  # type: ignore[arg-type]
    assert finding.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("status", "headers", "state"),
    [
        (101, {}, State.OK),
        (403, {"apigw-requestid": "x"}, State.OK),
        (403, {"server": "AmazonS3"}, State.ACT),
        (404, {"apigw-requestid": "x"}, State.ACT),
        (200, {}, State.ACT),
    ],
)
def test_a_websocket_that_is_deployed_must_answer_as_one(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str], state: State
) -> None:
    monkeypatch.setattr(schemas, "functions", lambda: {"connections": {"triggers": {"websocket": True}}})
    world.answers["site", "/.waiting-room/ws"] = httpx.Response(status, headers=headers)
    (finding,) = look(world, verify_deploy.websocket)
    assert finding.state is state


def test_a_site_on_plain_http_is_told_unless_it_is_this_machine() -> None:
    for url, state in (("http://tickets.example.com", State.ACT), ("http://localhost:8080", State.OK)):
        (finding,) = verify_deploy.certificate(SeenDeployment(url, API, httpx.Client(), _Api(World())))  # type: ignore[arg-type]
        assert finding.state is state


def test_a_zone_as_the_service_tells_it_is_understood() -> None:
    world = ApiWorld()
    document = world.put_zone().json
    asked = []

    def get(path: str, _headers: dict[str, str]) -> httpx.Response:
        asked.append(path)
        return httpx.Response(403)

    found = list(verify_zone.findings(get, json.loads(json.dumps(document))))
    assert {finding.state for finding in found if finding.name != "spellings"} == {State.ACT}
    assert "/events/midnight-sun" in asked


@pytest.mark.parametrize(
    ("same_as_unknown", "state"), [(True, State.OK), (False, State.ACT)], ids=["a page for everything", "its own page"]
)
def test_a_spelling_that_reaches_a_page_without_a_token_is_told(same_as_unknown: bool, state: State) -> None:
    body = "unknown" if same_as_unknown else "the guarded page"

    def get(path: str, _headers: dict[str, str]) -> httpx.Response:
        if path.startswith("/verify-"):
            return httpx.Response(200, text="unknown")
        return httpx.Response(200, text=body) if path.startswith("/en/") else httpx.Response(303)

    found = verify_zone.other_spellings(get, Zone.from_document(ZONE))
    assert found.state is state
    assert ("/en/events/midnight-sun" in found.found) is not same_as_unknown
