"""A site with cookies of its own, and a visitor of many zones: what an HTTP API takes is not theirs to use up."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.guests import Guest
from tests.integration.running import Foyer
from tests.integration.zones import open_zones, zone
from waiting_room.domain.cookies import cookie_name
from waiting_room.http.frame.cookies import ZONES_PER_BROWSER

FOREIGN = {f"shop-{number}": "c" * 1_490 for number in range(6)}
"""9 KB of the site's own, as analytics, consent and a basket add up to."""
LONGEST_TOKENS = {"visitor": 500, "access": 530}
"""Bytes of tokens whose zone and lane have names as long as they may be."""


@pytest.fixture(scope="module", autouse=True)
def zones(foyer: Foyer) -> None:
    """The zones of this module, one for each test."""
    open_zones(foyer, zone("crumbs"), zone("jars"))


def a_whole_visit(guest: Guest) -> None:
    """Join, claim, renew, leave: nothing of it fails for the size of what the browser sends along."""
    assert guest.is_in()
    assert guest.call("GET", "/visitors/me").status_code == 200
    assert guest.call("POST", "/sessions/me/renewals").status_code == 200
    assert guest.call("DELETE", "/sessions/me").status_code == 204


def test_a_site_with_9_kb_of_cookies_of_its_own(http: httpx.Client, foyer: Foyer) -> None:
    guest = Guest(http, "crumbs", dict(FOREIGN))
    a_whole_visit(guest)
    assert {name: guest.cookies.get(name) for name in FOREIGN} == FOREIGN
    seen = dict(foyer.site.received[-1]["headers"])["cookie"]
    assert all(f"{name}=" in seen for name in FOREIGN), "the site gets its own, whatever the API is spared"


def test_a_visitor_of_six_zones(http: httpx.Client) -> None:
    others = (f"zone-{number}".ljust(40, "x") for number in range(ZONES_PER_BROWSER - 1))
    tokens = {cookie_name(kind, other): "t" * size for other in others for kind, size in LONGEST_TOKENS.items()}
    a_whole_visit(Guest(http, "jars", {**FOREIGN, **tokens}))
