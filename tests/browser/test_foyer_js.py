"""foyer.js on a page of the site: refusals lead into the line, heartbeats go on while somebody is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.canned_zone import CLAIM_PATH, ENTER_PATH, PLACE_PATH, TO, CannedZone, refusal
from tests.browser.watching import eventually

SESSION = ENTER_PATH.replace("/enter", "/sessions/me")
RENEWALS = f"{SESSION}/renewals"
WAITING = refusal("waiting", 429)


@pytest.fixture
def zone() -> Iterator[CannedZone]:
    with CannedZone() as zone:
        zone.answers["GET /api/tickets"] = lambda: (200, {"left": 3})
        zone.answers[f"POST {RENEWALS}"] = lambda: (200, {"expires_at_ms": 0})
        zone.answers[f"DELETE {SESSION}"] = lambda: (204, "")
        yield zone


@pytest.fixture
def site(zone: CannedZone, page: Page) -> Page:
    """A page of the site that has loaded the script."""
    page.clock.install()
    page.goto(f"{zone.url}{TO}?seat=4")
    page.evaluate("import('/.waiting-room/assets/foyer.js').then((loaded) => { globalThis.loaded = loaded; })")
    return page


def ask(page: Page, script: str) -> Any:
    return page.evaluate(f"async () => {{ {script} }}")


def test_answers_of_the_site_pass_through(site: Page) -> None:
    script = "return (await (await new loaded.Foyer('midnight-sun').fetch('/api/tickets')).json()).left"
    assert ask(site, script) == 3


def test_an_error_of_the_site_is_the_sites_own(zone: CannedZone, site: Page) -> None:
    zone.answers["GET /api/tickets"] = lambda: (429, {"type": "urn:shop:slow-down"})
    assert ask(site, "return (await new loaded.Foyer('midnight-sun').fetch('/api/tickets')).status") == 429


def test_refused_the_visitor_goes_through_the_line_and_comes_back_here(zone: CannedZone, site: Page) -> None:
    zone.answers["GET /api/tickets"] = lambda: WAITING
    ask(site, "new loaded.Foyer('midnight-sun').fetch('/api/tickets').catch(() => {})")
    site.wait_for_url(f"{zone.url}{ENTER_PATH}?to=%2Fevents%2Fmidnight-sun%3Fseat%3D4")


def test_a_page_may_show_the_line_itself(zone: CannedZone, site: Page) -> None:
    zone.answers["GET /api/tickets"] = lambda: WAITING
    zone.claim = (201, {"status": "admitted"})
    told = ask(
        site,
        """
        const told = [];
        const foyer = new loaded.Foyer("midnight-sun", { onWaiting: (refusal) => told.push(refusal.enterUrl) });
        await foyer.fetch("/api/tickets").catch((error) => told.push(error.name, error.retrySec));
        return [...told, (await foyer.place()).position, await foyer.claim()];
        """,
    )
    assert told == [f"{ENTER_PATH}?to=%2Fevents%2Fmidnight-sun%3Fseat%3D4", "Waiting", 5, 240, True]
    assert zone.count("POST", CLAIM_PATH) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_no_answer_is_not_taken_for_no_place(zone: CannedZone, site: Page, status: int) -> None:
    zone.answers[f"GET {PLACE_PATH}"] = lambda: (status, {"message": "Service Unavailable"})
    place = "return new loaded.Foyer('midnight-sun').place().catch(() => 'asked in vain')"
    assert ask(site, place) == "asked in vain"
    zone.answers[f"GET {PLACE_PATH}"] = lambda: refusal("no-token", 401)
    assert ask(site, place) is None


def test_heartbeats_go_on_while_somebody_is_there_and_stop_when_nobody_is(zone: CannedZone, site: Page) -> None:
    ask(site, "globalThis.foyer = new loaded.Foyer('midnight-sun')")
    site.clock.run_for(21_000)
    eventually(lambda: zone.count("POST", RENEWALS) >= 1)
    site.clock.run_for(150_000)
    site.wait_for_timeout(500)
    beats = zone.count("POST", RENEWALS)
    site.clock.run_for(100_000)
    site.wait_for_timeout(500)
    assert zone.count("POST", RENEWALS) == beats, "nobody touched the page for two minutes"
    site.mouse.click(10, 10)
    site.clock.run_for(25_000)
    eventually(lambda: zone.count("POST", RENEWALS) > beats)


def test_the_end_of_the_session_is_told_once(zone: CannedZone, site: Page) -> None:
    zone.answers[f"POST {RENEWALS}"] = lambda: refusal("hard-end", 410)
    ask(site, "globalThis.over = []; new loaded.Foyer('midnight-sun', { onEnded: (problem) => over.push(problem) })")
    site.clock.run_for(25_000)
    site.wait_for_function("over.length === 1")
    site.clock.run_for(100_000)
    assert site.evaluate("over") == ["hard-end"]
    assert zone.count("POST", RENEWALS) == 1


def test_a_refusal_that_is_not_ours_ends_no_session(zone: CannedZone, site: Page) -> None:
    zone.answers[f"POST {RENEWALS}"] = lambda: (403, {"message": "Forbidden"})
    ask(site, "globalThis.over = []; new loaded.Foyer('midnight-sun', { onEnded: (problem) => over.push(problem) })")
    site.clock.run_for(25_000)
    eventually(lambda: zone.count("POST", RENEWALS) == 1)
    site.clock.run_for(25_000)
    eventually(lambda: zone.count("POST", RENEWALS) == 2)
    assert site.evaluate("over") == []


def test_leaving_gives_the_slot_back_and_ends_the_heartbeats(zone: CannedZone, site: Page) -> None:
    ask(site, "globalThis.foyer = new loaded.Foyer('midnight-sun'); await foyer.leave()")
    assert zone.count("DELETE", SESSION) == 1
    site.clock.run_for(60_000)
    assert zone.count("POST", RENEWALS) == 0
    expect(site.locator("h1")).to_be_visible()
