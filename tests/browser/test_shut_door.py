"""Nothing that goes wrong on the way costs a visitor the place, and a shut door is told calmly and once."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.canned_zone import CLAIM_PATH, JOIN_PATH, PLACE_PATH, TO, Answer, CannedZone, refusal
from tests.browser.watching import STATES, eventually, pumped, state_is
from waiting_room.http.page.languages import texts

ADMITTED: Answer = (201, {"status": "admitted"})
NOBODYS_PAGE = "<!doctype html><title>Sign in to the hotel's network</title>"
FAILURES: list[Answer] = [
    (500, {"message": "Internal Server Error"}),
    (502, "<h1>502 Bad Gateway</h1>"),
    (503, {"message": "Service Unavailable"}),
    (403, {"message": "Forbidden"}),
    (401, {"message": "Unauthorized"}),
    (404, {"message": "Not Found"}),
    (200, NOBODYS_PAGE),
    refusal("internal", 500),
    refusal("overloaded", 429),
    refusal("not-ready", 503),
]
"""Answers of somebody on the way, and of ours, that say nothing of the place."""


def look(page: Page) -> None:
    """Have the page read the document now."""
    page.evaluate("dispatchEvent(new Event('online'))")


def test_a_shut_door_is_told_once_promises_nothing_and_passes(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.evaluate(
        """() => {
          globalThis.said = [];
          const spoken = document.getElementById("spoken");
          new MutationObserver(() => said.push(spoken.textContent)).observe(spoken, { childList: true, subtree: true });
        }"""
    )
    zone.say(door="shut")
    look(page)
    state_is(page, "shut")
    expect(page.locator("#estimate")).to_have_text(texts()["estimates"]["withheld"])
    expect(page.locator("#kept")).to_be_visible()
    for _ in range(3):
        zone.say()
        look(page)
        page.wait_for_timeout(1_100)
    told = [sentence for sentence in page.evaluate("said") if STATES["shut"]["lead"] in sentence]
    assert len(told) == 1
    assert zone.count("POST", CLAIM_PATH) == 0
    zone.say(door="open")
    look(page)
    state_is(page, "waiting")


def test_called_before_a_shut_door_it_goes_on_trying_and_comes_in(zone: CannedZone, page: Page) -> None:
    zone.claim = (503, {"message": "Service Unavailable"})
    zone.say(door="shut", serving=300, ahead=300)
    page.goto(zone.page_url)
    state_is(page, "shut_called")
    eventually(lambda: zone.count("POST", CLAIM_PATH) >= 3)
    state_is(page, "shut_called")
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#figure")).to_have_text("0")
    zone.claim = ADMITTED
    zone.say(door="open")
    look(page)
    page.wait_for_url(zone.url + TO)


def test_asked_first_the_time_begins_anew_once_the_door_opens(zone: CannedZone, page: Page) -> None:
    page.add_init_script("localStorage.setItem('foyer.options', '[\"ask_first\"]')")
    zone.say(serving=300, ahead=300)
    page.goto(zone.page_url)
    state_is(page, "ready")
    zone.say(door="shut")
    look(page)
    state_is(page, "shut_called")
    expect(page.locator("#figure")).to_have_text("0")
    page.wait_for_timeout(3_000)
    zone.say(door="open")
    opened_sec = time.monotonic()
    look(page)
    state_is(page, "ready")
    figure = page.locator("#figure").inner_text()
    expect(page.locator("#figure")).to_have_text(re.compile(r"^(2:00|1:5\d)$"))
    minutes, seconds = map(int, figure.split(":"))
    assert minutes * 60 + seconds >= 120 - (time.monotonic() - opened_sec) - 1
    assert zone.count("POST", CLAIM_PATH) == 0


def test_whoever_has_said_to_go_in_need_not_say_it_again(zone: CannedZone, page: Page) -> None:
    page.add_init_script("localStorage.setItem('foyer.options', '[\"ask_first\"]')")
    zone.claim = (503, {"message": "Service Unavailable"})
    zone.say(serving=300, ahead=300)
    page.goto(zone.page_url)
    state_is(page, "ready")
    page.locator("#go-in").click()
    eventually(lambda: zone.count("POST", CLAIM_PATH) >= 1)
    zone.say(door="shut")
    look(page)
    state_is(page, "shut_called")
    zone.claim = ADMITTED
    zone.say(door="open")
    look(page)
    page.wait_for_url(zone.url + TO)


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_claim_that_fails_is_made_again(zone: CannedZone, page: Page, failure: Answer) -> None:
    answers = iter([failure, failure])
    zone.answers[f"POST {CLAIM_PATH}"] = lambda: next(answers, ADMITTED)
    zone.say(serving=300, ahead=300)
    page.goto(zone.page_url)
    page.wait_for_url(zone.url + TO)
    assert (zone.count("POST", CLAIM_PATH), zone.count("POST", JOIN_PATH)) == (3, 1)


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_place_that_cannot_be_told_is_neither_lost_nor_taken_anew(
    zone: CannedZone, page: Page, failure: Answer
) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    answers = iter([failure, failure])
    told = zone.answers[f"GET {PLACE_PATH}"]
    zone.answers[f"GET {PLACE_PATH}"] = lambda: next(answers, None) or told()
    page.reload()
    eventually(lambda: zone.count("GET", PLACE_PATH) == 3)
    state_is(page, "waiting")
    assert zone.count("POST", JOIN_PATH) == 1


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_join_that_fails_is_made_again(zone: CannedZone, page: Page, failure: Answer) -> None:
    answers, joined = iter([failure, failure]), zone.answers[f"POST {JOIN_PATH}"]
    zone.answers[f"POST {JOIN_PATH}"] = lambda: next(answers, None) or joined()
    page.goto(zone.page_url)
    state_is(page, "waiting")
    assert zone.count("POST", JOIN_PATH) == 3


def test_whoever_is_in_stays_on_the_page_until_the_way_in_is_known_to_work(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "admitted"
    zone.claim = (503, {"message": "Service Unavailable"})
    page.goto(zone.page_url)
    state_is(page, "entering")
    page.locator("#action").click()
    expect(page.locator("#notice")).to_have_text(texts()["notices"]["offline"])
    state_is(page, "entering")
    zone.claim = ADMITTED
    page.wait_for_url(zone.url + TO)


def test_joining_again_stays_on_the_page_until_there_is_a_place(zone: CannedZone, page: Page) -> None:
    zone.place["status"] = "lapsed"
    page.goto(zone.page_url)
    state_is(page, "lapsed")
    joins = zone.count("POST", JOIN_PATH)
    answers, joined = iter([FAILURES[2], FAILURES[6]]), zone.answers[f"POST {JOIN_PATH}"]

    def join() -> Answer:
        failure = next(answers, None)
        if failure is not None:
            return failure
        zone.place |= {"status": "waiting", "position": 400, "notice": "lapsed"}
        return joined()

    zone.answers[f"POST {JOIN_PATH}"] = join
    page.locator("#action").click()
    pumped(page, lambda: zone.count("POST", JOIN_PATH) == joins + 3)
    state_is(page, "waiting")
    expect(page.locator("#notice")).to_have_text(texts()["notices"]["rejoined"])
    assert page.url == zone.page_url
