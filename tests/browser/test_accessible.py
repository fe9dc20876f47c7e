"""Nobody is kept out: no violation in any state, light or dark, by axe; keyboard, zoom, quiet, reduced motion."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.canned_zone import CannedZone, refusal
from tests.browser.watching import STATES, state_is
from waiting_room.http.page.languages import languages

CANNED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "waiting": ({}, {}),
    "next": ({"serving": 240, "ahead": 240}, {}),
    "paused": ({"phase": "paused"}, {}),
    "locked": ({"phase": "locked"}, {}),
    "locked_inside": ({"phase": "locked"}, {"status": "admitted"}),
    "shut": ({"door": "shut"}, {}),
    "shut_called": ({"door": "shut", "serving": 300, "ahead": 300}, {}),
    "preparing": ({"serving": 300, "ahead": 300}, {}),
    "sold_out": ({"phase": "sold_out"}, {}),
    "ended": ({"phase": "ended"}, {}),
    "run_over": ({"run": 2}, {}),
    "lapsed": ({}, {"status": "lapsed"}),
    "left": ({}, {"status": "left"}),
    "completed": ({}, {"status": "completed"}),
    "revoked": ({}, {"status": "revoked"}),
    "placing": ({}, {"position": None, "ahead": None}),
}
"""States by what the zone publishes and what it tells of the place."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", CANNED)
def test_no_state_has_a_violation(browser: Browser, zone: CannedZone, state: str, scheme: Any) -> None:
    said, place = CANNED[state]
    zone.say(**said)
    zone.place.update(place)
    page = browser.new_page(color_scheme=scheme, locale="en-GB", reduced_motion="reduce")
    page.goto(zone.page_url)
    state_is(page, state)
    for summary in page.locator("summary:visible").all():
        summary.click()
    assert violations(page) == []
    page.close()


def test_asked_first_there_is_no_violation(zone: CannedZone, page: Page) -> None:
    page.add_init_script("localStorage.setItem('foyer.options', '[\"ask_first\"]')")
    zone.say(serving=300, ahead=300)
    page.goto(zone.page_url)
    state_is(page, "ready")
    assert violations(page) == []


@pytest.mark.parametrize("problem", ["moved", "hard-end", "unknown-zone"])
def test_no_refusal_has_a_violation(zone: CannedZone, page: Page, problem: str) -> None:
    zone.answers["POST /.waiting-room/v1/zones/midnight-sun/visitors"] = lambda: refusal(problem, 410)
    page.goto(zone.page_url)
    expect(page.locator("#action")).to_be_visible()
    assert violations(page) == []


def test_the_page_without_scripts_has_no_violation(zone: CannedZone, page: Page) -> None:
    page.set_content(zone.page_without_scripts().replace('"/.waiting-room', f'"{zone.url}/.waiting-room'))
    expect(page.locator("#place")).to_have_text("241")
    # It looks again by itself, which is what it is for: nothing else could tell its reader that the turn has come.
    assert violations(page, allowed="meta-refresh") == []


@pytest.mark.parametrize("language", languages())
def test_no_language_breaks_the_page_on_a_small_phone_or_at_double_size(
    browser: Browser, zone: CannedZone, language: str
) -> None:
    """Double size on a phone of 640 pixels is what 320 pixels show (WCAG 1.4.10)."""
    page = browser.new_page(viewport={"width": 320, "height": 640}, locale=language, reduced_motion="reduce")
    page.goto(zone.page_url)
    expect(page.locator("#figure")).to_have_text("118")
    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.close()


def test_everything_that_can_be_done_is_reached_by_keyboard_in_order(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["options-label", "move-label", "language-summary"]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_it_speaks_at_milestones_and_not_at_every_poll(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    expect(page.locator("#spoken")).to_contain_text("118 people ahead of you.")
    page.evaluate(
        """() => {
          globalThis.said = [];
          new MutationObserver(() => said.push(document.getElementById("spoken").textContent))
            .observe(document.getElementById("spoken"), { childList: true, characterData: true, subtree: true });
        }"""
    )
    for serving in (123, 125, 130, 139, 141, 145):
        zone.say(serving=serving, ahead=serving)
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator("#figure")).to_have_text(str(240 - serving))
    assert page.evaluate("said") == ["99 people ahead of you."]


def test_nothing_moves_for_those_who_asked_for_less_motion(browser: Browser, zone: CannedZone) -> None:
    zone.say(serving=300, ahead=300)
    page = browser.new_page(reduced_motion="reduce")
    page.goto(zone.page_url)
    state_is(page, "preparing")
    moving = page.evaluate("document.getAnimations().filter((each) => each.playState === 'running').length")
    assert moving == 0
    page.close()


def test_before_the_start_there_is_no_violation(page: Page) -> None:
    with CannedZone(mode="combined", starts_at_ms=int(time.time() * 1000) + 600_000) as zone:
        zone.say(phase="before", serving=0, floor=0, ahead=0)
        page.goto(zone.page_url)
        state_is(page, "before")
        expect(page.locator("#lead")).to_have_text(STATES["before"]["lead"])
        assert violations(page) == []
