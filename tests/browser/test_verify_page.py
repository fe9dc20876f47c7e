"""The page that checks a draw, in Chromium: from the record alone it comes to the same place as the service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.browser.canned_zone import CannedZone
from waiting_room.domain.line.draws import Draw, commitment_to

SECRET = "3d" * 32
DRAW = Draw("winter-gala", 2, SECRET, commitment_to(SECRET), 9, "ab" * 32, {"general": 5_000}, 1)
PAGE = "/.waiting-room/assets/verify/index.html"


def opened(page: Page, zone: CannedZone, document: Any, query: str) -> str:
    """The page with a record published; returns the state it comes to."""

    def publish(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps(document))

    page.route("**/.waiting-room/draws/winter-gala/2.json", publish)
    page.goto(f"{zone.url}{PAGE}?zone=winter-gala&run=2{query}")
    page.wait_for_function("() => document.documentElement.dataset.state")
    return str(page.evaluate("() => document.documentElement.dataset.state"))


@pytest.mark.parametrize("number", [1, 2, 4_999, 5_000, 5_001])
def test_a_place_is_worked_out(page: Page, zone: CannedZone, number: int) -> None:
    assert opened(page, zone, DRAW.document, f"&arrival={number}") == "placed"
    assert page.inner_text("#place") == str(DRAW.place("general", number - 1) + 1)
    assert "round 9" in page.inner_text("#beacon")


@pytest.mark.parametrize(
    ("change", "state"),
    [({"secret": "00" * 32}, "secret"), ({"secret": None, "early": None}, "closed"), ({"method": "other"}, "method")],
)
def test_a_record_that_proves_nothing_is_called_that(
    page: Page, zone: CannedZone, change: dict[str, Any], state: str
) -> None:
    assert opened(page, zone, {**DRAW.document, **change}, "&arrival=1") == state
    assert page.inner_text("#place") == ""
