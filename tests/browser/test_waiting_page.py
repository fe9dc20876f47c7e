"""The waiting page in Chromium, against answers set by hand: every state, every survival, nothing asked too often."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.canned_zone import (
    AWAY_PATH,
    CLAIM_PATH,
    ENTER_PATH,
    JOIN_PATH,
    PLACE_PATH,
    STATUS_PATH,
    TO,
    CannedZone,
    refusal,
)
from waiting_room.http.wording import texts

STATES = texts()["states"]
ADMITTED = (201, {"status": "admitted"})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def zone() -> Iterator[CannedZone]:
    with CannedZone() as zone:
        yield zone


def state_is(page: Page, state: str) -> None:
    """Wait for a state, and see that its words are there."""
    page.wait_for_function("state => document.documentElement.dataset.state === state", arg=state, timeout=8_000)
    expect(page.locator("#headline")).to_have_text(STATES[state]["headline"])
    expect(page.locator("#lead")).to_have_text(STATES[state]["lead"])


def eventually(check: Callable[[], bool], timeout_sec: float = 5) -> None:
    """Wait for something outside the page."""
    ends = time.monotonic() + timeout_sec
    while not check() and time.monotonic() < ends:
        time.sleep(0.02)
    assert check()


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
    assert zone.count("GET", PLACE_PATH) == 1
    assert zone.count("POST", CLAIM_PATH) == 0


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


@pytest.mark.parametrize(
    ("said", "place", "state"),
    [
        ({"serving": 240, "ahead": 240}, {}, "next"),
        ({"phase": "paused"}, {}, "paused"),
        ({"phase": "locked"}, {}, "locked"),
        ({"phase": "locked"}, {"status": "admitted"}, "locked_inside"),
        ({"phase": "sold_out"}, {}, "sold_out"),
        ({"phase": "ended"}, {}, "ended"),
        ({"run": 2}, {}, "run_over"),
        ({}, {"status": "lapsed"}, "lapsed"),
        ({}, {"status": "left"}, "left"),
        ({}, {"status": "completed"}, "completed"),
        ({}, {"status": "revoked"}, "revoked"),
        ({}, {"position": None, "ahead": None}, "placing"),
    ],
)
def test_each_state_says_what_happened_aloud_and_what_to_do(
    zone: CannedZone, page: Page, said: dict[str, Any], place: dict[str, Any], state: str
) -> None:
    zone.say(**said)
    zone.place.update(place)
    page.goto(zone.page_url)
    state_is(page, state)
    expect(page.locator("#spoken")).to_contain_text(STATES[state]["lead"])
    action = page.locator("#action")
    if "action" not in STATES[state]:
        expect(action).to_be_hidden()
    elif state in ("lapsed", "left", "run_over"):
        expect(action).to_have_attribute("href", f"{ENTER_PATH}?to=%2Fevents%2Fmidnight-sun")
    else:
        expect(action).to_have_attribute("href", "/")


def test_a_wait_that_stands_still_gives_no_estimate(zone: CannedZone, page: Page) -> None:
    zone.say(phase="paused")
    page.goto(zone.page_url)
    state_is(page, "paused")
    expect(page.locator("#estimate")).to_have_text(texts()["estimates"]["withheld"])


def test_passed_over_it_asks_the_server_what_became_of_its_place(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    zone.claim = refusal("lapsed", 410)
    zone.say(serving=300, ahead=300, floor=250)
    state_is(page, "lapsed")


@pytest.mark.parametrize(
    ("refused", "state"),
    [
        (refusal("lapsed", 410), "lapsed"),
        (refusal("hard-end", 410), "hard_end"),
        (refusal("sold-out", 410), "sold_out"),
        (refusal("run-over", 410), "ended"),
        (refusal("already-completed", 409), "completed"),
        (refusal("forbidden", 403), "revoked"),
    ],
)
def test_a_refused_claim_is_explained(zone: CannedZone, page: Page, refused: Any, state: str) -> None:
    zone.claim = refused
    zone.say(serving=300, ahead=300)
    page.goto(zone.page_url)
    state_is(page, state)


def test_an_unlocked_visitor_goes_straight_back_in(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "admitted"
    zone.say(phase="locked")
    page.goto(zone.page_url)
    state_is(page, "locked_inside")
    zone.say(phase="open")
    page.wait_for_url(f"{zone.url}{ENTER_PATH}**")


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


def test_sent_back_by_enter_it_asks_why(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "admitted"
    zone.claim = refusal("forbidden", 403)
    page.goto(zone.page_url)
    page.wait_for_url(f"{zone.url}{ENTER_PATH}**")
    page.goto(zone.page_url)
    state_is(page, "revoked")


def test_the_countdown_goes_by_the_servers_clock(page: Page) -> None:
    starts_at_ms = int(time.time() * 1000) + 600_000
    with CannedZone(mode="combined", starts_at_ms=starts_at_ms) as zone:
        zone.say(phase="before", serving=0, floor=0, ahead=0)
        # The browser believes it is an hour later.
        page.clock.set_system_time((starts_at_ms + 3_000_000) / 1000)
        page.goto(zone.page_url)
        state_is(page, "before")
        expect(page.locator("#figure")).to_have_text(re.compile(r"^9:\d\d$"))
        expect(page.locator("#place")).to_have_text("241")
        zone.say(phase="open", serving=122)
        page.evaluate("dispatchEvent(new Event('online'))")
        state_is(page, "waiting")


def test_an_unreachable_waiting_room_is_told_calmly_and_got_over(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    zone.reachable = False
    expect(page.locator("#notice")).to_have_text(texts()["notices"]["offline"], timeout=8_000)
    expect(page.locator("#figure")).to_have_text("118")
    zone.reachable = True
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#notice")).to_be_hidden(timeout=8_000)


def test_old_numbers_are_told_as_old(zone: CannedZone, page: Page) -> None:
    zone.age_ms = 90_000
    page.goto(zone.page_url)
    expect(page.locator("#notice")).to_contain_text("your place is safe")


def test_the_organisers_words_change_live_and_stay_words(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    hostile = '</script><img src=x onerror="document.title=1"> 20 % off & "more"'
    zone.say(message=hostile, title="<b>Midnight</b> Sun", picture_url="/no-such-picture.jpg")
    expect(page.locator("#message-text")).to_have_text(hostile)
    expect(page.locator("#event")).to_have_text("<b>Midnight</b> Sun")
    expect(page.locator("#spoken")).to_contain_text("20 % off")
    expect(page.locator("#picture")).to_have_attribute("src", "/.waiting-room/assets/picture.svg")
    assert page.locator("main img").count() == 0


def test_focus_stays_where_it_is(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "lapsed"
    page.goto(zone.page_url)
    state_is(page, "lapsed")
    page.locator("#action").focus()
    zone.say(message="Something new")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#message-text")).to_have_text("Something new")
    assert page.evaluate("document.activeElement.id") == "action"


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
    zone._answers[f"GET {PLACE_PATH}"] = lambda: refusal("no-token", 401)
    page.goto(zone.page_url)
    state_is(page, "cookies")
    assert zone.count("POST", JOIN_PATH) == 1


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_blocked(zone: CannedZone, page: Page) -> None:
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(zone.page_url)
    state_is(page, "waiting")
    assert complaints == []
    assert all(url.startswith(zone.url) for url in asked)


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
