"""The place survives what happens to phones and browsers: another device, the back button, no network, a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.canned_zone import (
    AWAY_PATH,
    BACK_PATH,
    ENTER_PATH,
    JOIN_PATH,
    PLACE_PATH,
    STATUS_PATH,
    CannedZone,
    refusal,
)
from tests.browser.watching import eventually, state_is
from waiting_room.http.page.languages import texts

LINK = f"{ENTER_PATH.removesuffix('/enter')}/moves#abc"


@pytest.fixture
def zone() -> Iterator[CannedZone]:
    with CannedZone() as zone:
        zone.answers[f"POST {PLACE_PATH}/links"] = lambda: (201, {"path": LINK, "expires_at_ms": 0})
        yield zone


def test_a_link_is_made_by_keyboard_and_the_old_device_is_told(zone: CannedZone, page: Page) -> None:
    page.clock.install()
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.locator("#move-label").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#move-link")).to_have_value(zone.url + LINK)
    expect(page.locator("#move-link")).to_be_focused()
    expect(page.locator("#move-said")).to_contain_text("It works once")
    zone.answers[f"GET {PLACE_PATH}"] = lambda: refusal("moved", 403)
    page.clock.run_for(11_000)
    state_is(page, "moved")
    expect(page.locator("#move")).to_be_hidden()


def test_a_link_that_cannot_be_made_is_said_so(zone: CannedZone, page: Page) -> None:
    zone.answers[f"POST {PLACE_PATH}/links"] = lambda: refusal("overloaded", 429)
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.locator("#move-label").click()
    page.locator("#move-make").click()
    expect(page.locator("#move-said")).to_have_text(texts()["notices"]["move_failed"])
    expect(page.locator("#move-link")).to_be_hidden()


def test_a_place_that_lives_elsewhere_is_not_joined_for_again(zone: CannedZone, page: Page) -> None:
    page.add_init_script("""localStorage.setItem("foyer.progress.midnight-sun", '{"id": "1/240/1"}')""")
    zone.answers[f"GET {PLACE_PATH}"] = lambda: refusal("moved", 403)
    page.goto(zone.page_url)
    state_is(page, "moved")
    assert zone.count("POST", JOIN_PATH) == 0


def test_without_a_network_it_waits_and_with_one_it_asks_at_once(
    zone: CannedZone, context: BrowserContext, page: Page
) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    context.set_offline(True)
    expect(page.locator("#notice")).to_have_text(texts()["notices"]["offline"], timeout=10_000)
    expect(page.locator("#place")).to_have_text("241")
    zone.say(serving=200, ahead=200)
    context.set_offline(False)
    expect(page.locator("#figure")).to_have_text("40", timeout=3_000)
    expect(page.locator("#notice")).to_be_hidden()
    assert zone.count("POST", JOIN_PATH) == 1


def test_after_a_long_sleep_the_numbers_are_new_and_the_place_is_the_same(zone: CannedZone, page: Page) -> None:
    page.clock.install()
    page.goto(zone.page_url)
    state_is(page, "waiting")
    zone.say(serving=230, ahead=230)
    page.clock.fast_forward(3_600_000)
    expect(page.locator("#figure")).to_have_text("10")
    expect(page.locator("#place")).to_have_text("241")
    assert zone.count("POST", JOIN_PATH) == 1


def test_back_from_another_page_it_goes_on_where_the_line_is(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.goto(zone.url + ENTER_PATH)
    eventually(lambda: zone.count("POST", AWAY_PATH) == 1)
    zone.say(serving=200, ahead=200)
    page.go_back()
    expect(page.locator("#figure")).to_have_text("40")
    eventually(lambda: zone.count("POST", BACK_PATH) == 1)
    page.reload()
    eventually(lambda: zone.count("POST", AWAY_PATH) == 2 and zone.count("POST", BACK_PATH) == 2)
    asked = zone.count("GET", STATUS_PATH)
    eventually(lambda: zone.count("GET", STATUS_PATH) > asked)


def test_the_page_may_be_kept_by_the_browser_and_wakes_up(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    asked = zone.count("GET", STATUS_PATH)
    page.wait_for_timeout(2_500)
    assert zone.count("GET", STATUS_PATH) == asked, "a page that is put away asks nothing"
    assert page.evaluate("navigator.locks.query().then((known) => known.held.length)") == 0
    zone.say(serving=200, ahead=200)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("#figure")).to_have_text("40")


def test_a_place_that_does_not_count_any_more_is_replaced_with_one_plain_sentence(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    expect(page.locator("#notice")).to_be_hidden()
    zone.joined = False
    page.reload()
    state_is(page, "waiting")
    expect(page.locator("#notice")).to_have_text(texts()["notices"]["afresh"])
    page.reload()
    state_is(page, "waiting")
    expect(page.locator("#notice")).to_be_hidden()


def test_the_browser_restarts(zone: CannedZone, browser: Browser, tmp_path: Path) -> None:
    """What a browser keeps on disk is enough; the place itself is the server's and proved by a cookie."""
    first = browser.new_context()
    page = first.new_page()
    page.goto(zone.page_url)
    state_is(page, "waiting")
    zone.say(serving=180, ahead=180)
    expect(page.locator("#progress")).to_have_js_property("value", 49)
    kept = tmp_path / "kept.json"
    first.storage_state(path=kept)
    first.close()
    again = browser.new_context(storage_state=kept)
    page = again.new_page()
    page.goto(zone.page_url)
    expect(page.locator("#place")).to_have_text("241")
    expect(page.locator("#progress")).to_have_js_property("value", 49)
    assert zone.count("POST", JOIN_PATH) == 1
    again.close()
