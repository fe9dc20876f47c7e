"""Visits to the waiting page in Chromium: into the line, through every mishap, and in; nothing asked too often."""

from __future__ import annotations

import json
import time

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.canned_zone import (
    AWAY_PATH,
    CLAIM_PATH,
    ENTER_PATH,
    JOIN_PATH,
    PAGE_PATH,
    PLACE_PATH,
    STATUS_PATH,
    TO,
    CannedZone,
    refusal,
)
from tests.browser.watching import STATES, eventually, state_is
from tests.support import measured_counts

ADMITTED = (201, {"status": "admitted"})


def test_a_newcomer_joins_once_and_then_asks_for_the_status_document_only(zone: CannedZone, page: Page) -> None:
    zone.joined = False
    page.goto(zone.page_url)
    state_is(page, "waiting")
    expect(page.locator("#figure")).to_have_text("118")
    expect(page.locator("#place")).to_have_text("241")
    expect(page.locator("#estimate")).to_have_text("3 to 7 minutes")
    expect(page.locator("#kept")).to_contain_text("You can close this tab; your place is kept on this browser.")
    assert page.title() == "118 ahead · Midnight Sun"
    eventually(lambda: zone.count("GET", STATUS_PATH) >= 3)
    assert zone.count("POST", JOIN_PATH) == 1
    assert zone.count("GET", PLACE_PATH) == 0, "a stranger has no place to ask for"
    assert zone.count("POST", CLAIM_PATH) == 0


def test_a_browser_loads_no_more_than_the_cost_table_says(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    loaded = {request for request in zone.requests if request == f"GET {PAGE_PATH}" or "/assets/" in request}
    counted = json.loads(measured_counts.FILE.read_text(encoding="utf-8"))["sizes"]["page_requests"]
    assert len(loaded) == counted
    # The page's own policy lets it show the picture it carries.
    assert page.locator("#picture").evaluate("image => image.complete && image.naturalWidth > 0")
    assert {zone.requests[request] for request in loaded} == {1}


def test_the_line_moves_and_never_backwards(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    expect(page.locator("#figure")).to_have_text("118")
    zone.say(serving=180)
    expect(page.locator("#figure")).to_have_text("60")
    expect(page.locator("#progress")).to_have_js_property("value", 49)
    zone.say(serving=150, tick=1)
    polls = zone.count("GET", STATUS_PATH)
    eventually(lambda: zone.count("GET", STATUS_PATH) >= polls + 2)
    expect(page.locator("#figure")).to_have_text("60")
    zone.say(serving=180, tick=9)
    page.reload()
    expect(page.locator("#figure")).to_have_text("60")
    expect(page.locator("#progress")).to_have_js_property("value", 49)


def test_a_second_tab_shows_the_same_place_and_the_same_progress(zone: CannedZone, context: BrowserContext) -> None:
    first, second = context.new_page(), context.new_page()
    first.goto(zone.page_url)
    expect(first.locator("#figure")).to_have_text("118")
    zone.say(serving=180)
    expect(first.locator("#figure")).to_have_text("60")
    second.goto(zone.page_url)
    expect(second.locator("#place")).to_have_text("241")
    expect(second.locator("#progress")).to_have_js_property("value", 49)


def test_called_it_waits_for_its_place_and_goes_in_without_leaving_a_trace_in_the_history(
    zone: CannedZone, page: Page
) -> None:
    page.goto(zone.url + ENTER_PATH)
    page.goto(zone.page_url)
    state_is(page, "waiting")
    zone.say(serving=241, ahead=241)
    state_is(page, "preparing")
    eventually(lambda: zone.count("POST", CLAIM_PATH) >= 2)
    zone.claim = ADMITTED
    page.wait_for_url(zone.url + TO)
    assert zone.count("POST", AWAY_PATH) == 0
    page.go_back()
    assert page.url == zone.url + ENTER_PATH


def test_an_unlocked_visitor_goes_straight_back_in(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "admitted"
    zone.claim = ADMITTED
    zone.say(phase="locked")
    page.goto(zone.page_url)
    state_is(page, "locked_inside")
    zone.say(phase="open")
    page.wait_for_url(zone.url + TO)


def test_a_document_older_than_the_servers_word_does_not_overrule_it(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "admitted"
    zone.claim = ADMITTED
    zone.told_phase = "locked"
    zone.age_ms = 120_000
    page.goto(zone.page_url)
    state_is(page, "locked_inside")
    eventually(lambda: zone.count("GET", STATUS_PATH) >= 1)
    zone.age_ms = 0
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(zone.url + TO)


def test_with_the_gate_off_everybody_goes_in(zone: CannedZone, page: Page) -> None:
    zone.say(phase="passing")
    page.goto(zone.page_url)
    page.wait_for_url(zone.url + TO)
    assert zone.count("POST", CLAIM_PATH) == 0


def test_sent_back_at_once_it_does_not_go_in_circles(zone: CannedZone, page: Page) -> None:
    zone.say(phase="passing")
    page.goto(zone.page_url)
    page.wait_for_url(zone.url + TO)
    sent_back_sec = time.monotonic()
    page.goto(zone.page_url)
    page.wait_for_url(zone.url + TO)
    assert time.monotonic() - sent_back_sec >= 2


def test_whoever_is_in_asks_before_leaving_the_page(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "admitted"
    zone.claim = refusal("forbidden", 403)
    page.goto(zone.page_url)
    state_is(page, "revoked")


def test_leaving_is_told_once_and_only_by_those_who_wait(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.goto("about:blank")
    eventually(lambda: zone.count("POST", AWAY_PATH) == 1)
    zone.say(phase="ended")
    page.goto(zone.page_url)
    state_is(page, "ended")
    page.goto("about:blank")
    time.sleep(0.3)
    assert zone.count("POST", AWAY_PATH) == 1


def test_a_browser_without_cookies_burns_one_place_only(zone: CannedZone, page: Page) -> None:
    zone.say(serving=300, ahead=300)
    zone.claim = refusal("no-token", 401)
    zone.answers[f"GET {PLACE_PATH}"] = lambda: refusal("no-token", 401)
    page.goto(zone.page_url)
    state_is(page, "cookies")
    assert zone.count("POST", JOIN_PATH) == 1


def test_without_scripts_the_same_facts_are_there_and_it_gets_in(zone: CannedZone, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(zone.page_url)
    page.wait_for_url(zone.url + PLACE_PATH)
    expect(page.locator("#headline")).to_have_text(STATES["waiting"]["headline"])
    expect(page.locator("#figure")).to_have_text("118")
    expect(page.locator("#place")).to_have_text("241")
    zone.place |= {"status": "called", "ahead": None}
    page.locator("#action").click()
    expect(page.locator("#headline")).to_have_text(STATES["called"]["headline"])
    page.wait_for_url(f"{zone.url}{ENTER_PATH}?to={TO}", timeout=8_000)
    context.close()
