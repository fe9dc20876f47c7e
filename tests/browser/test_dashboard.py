"""The operator's dashboard in a browser: readable by everybody, on a phone too, and nothing changes unread."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.axe import violations
from tests.browser.dashboard_zones import VISITOR, CannedService, dashboard
from tests.browser.watching import pumped

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1360, "height": 900}}


@pytest.fixture
def service() -> CannedService:
    return CannedService()


@pytest.fixture
def address(service: CannedService) -> Iterator[str]:
    with dashboard(service) as address:
        yield address


def open_zone(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Midnight Sun").click()
    expect(page.locator("#detail-title")).to_have_text("Midnight Sun (midnight-sun)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_keeps_nobody_out_and_fits(browser: Browser, address: str, size: str, scheme: Any) -> None:
    viewport: Any = SIZES[size]
    page = browser.new_page(viewport=viewport, color_scheme=scheme, locale="en-GB")
    page.goto(address)
    expect(page.locator("#zones li")).to_have_count(27)
    assert violations(page) == []
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"dashboard-all-{size}-{scheme}.png")
    open_zone(page, address)
    page.locator("#look-up input").fill(VISITOR)
    page.get_by_role("button", name="Look up").click()
    expect(page.locator("#visitor")).to_contain_text("15 min after joining")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=FOLDER / f"dashboard-zone-{size}-{scheme}.png", full_page=True)
    page.get_by_role("button", name="Gate off").click()
    expect(page.locator("#says")).to_contain_text("The gate is OFF")
    assert violations(page) == []
    page.screenshot(path=FOLDER / f"dashboard-confirm-{size}-{scheme}.png")
    page.close()


def test_a_server_that_never_answers_is_said_so_and_asked_again(address: str, page: Page) -> None:
    page.clock.install()
    page.goto(address)
    expect(page.locator("#zones li")).to_have_count(27)
    hanging: list[Route] = []
    page.route("**/zones", lambda route: hanging.append(route))
    page.clock.run_for(2_100)
    pumped(page, lambda: len(hanging) == 1)
    page.clock.run_for(61_000)
    expect(page.locator("#trouble")).to_contain_text("is `wr dashboard` still running?")
    page.unroute("**/zones")
    page.clock.run_for(2_100)
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_pause_is_one_click_and_a_confirmation(service: CannedService, address: str, page: Page) -> None:
    open_zone(page, address)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("#says")).to_contain_text("Nobody new is let in. 3,708 go on waiting")
    page.get_by_role("button", name="Leave it").click()
    assert service.changes == []
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_have_attribute("aria-pressed", "true")
    assert service.changes == [("midnight-sun", {"control": "pause", "version": 4})]


def test_a_rate_out_of_proportion_must_be_typed_again(service: CannedService, address: str, page: Page) -> None:
    open_zone(page, address)
    page.get_by_label("Rate a minute").fill("1000000")
    page.get_by_role("button", name="Set rate").click()
    expect(page.locator("#says")).to_contain_text("16,667 a second")
    expect(page.locator("#yes")).to_be_hidden()
    page.get_by_role("button", name="Leave it").click()
    page.get_by_label("Rate a minute").fill("100000")
    page.get_by_role("button", name="Set rate").click()
    page.get_by_role("button", name="Do it").click()
    expect(page.locator("#refusal")).to_have_text("Type 100000 to confirm.")
    assert service.changes == []
    page.get_by_label("Type 100000 to confirm").fill("100000")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_hidden()
    assert service.changes == [("midnight-sun", {"changes": {"rate_per_min": 100000}, "version": 4})]


def test_the_confirmation_names_what_is_confirmed(address: str, page: Page) -> None:
    open_zone(page, address)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("dialog", name="Lock: Midnight Sun")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_accessible_description(re.compile("Everybody waits"))
    page.keyboard.press("Escape")
    page.get_by_label("Rate a minute").fill("0")
    page.get_by_role("button", name="Set rate").click()
    expect(page.get_by_role("dialog", name="This cannot be done")).to_contain_text("pause lets nobody in")


def test_a_dashboard_that_was_ended_says_so_where_it_is_seen(service: CannedService, page: Page) -> None:
    with dashboard(service) as address:
        page.set_viewport_size({"width": 390, "height": 844})
        open_zone(page, address)
        page.evaluate("scrollTo(0, 700)")
    expect(page.locator("#trouble")).to_contain_text("is `wr dashboard` still running?", timeout=15_000)
    expect(page.locator("#trouble")).to_contain_text("What is shown here is of")
    expect(page.locator("#trouble")).to_be_in_viewport(ratio=1)
    expect(page.locator("#figures")).to_contain_text("against the cap")


def test_the_last_changes_are_told_newest_first_and_nobody_s_looking(address: str, page: Page) -> None:
    open_zone(page, address)
    changes = page.locator("#changes li")
    expect(changes).to_have_count(2)
    expect(changes.nth(0)).to_contain_text(re.compile(r"starts_at_ms: not set -> \d{4}-\d\d-\d\d"))
    expect(changes.nth(1)).to_contain_text("rate_per_min: 240 -> 120")
    expect(changes.nth(1)).to_contain_text(re.compile(r", ines$"))


def test_sales_are_told_only_where_a_stock_is_set(service: CannedService, address: str, page: Page) -> None:
    open_zone(page, address)
    sold = page.locator("#figures div", has_text="Sold")
    expect(sold).to_contain_text("1,364 of 4,000")
    expect(page.locator("#charts")).to_contain_text("Sold against the stock")
    service.zone("midnight-sun")["inventory"] = None
    expect(sold).to_contain_text("no stock is set", timeout=15_000)
    expect(sold.locator("dd")).to_have_text(re.compile("^–"))
    expect(page.locator("#charts")).not_to_contain_text("Sold against the stock")


def test_what_stays_the_same_stays_in_its_place(address: str, page: Page) -> None:
    """A click, the focus or a marked text would be lost with an element that is replaced."""
    open_zone(page, address)
    page.evaluate("for (const each of document.querySelectorAll('#zones li')) each.seen = true")
    with page.expect_response(re.compile("/zones/midnight-sun$")):
        pass
    with page.expect_response(re.compile("/zones/midnight-sun$")):
        pass
    assert page.evaluate("[...document.querySelectorAll('#zones li')].filter(each => each.seen).length") >= 24
    page.get_by_role("button", name="All zones").click()
    assert page.evaluate("document.activeElement.dataset.zone") == "midnight-sun"


def test_hostile_titles_are_text(service: CannedService, address: str, page: Page) -> None:
    service.all[0]["title"] = "<img src=x onerror=document.title='taken'>"
    page.goto(address)
    expect(page.locator("#zones")).to_contain_text("<img src=x")
    assert page.title() == "Waiting rooms"


def test_zones_are_found_by_name_and_live_ones_come_first(address: str, page: Page) -> None:
    page.goto(address)
    expect(page.locator("#zones li").nth(0)).to_contain_text("3,708 waiting")
    expect(page.locator("#zones li").nth(3)).to_contain_text("Matinée")
    page.locator("#filter").fill("winter")
    expect(page.locator("#count")).to_contain_text("1 of 27 zones")
