"""One Chromium for all browser tests, and a zone whose answers the test sets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.canned_zone import CannedZone
from tests.support.tools import require_tool

# Patience, not a bound: a page that shares two cores with three other browsers is in no hurry.
expect.set_options(timeout=20_000)

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
"""Without these Chromium looks for its maker's hosts at every start."""


# Not for the whole session: while Playwright runs, it holds the thread's event loop, and other tests need their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    require_tool("Chromium", chromium, "install it, for example `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A phone that has never been here."""
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
