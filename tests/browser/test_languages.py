"""The page in the visitor's language, with a switch, from right to left where that is how it is read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.canned_zone import CannedZone
from waiting_room.http.page.languages import texts


@pytest.mark.parametrize(("locale", "language"), [("de-CH", "de"), ("pt-BR", "pt"), ("zh-CN", "zh-Hans"), ("fi", "en")])
def test_the_page_speaks_as_the_browser_asks(browser: Browser, zone: CannedZone, locale: str, language: str) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(zone.page_url)
    expect(page.locator("#headline")).to_have_text(texts(language)["states"]["waiting"]["headline"])
    expect(page.locator("#place-label")).to_have_text(texts(language)["labels"]["place"])
    assert page.evaluate("document.documentElement.lang") == language
    context.close()


def test_another_language_is_chosen_by_keyboard_and_remembered(browser: Browser, zone: CannedZone) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    page = context.new_page()
    zone.say(translations={"ar": {"title": "شمس منتصف الليل"}})
    page.goto(zone.page_url)
    expect(page.locator("#figure")).to_have_text("118")
    page.locator("#language-summary").focus()
    page.keyboard.press("Enter")
    page.locator("[data-language=ar]").focus()
    page.keyboard.press("Enter")
    arabic = texts("ar")
    expect(page.locator("#headline")).to_have_text(arabic["states"]["waiting"]["headline"])
    expect(page.locator("#event")).to_have_text("شمس منتصف الليل")
    expect(page.locator("#figure-label")).to_have_text(arabic["labels"]["ahead_other"].replace("شخص", "شخصًا"))
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.evaluate("document.activeElement.id") == "language-summary"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.reload()
    expect(page.locator("#headline")).to_have_text(arabic["states"]["waiting"]["headline"])
    context.close()


def test_without_scripts_the_switch_is_a_link(browser: Browser, zone: CannedZone) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(zone.page_url)
    page.wait_for_url("**/visitors/me**")
    page.locator("#language-summary").click()
    link = page.locator("[data-language=tr]")
    expect(link).to_be_visible()
    assert str(link.get_attribute("href")).endswith("&lang=tr")
    context.close()


def test_a_language_that_cannot_be_had_leaves_the_page_in_english(browser: Browser, zone: CannedZone) -> None:
    context = browser.new_context(locale="nl")
    context.route("**/texts/nl.json", lambda route: route.abort())
    page = context.new_page()
    page.goto(zone.page_url)
    expect(page.locator("#headline")).to_have_text(texts()["states"]["waiting"]["headline"])
    context.close()
