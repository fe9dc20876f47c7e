"""The page behind a link: its script takes the token from the fragment, and nothing but the button sends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.canned_zone import EVENT_PAGE, ZONE_ID, CannedZone
from waiting_room.domain.locations import invitation_url
from waiting_room.http.page.languages import texts
from waiting_room.http.page.link_page import INVITING, link_page

TOKEN = "eyJ.secret-_.x"
PATH = invitation_url(ZONE_ID)


@pytest.fixture
def zone() -> Iterator[CannedZone]:
    with CannedZone() as zone:
        zone.answers[f"GET {PATH}"] = lambda: (200, link_page(zone.zone, INVITING, "en"))
        zone.answers[f"POST {PATH}"] = lambda: (200, EVENT_PAGE)
        yield zone


def test_the_token_is_sent_by_the_button_alone_and_stands_in_no_address(zone: CannedZone, page: Page) -> None:
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.goto(zone.url + invitation_url(ZONE_ID, TOKEN))
    expect(page.locator("#press")).to_have_text(texts()["states"]["inviting"]["action"])
    expect(page.locator("#paste")).to_be_hidden()
    expect(page.locator("#link")).to_have_value(TOKEN)
    assert {request.method for request in sent} == {"GET"}
    page.locator("#press").click()
    page.wait_for_load_state()
    assert zone.count("POST", PATH) == 1
    (posted,) = [request for request in sent if request.method == "POST"]
    assert posted.post_data == f"token={TOKEN}"
    # Playwright tells addresses with their fragments, which are not sent.
    told = [(request.url.partition("#")[0], request.all_headers().get("referer", "")) for request in sent]
    assert not [each for each in told if TOKEN in "".join(each)]


def test_without_scripts_the_link_is_pasted(zone: CannedZone, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(zone.url + invitation_url(ZONE_ID, TOKEN))
    expect(page.locator("#paste-why")).to_have_text(texts()["notices"]["paste"])
    page.get_by_label(texts()["labels"]["link"]).fill(zone.url + invitation_url(ZONE_ID, TOKEN))
    with page.expect_request(lambda request: request.method == "POST") as posted:
        page.locator("#press").click()
    assert "%23eyJ" in (posted.value.post_data or "")
    context.close()
