"""The dev edge over real sockets, with a gatekeeper and origins that only write down what reaches them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.edge import Edge
from scripts.edge.upstream import Signer
from scripts.local import free_port
from tests.support.serving import EchoOrigin, Receive, Scope, Send, read_while, send_raw, served
from waiting_room import schemas

SECRET, SITE_SECRET = "only the edge knows", "what the site's servers ask for"
GATE = """
import threading
events, results = [], {}

def handler(event, context):
    events.append((event, threading.current_thread().name))
    request = event["Records"][0]["cf"]["request"]
    result = results.get(request["uri"])
    if isinstance(result, Exception):
        raise result
    if result is not None:
        return result
    request["headers"]["x-waiting-room-zone"] = [{"key": "X-Waiting-Room-Zone", "value": "midnight-sun"}]
    return request
"""


@dataclass
class Played:
    """An edge with its stand-ins."""

    url: str
    port: int
    api: EchoOrigin
    bucket: EchoOrigin
    site: EchoOrigin
    gate: dict[str, Any]
    http: httpx.Client


@dataclass(frozen=True)
class StandInStack:
    api_url: str
    bucket_url: str
    sign_bucket_read: Signer | None = None
    websocket_url: str = "http://127.0.0.1:9/live"
    origin_secret: str = SECRET
    gatekeeper_settings: dict[str, Any] = field(default_factory=lambda: {"issuer": "foyer"})

    def outbox_page(self) -> str:
        return "<!doctype html><title>Outbox</title>"


@pytest.fixture(scope="module")
def origins() -> Iterator[dict[str, tuple[str, EchoOrigin]]]:
    with contextlib.ExitStack() as running:
        echoes = {name: EchoOrigin() for name in ("api", "bucket", "site")}
        yield {name: (running.enter_context(served(echo)), echo) for name, echo in echoes.items()}


@pytest.fixture
def edge(tmp_path: Path, origins: dict[str, tuple[str, EchoOrigin]]) -> Iterator[Played]:
    source = tmp_path / "gatekeeper"
    source.mkdir()
    source.joinpath("handler.py").write_text(GATE, encoding="utf-8")
    (api_url, api), (bucket_url, bucket), (site_url, site) = (origins[name] for name in ("api", "bucket", "site"))
    for echo in (api, bucket, site):
        echo.reset()
    stack = StandInStack(f"{api_url}/stage", f"{bucket_url}/foyer-site")
    playing = Edge(0, stack, site_url, site_headers={"X-Origin-Secret": SITE_SECRET}, gatekeeper_source=source)
    with playing, httpx.Client(base_url=playing.url, timeout=10) as client:
        yield Played(playing.url, playing.port, api, bucket, site, vars(playing.gatekeeper), client)


def names(seen: dict[str, Any]) -> dict[str, str]:
    return dict(seen["headers"])


@pytest.mark.parametrize(
    "target",
    [
        "/events/midnight-sun",
        "/.waiting-room/../events/midnight-sun",
        "/.waiting-room/%2e%2e/events/midnight-sun",
        "/.waiting-room/.%2E/events/midnight-sun",
        "/.waiting-room/v1/../../events/./midnight-sun",
        "/x/..%2f.waiting-room/..%2fevents\\midnight-sun;a=b?to=%2F",
        "//events//midnight-sun",
        "/.Waiting-Room/v1/zones",
    ],
)
def test_whatever_does_not_match_the_prefix_asks_the_gate_and_travels_on_raw(edge: Played, target: str) -> None:
    assert send_raw(edge.url, target)[0] == 200
    path, _, query = target.partition("?")
    request = edge.gate["events"][0][0]["Records"][0]["cf"]["request"]
    assert (request["uri"], request["querystring"]) == (path, query)
    assert (edge.site.received[0]["path"], edge.site.received[0]["query"]) == (path, query)


@pytest.mark.parametrize(
    "target",
    [
        "/.waiting-room/nothing-here",
        "/%2Ewaiting-room/nothing-here",
        "/events/../.waiting-room/x",
        "/.waiting-room/..%2fevents/midnight-sun",
        "/.waiting-room/\\..\\events",
    ],
)
def test_what_matches_the_prefix_never_reaches_the_site(edge: Played, target: str) -> None:
    send_raw(edge.url, target)
    assert edge.site.received == []
    assert [seen["path"] for seen in edge.bucket.received] == [f"/foyer-site{target}"]
    assert edge.gate["events"] == []


@pytest.mark.parametrize(
    "target",
    ["/.waiting-room/v1/admin/zones", "/.waiting-room/v1/%61dmin/zones", "/.waiting-room/v1/x/../admin/zones"],
)
def test_operator_routes_do_not_exist_at_the_edge(edge: Played, target: str) -> None:
    status, head = send_raw(edge.url, target, "Authorization: AWS4-HMAC-SHA256 Credential=test")
    assert (status, edge.api.received, edge.site.received) == (404, [], [])
    assert "application/problem+json" in head


def test_the_gate_gets_a_viewer_request_event_as_cloudfront_makes_it(edge: Played) -> None:
    edge.http.get("/events?a=1&b=%20", headers={"Cookie": "x=1", "X-Edge-Thing": "1", "Upgrade": "h2c"})
    event, thread = edge.gate["events"][0]
    cf = event["Records"][0]["cf"]
    assert cf["config"]["eventType"] == "viewer-request"
    assert cf["config"]["distributionDomainName"] == f"127.0.0.1:{edge.port}"
    request = cf["request"]
    assert (request["method"], request["uri"], request["querystring"]) == ("GET", "/events", "a=1&b=%20")
    assert request["clientIp"] == "127.0.0.1"
    assert request["headers"]["cookie"] == [{"key": "Cookie", "value": "x=1"}]
    assert request["headers"]["host"] == [{"key": "Host", "value": f"127.0.0.1:{edge.port}"}]
    assert not {"x-edge-thing", "upgrade", "connection"} & request["headers"].keys()
    assert thread.startswith("gatekeeper")


def test_the_site_sees_the_viewer_and_what_the_gate_added(edge: Played) -> None:
    answer = edge.http.post(
        "/events/buy?x=1", content=b"body", headers={"X-Forwarded-For": "10.0.0.9", "X-Real-IP": "10.0.0.9"}
    )
    seen = edge.site.received[0]
    headers = names(seen)
    assert (seen["method"], seen["query"], seen["body"]) == ("POST", "x=1", "body")
    assert headers["host"] == f"127.0.0.1:{edge.port}"
    assert headers["x-forwarded-for"] == "10.0.0.9, 127.0.0.1"
    assert headers["x-waiting-room-zone"] == "midnight-sun"
    assert "via" in headers
    assert not {"x-real-ip", "x-foyer-origin-secret"} & headers.keys()
    assert answer.headers["x-cache"] == "Miss from cloudfront"


def test_the_api_gets_everything_but_the_host_and_the_secret_only_the_edge_knows(edge: Played) -> None:
    edge.http.post(
        "/.waiting-room/v1/zones/a/visitors?q=1",
        content=b"{}",
        headers={"Cookie": "a=b", "Authorization": "Bearer x", "X-Foyer-Origin-Secret": "guess"},
    )
    seen = edge.api.received[0]
    assert (seen["path"], seen["query"]) == ("/stage/.waiting-room/v1/zones/a/visitors", "q=1")
    assert [value for name, value in seen["headers"] if name == "x-foyer-origin-secret"] == [SECRET]
    headers = names(seen)
    assert ("cookie" in headers, headers["authorization"]) == (False, "Bearer x")
    assert headers["host"] != f"127.0.0.1:{edge.port}"


@pytest.mark.parametrize(
    ("sent", "travels"),
    [
        ("a=b; __Host-wr-visitor-x=1; c=d; wr-join-claim=2", "__Host-wr-visitor-x=1; wr-join-claim=2"),
        ("__Host-wr-access-x=a=b;foyer-language=de", "__Host-wr-access-x=a=b; foyer-language=de"),
        ("x__Host-wr-access-x=1; foyer-language-2=de; __host-wr-access-x=1; __Host-wr-bypass-x=1", None),
    ],
)
def test_the_api_gets_our_cookies_and_nobody_elses(edge: Played, sent: str, travels: str | None) -> None:
    edge.http.post("/.waiting-room/v1/zones/a/visitors", headers={"Cookie": sent})
    assert names(edge.api.received[0]).get("cookie") == travels


def test_the_bucket_gets_the_path_and_nothing_else(edge: Played) -> None:
    edge.bucket.headers = [("access-control-allow-origin", "*"), ("x-amz-id-2", "x")]
    answer = edge.http.get("/.waiting-room/status/a.json?acl", headers={"Cookie": "a=b", "Authorization": "x"})
    seen = edge.bucket.received[0]
    assert (seen["path"], seen["query"]) == ("/foyer-site/.waiting-room/status/a.json", "")
    assert not {"cookie", "authorization", "x-foyer-origin-secret"} & names(seen).keys()
    assert not {"access-control-allow-origin", "x-amz-id-2"} & answer.headers.keys()
    assert edge.http.put("/.waiting-room/status/a.json", content=b"x").status_code == 405


@pytest.mark.parametrize("path", ["pages/a/index.html", "assets/waiting.js", "status/a.json", "nowhere"])
def test_files_of_the_bucket_have_the_headers_of_the_schema_whatever_the_bucket_says(edge: Played, path: str) -> None:
    edge.bucket.headers = [("x-frame-options", "ALLOWALL"), ("content-security-policy", "default-src *")]
    wanted = schemas.behaviours()["headers"]["every"] | schemas.behaviours()["headers"]["file"]
    answer = edge.http.get(f"/.waiting-room/{path}")
    assert {name: answer.headers.get_list(name) for name in wanted} == {name: [value] for name, value in wanted.items()}
    assert not wanted.keys() & edge.http.get("/").headers.keys(), "the site's own are its own affair"


@pytest.mark.parametrize("path", ["/.waiting-room/v1/zones/a/visitors", "/events/midnight-sun"])
def test_what_the_firewall_writes_cannot_be_sent(edge: Played, path: str) -> None:
    header = schemas.behaviours()["bot_header"]
    edge.http.post(path, headers={header: "no", header.title(): "automated"})
    (seen,) = edge.api.received + edge.site.received
    assert header not in names(seen)


def test_many_readers_of_a_status_document_are_one_origin_read(edge: Played) -> None:
    edge.bucket.headers = [("cache-control", "public, max-age=1")]
    answers = [edge.http.get(f"/.waiting-room/status/a.json?n={number}") for number in range(50)]
    assert answers[-1].headers["x-cache"] == "Hit from cloudfront"
    assert len(edge.bucket.received) <= 2
    counters = edge.http.get("/.waiting-room/dev/counters").json()
    assert counters["origin_reads"]["/.waiting-room/status/a.json"] == len(edge.bucket.received)
    assert counters["requests"]["/.waiting-room/status/a.json"] == 50


def test_a_crowd_that_polls_costs_the_origin_one_read_a_second(edge: Played) -> None:
    edge.bucket.headers = [("cache-control", "public, max-age=1")]
    path, seconds, readers = "/.waiting-room/status/crowd.json", 3.0, 100

    async def crowd() -> list[list[int]]:
        until = time.monotonic() + seconds
        polling = (read_while(edge.url, path, lambda _: time.monotonic() < until) for _ in range(readers))
        return await asyncio.gather(*polling)

    started = time.monotonic()
    statuses = [status for read in asyncio.run(crowd()) for status in read]
    assert len(statuses) > 3 * readers
    assert set(statuses) == {200}
    assert len(edge.bucket.received) <= time.monotonic() - started + 1


def test_a_cached_page_of_the_site_is_kept_per_cookie(edge: Played) -> None:
    edge.site.headers = [("cache-control", "public, max-age=60")]
    for cookie in ("a=1", "a=1", "a=2"):
        edge.http.get("/page", headers={"Cookie": cookie})
    edge.http.get("/page", headers={"Cookie": "a=1", "Authorization": "Bearer x"})
    assert [names(seen)["cookie"] for seen in edge.site.received] == ["a=1", "a=2", "a=1"]


def test_a_response_of_the_gate_goes_out_as_it_is(edge: Played) -> None:
    edge.gate["results"]["/events"] = {
        "status": "303",
        "headers": {
            "location": [{"key": "Location", "value": "/.waiting-room/v1/zones/a/enter"}],
            "set-cookie": [{"key": "Set-Cookie", "value": "a=1"}, {"key": "Set-Cookie", "value": "b=2"}],
        },
    }
    answer = edge.http.get("/events")
    assert (answer.status_code, answer.headers["location"]) == (303, "/.waiting-room/v1/zones/a/enter")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert edge.site.received == []


@pytest.mark.parametrize(
    "result",
    [
        {"status": "200", "body": "x" * 40_961},
        {"status": "200", "headers": {"content-length": [{"key": "Content-Length", "value": "1"}]}},
        {"status": "200", "headers": {"x-edge-a": [{"key": "X-Edge-A", "value": "1"}]}},
        {"status": "200", "headers": {"X-A": [{"key": "X-A", "value": "1"}]}},
        {"status": "200", "headers": {"x-a": [{"key": "X-A", "value": "1\r\nSet-Cookie: a=b"}]}},
        {"status": "99"},
        {"method": "DELETE", "uri": "/events", "querystring": "", "clientIp": "127.0.0.1", "headers": {}},
        {"method": "GET", "uri": "/events", "querystring": "", "clientIp": "127.0.0.1", "headers": {}},
        "no dictionary",
        RuntimeError("broken"),
    ],
)
def test_what_cloudfront_would_refuse_of_a_function_lets_nobody_in(edge: Played, result: object) -> None:
    edge.gate["results"]["/events"] = result
    assert edge.http.get("/events").status_code == 502
    assert edge.site.received == []


def test_bodies_and_urls_have_limits(edge: Played) -> None:
    for content in (b"x" * (1024 * 1024 + 1), iter([b"x" * 600_000] * 2)):
        answer = edge.http.post("/.waiting-room/v1/confirmations", content=content)
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert edge.http.post("/form", content=b"x" * (1024 * 1024)).status_code == 200
    assert edge.http.get("/" + "x" * 9_000).status_code == 414
    assert edge.http.get("/", headers={"Cookie": "x" * 20_480}).status_code == 413
    assert send_raw(edge.url, "http://elsewhere/events")[0] == 400
    assert send_raw(edge.url, "*", method="OPTIONS")[0] == 400
    assert edge.api.received == []


def test_head_has_the_headers_and_no_body(edge: Played) -> None:
    answer = edge.http.head("/page")
    assert (answer.status_code, answer.content) == (200, b"")
    assert edge.site.received[0]["method"] == "HEAD"


def test_the_site_gets_headers_of_its_own_and_nobody_else_does(edge: Played) -> None:
    for path, origin in (
        ("/page", edge.site),
        ("/.waiting-room/v1/zones", edge.api),
        ("/.waiting-room/x", edge.bucket),
    ):
        edge.http.get(path, headers={"X-Origin-Secret": "a guess"})
        told = [value for name, value in origin.received[0]["headers"] if name == "x-origin-secret"]
        assert told == {edge.site: [SITE_SECRET], edge.api: ["a guess"]}.get(origin, [])


def test_an_origin_that_is_down_is_502(tmp_path: Path) -> None:
    source = tmp_path / "gatekeeper"
    source.mkdir()
    source.joinpath("handler.py").write_text(GATE, encoding="utf-8")
    nobody = f"http://127.0.0.1:{free_port()}"
    with Edge(0, StandInStack(nobody, nobody), nobody, gatekeeper_source=source) as edge:
        for path in ("/events", "/.waiting-room/v1/zones/a/enter", "/.waiting-room/status/a.json"):
            answer = httpx.get(edge.url + path)
            assert (answer.status_code, answer.headers["content-type"]) == (502, "application/problem+json")


class FailsOnce:
    """An API that fails at one request of its first ten, and says no-store whatever it answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked += 1
        headers = [(b"cache-control", b"no-store"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 500 if self.asked == 10 else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("declared", [True, False])
def test_one_failure_of_the_api_in_many_is_one_failure_of_a_visitor(tmp_path: Path, declared: bool) -> None:
    source, schema_copy = tmp_path / "gatekeeper", tmp_path / "schemas"
    source.mkdir()
    source.joinpath("handler.py").write_text(GATE, encoding="utf-8")
    document = schemas.behaviours() | ({} if declared else {"error_caching_min_ttl_sec": {}})
    schema_copy.mkdir()
    schema_copy.joinpath("behaviours.json").write_text(json.dumps(document), encoding="utf-8")
    path = "/.waiting-room/v1/zones/a/enter"
    with served(FailsOnce()) as api:
        stack = StandInStack(api, api)
        with (
            Edge(0, stack, api, schemas=schema_copy, gatekeeper_source=source) as edge,
            httpx.Client(base_url=edge.url, timeout=10) as visitors,
        ):
            seen = [visitors.get(f"{path}?who={visitor}").status_code for visitor in range(20)]
    # CloudFront's key is the path alone: left to itself it gives one visitor's failure to whoever comes next.
    assert (seen[:9], seen[9], seen[10]) == ([200] * 9, 500, 200 if declared else 500)
    assert (seen.count(500) == 1) is declared


def test_a_port_that_is_taken_is_refused_at_once(edge: Played) -> None:
    with pytest.raises(OSError, match="in use"):
        Edge(edge.port, StandInStack("", ""), "")
