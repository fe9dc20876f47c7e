"""One request in a thousand fails at the API: one visitor sees an error, and nobody else is given it."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.edge import Edge
from scripts.edge.server import ROOT
from scripts.visitors.browser import SCRIPT_HEADERS
from tests.integration.guests import Guest, connections
from tests.integration.running import Foyer
from tests.integration.zones import open_zones, zone
from tests.support.serving import Receive, Scope, Send, served

ASKED, FAILS = 1_000, 500
"""How many GETs, and which of them fails."""
ASKED_EVERY_SEC = 0.01
"""A hundred a second, by the clock of the edge's cache."""
AT_ONCE = 8


class Faulty:
    """The API, but one GET is answered with a server's error, which as far as its answer says nobody may keep."""

    def __init__(self, api: httpx.Client) -> None:
        self._api = api
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers, body = 503, [(b"cache-control", b"no-store")], b""
        if next(self._numbers) != FAILS:
            sent = {name: value for name, value in scope["headers"] if name != b"host"}
            answer = await asyncio.to_thread(self._api.get, scope["raw_path"].decode(), headers=sent)
            status, body = answer.status_code, answer.content
            headers = [(b"cache-control", answer.headers["cache-control"].encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Behind:
    """A stack whose API is reached by another address."""

    def __init__(self, stack: Any, api_url: str) -> None:
        self._stack = stack
        self.api_url = api_url

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stack, name)


@pytest.fixture(scope="module")
def guest(foyer: Foyer, http: httpx.Client) -> Guest:
    """Somebody with a place, who is asked about again and again."""
    open_zones(foyer, zone("weather"))
    guest = Guest(http, "weather")
    assert guest.call("POST", "/visitors").status_code == 201
    return guest


@pytest.fixture
def faulty(foyer: Foyer) -> Iterator[str]:
    with connections(foyer.api_url) as api, served(Faulty(api)) as url:
        yield url


def statuses(foyer: Foyer, guest: Guest, api_url: str, schemas: Path) -> Counter[int]:
    """What a hundred a second are answered by an edge in front of an API."""
    ticks, turn = itertools.count(), threading.Lock()
    now = [0.0]

    def ask(http: httpx.Client) -> int:
        with turn:
            now[0] = next(ticks) * ASKED_EVERY_SEC
        cookies = "; ".join(f"{name}={value}" for name, value in guest.cookies.items())
        return http.get(f"{guest.api}/visitors/me", headers={**SCRIPT_HEADERS, "Cookie": cookies}).status_code

    edge = Edge(0, Behind(foyer.stack, api_url), foyer.site_url, schemas=schemas, clock=lambda: now[0])
    with edge, connections(edge.url) as http, ThreadPoolExecutor(AT_ONCE) as threads:
        return Counter(threads.map(lambda _: ask(http), range(ASKED)))


def test_one_of_a_thousand_fails_where_one_of_a_thousand_fails(foyer: Foyer, guest: Guest, faulty: str) -> None:
    assert statuses(foyer, guest, faulty, ROOT / "schemas") == {200: ASKED - 1, 503: 1}


def test_without_the_custom_error_responses_it_would_be_half_of_them(
    foyer: Foyer, guest: Guest, faulty: str, tmp_path: Path
) -> None:
    schemas = tmp_path / "schemas"
    shutil.copytree(ROOT / "schemas", schemas)
    document = json.loads((schemas / "behaviours.json").read_text())
    schemas.joinpath("behaviours.json").write_text(json.dumps({**document, "error_caching_min_ttl_sec": {}}))
    assert statuses(foyer, guest, faulty, schemas)[503] > ASKED // 3
