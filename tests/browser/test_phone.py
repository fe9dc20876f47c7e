"""Confirming a phone number while waiting, in Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.canned_zone import CLAIM_PATH, PLACE_PATH, ZONE_ID, CannedZone, refusal
from tests.browser.watching import eventually, state_is
from waiting_room.domain.locations import codes_url, move_url, phone_url
from waiting_room.http.page.languages import texts

CODES, PHONE, MOVES = codes_url(ZONE_ID), phone_url(ZONE_ID), move_url(ZONE_ID)
IDENTITY = {"mode": "require", "phone": {"channels": ["voice", "sms"], "prefixes": ["+44"]}}
SENT = {"channel": "voice", "sent": "yes", "valid_minutes": 10}
NOTICES = texts()["notices"]


@pytest.fixture
def zone() -> Iterator[CannedZone]:
    with CannedZone(identity=IDENTITY) as zone:
        zone.place["phone_needed"] = True
        zone.answers[f"POST {CODES}"] = lambda: (202, SENT)
        zone.answers[f"POST {PHONE}"] = lambda: confirmed(zone)
        yield zone


def confirmed(zone: CannedZone) -> tuple[int, dict[str, Any]]:
    zone.place["phone_needed"] = False
    return 200, zone.place


def sent_code(zone: CannedZone, page: Page, notice: str = "phone_sent") -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.locator("#phone-number").fill("+44 7700 900123")
    page.locator("#phone-send").click()
    expect(page.locator("#phone-said")).to_have_text(NOTICES[notice])


def test_while_waiting_from_the_number_to_the_code(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    expect(page.locator("#phone-code-form")).to_be_hidden()
    assert violations(page) == []
    page.locator("#phone-number").fill("+44 7700 900123")
    with page.expect_request(lambda request: request.url.endswith(CODES)) as asked:
        page.locator("#phone-send").click()
    assert json.loads(asked.value.post_data or "") == {"channel": "voice", "number": "+44 7700 900123"}
    code = page.locator("#phone-code")
    expect(code).to_be_focused()
    assert (code.get_attribute("autocomplete"), code.get_attribute("inputmode")) == ("one-time-code", "numeric")
    assert violations(page) == []
    code.fill("123456")
    with page.expect_request(lambda request: request.url.endswith(PHONE)) as checked:
        code.press("Enter")
    assert json.loads(checked.value.post_data or "") == {"number": "+44 7700 900123", "code": "123456"}
    expect(page.locator("#phone-said")).to_have_text(NOTICES["phone_done"])
    expect(page.locator("#phone-form")).to_be_hidden()
    page.reload()
    state_is(page, "waiting")
    expect(page.locator("#phone")).to_be_hidden()


def test_who_is_called_without_a_phone_is_asked_and_claims_nothing(zone: CannedZone, page: Page) -> None:
    zone.say(serving=300, ahead=300)
    page.goto(zone.page_url)
    state_is(page, "phone")
    expect(page.locator("#headline")).to_have_text(texts()["states"]["phone"]["headline"])
    expect(page.locator("#figure-label")).to_have_text(texts()["labels"]["claim_left"])
    assert zone.count("POST", CLAIM_PATH) == 0
    page.locator("#phone-number").fill("+44 7700 900123")
    page.locator("#phone-send").click()
    page.locator("#phone-code").fill("123456")
    with page.expect_request(lambda request: request.url.endswith(CLAIM_PATH)):
        page.locator("#phone-check").click()


def test_a_claim_that_is_refused_for_the_phone_brings_the_form(zone: CannedZone, page: Page) -> None:
    zone.place["phone_needed"] = False
    zone.claim = refusal("phone-needed", 428)
    zone.say(serving=300, ahead=300)
    page.goto(zone.page_url)
    state_is(page, "phone")
    expect(page.locator("#phone-form")).to_be_visible()


def test_a_number_that_has_a_place_takes_it_over(zone: CannedZone, page: Page) -> None:
    status, taken = refusal("phone-taken", 409)
    assert isinstance(taken, dict)
    zone.answers[f"POST {PHONE}"] = lambda: (status, {**taken, "move_token": "a-token"})
    zone.answers[f"POST {MOVES}"] = lambda: confirmed(zone)
    sent_code(zone, page)
    page.locator("#phone-code").fill("123456")
    page.locator("#phone-check").click()
    expect(page.locator("#phone-said")).to_have_text(NOTICES["phone_taken"])
    with page.expect_request(lambda request: request.url.endswith(MOVES)) as moved:
        page.locator("#phone-move-here").click()
    assert json.loads(moved.value.post_data or "") == {"token": "a-token"}
    expect(page.locator("#phone-said")).to_have_text(NOTICES["phone_done"])
    eventually(lambda: zone.count("GET", PLACE_PATH) > 0)


@pytest.mark.parametrize(
    ("status", "answer", "notice"),
    [
        (202, {**SENT, "sent": "perhaps"}, "phone_perhaps"),
        (400, {"type": "urn:foyer:problem:invalid-input", "pointer": "/number"}, "alert_number_wrong"),
        (409, {"type": "urn:foyer:problem:code-refused", "limit": "number"}, "phone_refused"),
        (409, {"type": "urn:foyer:problem:code-refused", "limit": "run"}, "phone_spent"),
        (429, {"type": "urn:foyer:problem:overloaded"}, "alert_failed"),
    ],
)
def test_what_became_of_a_code_is_said(
    zone: CannedZone, page: Page, status: int, answer: dict[str, Any], notice: str
) -> None:
    zone.answers[f"POST {CODES}"] = lambda: (status, answer)
    sent_code(zone, page, notice)


def test_a_wrong_code_is_said_and_can_be_tried_again(zone: CannedZone, page: Page) -> None:
    wrong = {"type": "urn:foyer:problem:invalid-input", "pointer": "/code"}
    zone.answers[f"POST {PHONE}"] = lambda: (400, wrong)
    sent_code(zone, page)
    page.locator("#phone-code").fill("000000")
    page.locator("#phone-check").click()
    expect(page.locator("#phone-said")).to_have_text(NOTICES["phone_wrong"])
    expect(page.locator("#phone-code")).to_be_focused()


def test_another_language_says_all_of_it(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.locator("#language-summary").click()
    page.locator("[data-language=de]").click()
    german = texts("de")
    expect(page.locator("#phone-label")).to_have_text(german["labels"]["phone"])
    expect(page.locator("#phone-send")).to_have_text(german["labels"]["phone_send"])
    expect(page.locator("#phone-lead")).to_have_text(german["notices"]["phone_lead"])


def test_a_zone_without_phones_has_no_form(page: Page) -> None:
    with CannedZone() as zone:
        page.goto(zone.page_url)
        state_is(page, "waiting")
        assert page.locator("#phone").count() == 0
