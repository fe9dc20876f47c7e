"""Whole visits in Chromium on the running stack: into the line, called, to the tickets, out, and the next one in."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.edge import Edge
from tests.integration.guests import Guest, connections
from tests.integration.running import Foyer, running_foyer
from tests.integration.zones import open_zones, path_of, sample_site, zone
from waiting_room.domain.locations import page_path, place_url

ZONES = ("bought", "kept", "scriptless")
CALLED_MS = 40_000
"""How long a visitor may take to get in once there is room: a tick, a poll, a claim, on a busy machine."""


@pytest.fixture(scope="module")
def foyer(browser: Browser) -> Iterator[Foyer]:
    """Yield a running Foyer; it asks for the browser first, for without one there is nothing to start it for."""
    with running_foyer() as foyer:
        open_zones(foyer, *(zone(zone_id, max_active=1) for zone_id in ZONES))
        yield foyer


@pytest.fixture(scope="module")
def edge(foyer: Foyer) -> Iterator[Edge]:
    with sample_site(foyer, *ZONES) as edge:
        yield edge


@pytest.fixture(scope="module")
def http(edge: Edge) -> Iterator[httpx.Client]:
    with connections(edge.url) as http:
        yield http


def admitted(http: httpx.Client, zone_id: str) -> Guest:
    """Somebody who has the only slot of a zone."""
    guest = Guest(http, zone_id)
    guest.open()
    guest.come_in()
    return guest


def in_line(page: Page, edge: Edge, zone_id: str, place: int) -> None:
    """Go to the event as a visitor does, and wait until the page shows this place in line."""
    page.goto(edge.url + path_of(zone_id))
    expect(page.locator("#place")).to_have_text(str(place), timeout=CALLED_MS)
    expect(page.locator("#headline")).to_be_visible()


def test_called_in_order_they_buy_and_make_room(
    browser: Browser, context: BrowserContext, edge: Edge, http: httpx.Client
) -> None:
    holder = admitted(http, "bought")
    page, second = context.new_page(), browser.new_context()
    in_line(page, edge, "bought", 2)
    assert page.url.startswith(edge.url + page_path("bought"))
    next_page = second.new_page()
    in_line(next_page, edge, "bought", 3)

    assert holder.call("DELETE", "/sessions/me").status_code == 204
    page.wait_for_url(edge.url + path_of("bought"), timeout=CALLED_MS)
    expect(page.locator(".welcome")).to_have_text("It is your turn: you came in through the line.")
    expect(next_page.locator("#place")).to_have_text("3")

    page.get_by_label("Upper deck").check()
    page.get_by_label("How many").select_option("2")
    page.get_by_role("button", name="Buy tickets").click()
    expect(page.get_by_role("heading", name="See you there")).to_be_visible()
    next_page.wait_for_url(edge.url + path_of("bought"), timeout=CALLED_MS)
    second.close()


def test_reload_second_tab_and_coming_back_later_keep_the_place(
    browser: Browser, context: BrowserContext, edge: Edge, http: httpx.Client
) -> None:
    holder = admitted(http, "kept")
    page = context.new_page()
    in_line(page, edge, "kept", 2)
    later = Guest(http, "kept")
    assert not later.is_in()
    assert later.place()["position"] == 2

    page.reload()
    expect(page.locator("#place")).to_have_text("2")
    tab = context.new_page()
    in_line(tab, edge, "kept", 2)

    # Closed for good: all that is left of the visit is what the browser keeps on disk.
    kept = context.storage_state()
    page.close()
    tab.close()
    with browser.new_context(storage_state=kept) as back:
        returned = back.new_page()
        in_line(returned, edge, "kept", 2)
        assert holder.call("DELETE", "/sessions/me").status_code == 204
        returned.wait_for_url(edge.url + path_of("kept"), timeout=CALLED_MS)
    assert later.place()["status"] == "waiting"


def test_without_javascript_the_line_is_told_and_leads_in(browser: Browser, edge: Edge, http: httpx.Client) -> None:
    holder = admitted(http, "scriptless")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        in_line(page, edge, "scriptless", 2)
        assert page.url.startswith(edge.url + place_url("scriptless", None))
        assert holder.call("DELETE", "/sessions/me").status_code == 204
        page.wait_for_url(edge.url + path_of("scriptless"), timeout=CALLED_MS)
        expect(page.locator(".welcome")).to_have_text("It is your turn: you came in through the line.")
        page.get_by_role("button", name="Leave without buying").click()
        expect(page.get_by_text("You have left Scriptless.")).to_be_visible()
    next_one = Guest(http, "scriptless")
    next_one.open()
    next_one.come_in()
