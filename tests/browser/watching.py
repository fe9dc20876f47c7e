"""Waiting for what a page shows and for what it does."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from waiting_room.http.page.languages import texts

STATES = texts()["states"]


def state_is(page: Page, state: str) -> None:
    """Wait for a state, and see that its words are there."""
    page.wait_for_function("state => document.documentElement.dataset.state === state", arg=state, timeout=20_000)
    expect(page.locator("#headline")).to_have_text(STATES[state]["headline"])
    expect(page.locator("#lead")).to_have_text(STATES[state]["lead"])


def eventually(check: Callable[[], bool], timeout_sec: float = 20) -> None:
    """Wait for something outside the page."""
    ends = time.monotonic() + timeout_sec
    while not check() and time.monotonic() < ends:
        time.sleep(0.02)
    assert check()


def pumped(page: Page, check: Callable[[], bool], timeout_sec: float = 20) -> None:
    """Wait for something outside the page, letting the browser's messages come in meanwhile."""

    def settled() -> bool:
        page.wait_for_timeout(20)
        return check()

    eventually(settled, timeout_sec)
