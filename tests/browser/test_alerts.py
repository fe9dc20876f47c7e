"""Asking to be told by telephone, with scripts and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.canned_zone import ZONE_ID, CannedZone
from tests.browser.watching import state_is
from waiting_room.http.page.languages import texts

ALERTS_PATH = f"/.waiting-room/v1/zones/{ZONE_ID}/visitors/me/alerts"
ALERTS = {"channels": ["sms", "voice"], "prefixes": ["+44"]}


@pytest.fixture
def zone() -> Iterator[CannedZone]:
    with CannedZone(alerts=ALERTS) as zone:
        zone.answers[f"POST {ALERTS_PATH}"] = lambda: (202, {"channel": "sms", "lead_sec": 900})
        zone.answers[f"DELETE {ALERTS_PATH}"] = lambda: (204, "")
        yield zone


def opened(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.locator("#alert-label").click()


def test_asked_for_and_taken_back(zone: CannedZone, page: Page) -> None:
    opened(zone, page)
    expect(page.locator("#alert-cancel")).to_be_hidden()
    page.get_by_label("Phone call").check()
    page.locator("#alert-number").fill("+44 7700 900123")
    page.locator("#alert-form [name=consent]").check()
    with page.expect_request(lambda request: request.url.endswith(ALERTS_PATH)) as sent:
        page.locator("#alert-ask").click()
    asked: dict[str, Any] = json.loads(sent.value.post_data or "")
    assert asked == {"channel": "voice", "number": "+44 7700 900123", "consent": True, "language": "en"}
    said = page.locator("#alert-said")
    expect(said).to_have_text(texts()["notices"]["alert_promised"].replace("{time}", "15 minutes"))
    expect(page.locator("#alert-number")).to_have_value("")
    page.reload()
    page.locator("#alert-label").click()
    page.locator("#alert-cancel").click()
    expect(said).to_have_text(texts()["notices"]["alert_cancelled"])
    expect(page.locator("#alert-cancel")).to_be_hidden()
    assert zone.count("DELETE", ALERTS_PATH) == 1


def test_without_consent_nothing_is_sent(zone: CannedZone, page: Page) -> None:
    opened(zone, page)
    page.locator("#alert-number").fill("+44 7700 900123")
    page.locator("#alert-ask").click()
    expect(page.locator("#alert-form [name=consent]")).to_be_focused()
    assert zone.count("POST", ALERTS_PATH) == 0


@pytest.mark.parametrize(
    ("status", "answer", "notice"),
    [
        (400, {"type": "urn:foyer:problem:invalid-input", "pointer": "/number"}, "alert_number_wrong"),
        (409, {"type": "urn:foyer:problem:alert-refused"}, "alert_refused"),
        (429, {"type": "urn:foyer:problem:overloaded"}, "alert_failed"),
    ],
)
def test_a_refusal_says_what_to_do(
    zone: CannedZone, page: Page, status: int, answer: dict[str, str], notice: str
) -> None:
    zone.answers[f"POST {ALERTS_PATH}"] = lambda: (status, answer)
    opened(zone, page)
    page.locator("#alert-number").fill("0770")
    page.locator("#alert-form [name=consent]").check()
    page.locator("#alert-ask").click()
    expect(page.locator("#alert-said")).to_have_text(texts()["notices"][notice])
    expect(page.locator("#alert-number")).to_have_value("0770")


def test_where_nobody_is_told_nothing_is_offered(page: Page) -> None:
    with CannedZone() as zone:
        page.goto(zone.page_url)
        state_is(page, "waiting")
        expect(page.locator("#alert")).to_be_hidden()
        assert "alert=1" not in zone.page_without_scripts()


def test_the_form_has_no_violation(zone: CannedZone, page: Page) -> None:
    opened(zone, page)
    assert violations(page) == []


def test_without_scripts_the_form_stands_still(zone: CannedZone, page: Page) -> None:
    resting = zone.page_without_scripts()
    assert "alert=1" in resting
    asking = zone.page_without_scripts(asks=True)
    assert 'http-equiv="refresh"' in resting
    assert 'http-equiv="refresh"' not in asking
    page.set_content(asking.replace('"/.waiting-room', f'"{zone.url}/.waiting-room'))
    expect(page.locator("#alert-number")).to_be_visible()
    assert page.locator("#alert-form").get_attribute("action") == f"{zone.url}{ALERTS_PATH}"
    assert violations(page) == []
