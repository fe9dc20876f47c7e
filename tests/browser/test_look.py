"""The organiser's look changes live: logo, colour with readable text, cards; nobody loses anything by it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.canned_zone import JOIN_PATH, CannedZone, refusal
from tests.browser.watching import state_is

LOGO = "/.waiting-room/assets/favicon.svg"
CARDS = [
    {"title": "Parking", "text": "Level 2 is free after six.", "url": "/parking"},
    {"title": "Food <b>", "text": "<img src=x onerror=alert(1)> soup & bread", "url": "javascript:alert(1)"},
]


def test_a_look_comes_and_goes_while_the_page_is_open(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    expect(page.locator("#brand")).to_be_hidden()
    zone.say(page={"logo_url": LOGO, "accent": "#0b2a5b", "cards": CARDS})
    expect(page.locator("#logo")).to_have_attribute("src", LOGO)
    cards = page.locator("#cards-list li")
    expect(cards).to_have_count(2)
    expect(cards.nth(0).locator("a")).to_have_attribute("href", "/parking")
    expect(cards.nth(1)).to_contain_text("<img src=x onerror=alert(1)> soup & bread")
    expect(cards.nth(1).locator("a, img")).to_have_count(0)
    expect(page.locator(".ticket-main")).to_have_css("background-color", "rgb(11, 42, 91)")
    expect(page.locator(".ticket")).to_have_css("color", "rgb(255, 255, 255)")
    expect(page.locator("#place")).to_have_text("241")
    assert violations(page) == []
    zone.say(page={})
    expect(page.locator("#cards")).to_be_hidden()
    expect(page.locator("#brand")).to_be_hidden()
    expect(page.locator(".ticket-main")).not_to_have_css("background-color", "rgb(11, 42, 91)")


@pytest.mark.parametrize("accent", ["#ffffff", "#000000", "#777777", "#767676", "#ff0000", "#0000ff", "#00c000"])
def test_text_on_any_colour_can_be_read(zone: CannedZone, page: Page, accent: str) -> None:
    zone.say(page={"accent": accent})
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.wait_for_timeout(700)
    assert [each for each in violations(page) if "color-contrast" in each] == []


def test_an_accent_that_is_none_is_left_alone(zone: CannedZone, page: Page) -> None:
    zone.say(page={"accent": "red; } body { display: none"})
    page.goto(zone.page_url)
    state_is(page, "waiting")
    expect(page.locator("#figure")).to_be_visible()


def test_a_lane_has_a_look_and_a_message_of_its_own(page: Page) -> None:
    cards = [{"title": "Lounge", "text": "Upstairs."}]
    own = {"message": "Members go in by the side door.", "cards": cards, "accent": "#003366"}
    with CannedZone(page={"cards": [{"title": "Parking", "text": "None."}], "by_lane": {"vip": own}}) as zone:
        zone.status["page"] = dict(zone.zone.page)
        page.goto(zone.page_url)
        state_is(page, "waiting")
        expect(page.locator("#cards-list")).to_contain_text("Parking")
        zone.place["lane"] = "vip"
        zone.status["lanes"] = {"vip": zone.lane}
        page.reload()
        expect(page.locator("#cards-list")).to_contain_text("Lounge")
        expect(page.locator("#cards-list")).not_to_contain_text("Parking")
        expect(page.locator("#message-text")).to_contain_text("side door")


def test_who_must_sign_in_first_is_told_where(zone: CannedZone, page: Page) -> None:
    zone.answers[f"POST {JOIN_PATH}"] = lambda: refusal("sign-in", 401)
    zone.joined = False
    page.goto(zone.page_url)
    state_is(page, "sign_in")
    expect(page.locator("#action")).to_have_text("Sign in")
    expect(page.locator("#action")).to_have_attribute("href", "/")
