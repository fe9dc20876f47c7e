"""What the waiting page shows in Chromium: every state with its words, and nothing from elsewhere."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.canned_zone import ENTER_PATH, JOIN_PATH, PLACE_PATH, STATUS_PATH, CannedZone, refusal
from tests.browser.watching import STATES, eventually, state_is
from waiting_room.http.page.languages import texts


@pytest.mark.parametrize(
    ("said", "place", "state"),
    [
        ({"serving": 240, "ahead": 240}, {}, "next"),
        ({"phase": "paused"}, {}, "paused"),
        ({"phase": "locked"}, {}, "locked"),
        ({"door": "shut"}, {}, "shut"),
        ({"door": "shut", "serving": 300, "ahead": 300}, {}, "shut_called"),
        ({"door": "shut", "phase": "paused"}, {}, "paused"),
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


@pytest.mark.parametrize("told", ["by the claim", "by the place"])
def test_a_place_that_is_given_back_is_found_again(zone: CannedZone, page: Page, told: str) -> None:
    if told == "by the claim":
        zone.claim = refusal("lapsed", 410)
        zone.say(serving=300, ahead=300)
    else:
        zone.place["status"] = "lapsed"
        zone.say(serving=300, ahead=300, floor=250)
    page.goto(zone.page_url)
    state_is(page, "lapsed")
    zone.place["status"] = "lapsed"
    zone.say(serving=300, ahead=300, floor=250)
    looks = zone.count("GET", STATUS_PATH)
    page.evaluate("dispatchEvent(new Event('online'))")
    eventually(lambda: zone.count("GET", STATUS_PATH) > looks)
    page.wait_for_timeout(500)
    state_is(page, "lapsed")
    zone.place["status"] = "waiting"
    zone.say(serving=100, ahead=100, floor=90)
    page.evaluate("dispatchEvent(new Event('online'))")
    state_is(page, "waiting")
    expect(page.locator("#place")).to_have_text("241")


def test_a_visit_that_has_ended_is_not_asked_after_all_the_time(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "lapsed"
    page.goto(zone.page_url)
    state_is(page, "lapsed")
    asked = zone.count("GET", PLACE_PATH)
    for _ in range(3):
        zone.say()
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_timeout(1_100)
    assert zone.count("GET", PLACE_PATH) == asked


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


def test_the_countdown_goes_by_the_servers_clock(page: Page) -> None:
    starts_at_ms = int(time.time() * 1000) + 600_000
    with CannedZone(mode="combined", starts_at_ms=starts_at_ms) as zone:
        zone.say(phase="before", serving=0, floor=0, ahead=0)
        # The browser believes it is an hour later.
        page.clock.set_system_time((starts_at_ms + 3_000_000) / 1000)
        page.goto(zone.page_url)
        state_is(page, "before")
        expect(page.locator("#figure")).to_have_text(re.compile(r"^9:\d\d$"))
        expect(page.locator("#place")).to_be_hidden()
        expect(page.locator("#place")).to_have_text("")
        zone.say(phase="open", serving=122)
        page.evaluate("dispatchEvent(new Event('online'))")
        state_is(page, "waiting")
        expect(page.locator("#place")).to_have_text("241")


def test_before_the_line_opens_the_page_counts_down_and_asks_for_no_place(page: Page) -> None:
    opens_at_ms = int(time.time() * 1000) + 600_000
    with CannedZone(mode="combined", opens_at_ms=opens_at_ms, starts_at_ms=opens_at_ms + 3_600_000) as zone:
        zone.joined = False
        zone.say(phase="before", serving=0, floor=0, ahead=0)
        page.goto(zone.page_url)
        state_is(page, "unopened")
        expect(page.locator("#figure")).to_have_text(re.compile(r"^9:\d\d$"))
        expect(page.locator("#figure-label")).to_have_text(texts()["labels"]["until_open"])
        expect(page.locator("#starts-label")).to_have_text(texts()["labels"]["opens"])
        for hidden in ("#place-fact", "#kept", "#move", "#options", "#action"):
            expect(page.locator(hidden)).to_be_hidden()
        assert zone.count("POST", JOIN_PATH) == 0
        # The organiser opens it sooner.
        zone.say(opens_at_ms=int(time.time() * 1000) - 1)
        page.evaluate("dispatchEvent(new Event('online'))")
        state_is(page, "before")
        expect(page.locator("#starts-label")).to_have_text(texts()["labels"]["starts"])
        assert zone.count("POST", JOIN_PATH) == 1


def test_after_a_draw_the_page_leads_to_its_check(zone: CannedZone, page: Page) -> None:
    zone.place["arrival"] = 11
    page.goto(zone.page_url)
    state_is(page, "waiting")
    expect(page.locator("#drawn")).to_contain_text("12")
    expect(page.locator("#drawn-check")).to_have_attribute(
        "href", re.compile(r"/verify/index\.html\?zone=[a-z-]+&run=1&lane=general&arrival=12$")
    )


def test_where_order_is_by_arrival_there_is_no_draw_to_check(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    expect(page.locator("#drawn")).to_be_hidden()


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
    expect(page.locator("#picture")).to_have_attribute("src", re.compile(r"^data:image/svg\+xml,"))
    assert page.locator("main img:visible").count() == 0


def test_the_organisers_words_are_marked_up_and_lead_to_pages_of_their_own(zone: CannedZone, page: Page) -> None:
    zone.say(message="**Doors** at 19:00\n\n- [Map](https://example.com/map)\n- [no](javascript:alert(1))")
    page.goto(zone.page_url)
    message = page.locator("#message-text")
    expect(message.locator("strong")).to_have_text("Doors")
    expect(message.locator("li")).to_have_text(["Map", "[no](javascript:alert(1))"])
    expect(message.locator("a")).to_have_attribute("target", "_blank")
    zone.say(message="*Open* now")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(message.locator("em")).to_have_text("Open")
    expect(page.locator("#spoken")).to_contain_text("Open now")


def test_focus_stays_where_it_is(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "lapsed"
    page.goto(zone.page_url)
    state_is(page, "lapsed")
    page.locator("#action").focus()
    zone.say(message="Something new")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#message-text")).to_have_text("Something new")
    assert page.evaluate("document.activeElement.id") == "action"


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
