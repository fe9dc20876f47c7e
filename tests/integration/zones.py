"""Zones for tests over HTTP, opened together: the time a change takes to reach the gate is waited for only once."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest

from foyer_origin import ORIGIN_SECRET_HEADER
from scripts.demo_site.app import close_app, create_app
from scripts.demo_site.events import EVENTS
from scripts.edge import Edge
from tests.integration.running import PUBLISHED_SEC, Foyer, wait_until
from tests.support.serving import served

SITE_KEY = "the key of every zone the tests open"
ORIGIN_SECRET = "what the edge shows the sample site"
OPENED_SEC = 60.0
"""How long the first tick of a zone may take: a cold exchanger on a busy machine."""


def path_of(zone_id: str) -> str:
    """The page a zone of these tests guards; the sample site sells tickets of the event with that id there."""
    return f"/events/{zone_id}"


def zone(zone_id: str, **changes: Any) -> dict[str, Any]:
    """A zone that lets two in at once; `changes` replace fields."""
    document = {
        "zone_id": zone_id,
        "title": zone_id.replace("-", " ").capitalize(),
        "mode": "queueing",
        "max_active": 2,
        "rules": [{"paths": [path_of(zone_id)]}],
        "landing_path": path_of(zone_id),
        "claim": {"window_sec": 30, "grace_sec": 30},
        "poll": {"near_sec": 1, "far_sec": 5, "near_ahead": 200},
        "forward_token": True,
        "site_key_sha256": hashlib.sha256(SITE_KEY.encode()).hexdigest(),
    }
    return document | changes


def status_of(foyer: Foyer, zone_id: str) -> dict[str, Any]:
    """The status document as waiting browsers read it, through the edge; `{}` before the first."""
    answer = httpx.get(f"{foyer.url}/.waiting-room/status/{zone_id}.json")
    document: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return document


def open_zones(foyer: Foyer, *documents: dict[str, Any]) -> None:
    """Create zones as an operator does; return once each is guarded, ticked and open to the first visitors.

    What an earlier test run left of a zone on an engine that outlives it is deleted first.
    """
    runs = {}
    for document in documents:
        path = f"/zones/{document['zone_id']}"
        assert foyer.operate("DELETE", path).status_code in (204, 404)
        stored = foyer.operate("PUT", path, document)
        assert stored.status_code == 201, stored.text
        runs[document["zone_id"]] = stored.json()["run"]
    # The schedule would do so within a minute.
    foyer.client("lambda").invoke(FunctionName=foyer.stack.names.function("dispatcher"), Payload=b"{}")
    for zone_id, run in runs.items():
        wait_until(partial(_is_open, foyer, zone_id, run), OPENED_SEC, f"zone {zone_id} lets visitors in")
        wait_until(partial(is_guarded, foyer.url, zone_id), PUBLISHED_SEC, f"the gate guards {path_of(zone_id)}")


def _is_open(foyer: Foyer, zone_id: str, run: int) -> bool:
    status = status_of(foyer, zone_id)
    return bool(status and status["run"] == run and status["lanes"]["general"]["ahead"] > 0)


def is_guarded(edge_url: str, zone_id: str) -> bool:
    """Whether the gate of an edge has heard of a zone."""
    return httpx.get(edge_url + path_of(zone_id)).status_code == 429


def decides(edge_url: str) -> bool:
    """Whether the gate of a new edge has its snapshot: on a busy machine the first fetch takes longer than it waits."""
    return httpx.get(edge_url).status_code != 503


@contextlib.contextmanager
def sample_site(foyer: Foyer, *zone_ids: str) -> Iterator[Edge]:
    """Yield an edge with the demo's site behind it, which sells one more evening for each of these zones."""
    evening = next(iter(EVENTS.values()))
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as running:
        for zone_id in zone_ids:
            title = zone_id.replace("-", " ").capitalize()
            patch.setitem(EVENTS, zone_id, replace(evening, event_id=zone_id, title=title))
        # Its server reaches the API through the other edge: which one makes no difference, and that one is up.
        site = create_app(foyer.url, dict.fromkeys(EVENTS, SITE_KEY), origin_secret=ORIGIN_SECRET)
        running.callback(close_app, site)
        site_url = running.enter_context(served(site))
        secret = {ORIGIN_SECRET_HEADER: ORIGIN_SECRET}
        edge = running.enter_context(Edge(0, foyer.stack, site_url, site_headers=secret))
        wait_until(partial(decides, edge.url), PUBLISHED_SEC, "a new gate has its snapshot")
        yield edge
