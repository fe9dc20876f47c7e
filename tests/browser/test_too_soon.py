"""A place taken again too soon: the page says why it takes longer, and joins by itself once it may."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.canned_zone import JOIN_PATH, CannedZone, refusal
from tests.browser.watching import state_is


def test_who_joins_again_too_soon_is_told_and_joins_without_a_hand(zone: CannedZone, page: Page) -> None:
    join = zone.answers[f"POST {JOIN_PATH}"]
    zone.place["status"] = "left"
    page.goto(zone.page_url)
    state_is(page, "left")
    zone.answers[f"POST {JOIN_PATH}"] = lambda: refusal("too-soon", 429)
    page.locator("#action").click()
    state_is(page, "too_soon")
    expect(page.locator("#notice")).to_be_hidden()
    assert violations(page) == []
    zone.place["status"] = "waiting"
    zone.answers[f"POST {JOIN_PATH}"] = join
    state_is(page, "waiting")
