"""What a firewall asks of a browser in between, and what the page says to one that is taken for a machine."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.canned_zone import CLAIM_PATH, ENTER_PATH, JOIN_PATH, PLACE_PATH, TO, CannedZone, refusal
from tests.browser.test_proof import BITS, NONCE
from tests.browser.watching import pumped, state_is


def test_a_challenge_of_the_firewall_is_solved_where_a_browser_can_and_once(zone: CannedZone, page: Page) -> None:
    asked: list[str] = []

    def challenge(route: Route) -> None:
        asked.append(route.request.method)
        route.fulfill(status=202, headers={"x-amzn-waf-action": "challenge"}, body="")

    page.route(f"**{PLACE_PATH}", challenge)
    page.route(f"**{JOIN_PATH}", challenge)
    # `enter` leads back to the page: here without having solved anything, so that it is asked the same again.
    zone.answers[f"GET {ENTER_PATH}"] = lambda: (200, f'<meta http-equiv="refresh" content="0;url={zone.page_url}">')
    entered: list[str] = []
    page.on("request", lambda request: entered.append(request.url) if ENTER_PATH in request.url else None)
    page.goto(zone.page_url)
    pumped(page, lambda: len(asked) >= 3)
    assert len(entered) == 1, "the page does not go in circles"
    assert "to=%2Fevents%2Fmidnight-sun" in entered[0]


def test_who_is_taken_for_a_machine_reads_so_and_what_to_do(zone: CannedZone, page: Page) -> None:
    zone.joined = False
    zone.answers[f"POST {JOIN_PATH}"] = lambda: refusal("machine", 403)
    page.goto(zone.page_url)
    state_is(page, "machine")
    expect(page.locator("#headline")).to_have_text("This looks like an automated visit")
    expect(page.locator("#action")).to_have_attribute("href", f"{ENTER_PATH}?to=%2Fevents%2Fmidnight-sun")


def test_work_that_is_asked_for_at_the_claim_is_done_and_counts_for_the_next(zone: CannedZone, page: Page) -> None:
    brought: list[bool] = []

    def claim(route: Route) -> None:
        proof = (route.request.post_data_json or {}).get("proof")
        brought.append(proof is not None)
        told = {"challenge": "c.d.e", "nonce": NONCE, "bits": BITS, "expires_at_ms": 0}
        if proof is None:
            route.fulfill(status=428, json={"type": "urn:foyer:problem:proof-needed", "challenge": told})
        elif len(brought) < 3:
            route.fulfill(status=202, json={"status": "called", "position": 240, "retry_after_sec": 1})
        else:
            route.fulfill(status=201, json={"status": "admitted"})

    page.route(f"**{CLAIM_PATH}", claim)
    page.goto(zone.page_url)
    state_is(page, "waiting")
    zone.say(serving=241, ahead=241)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(zone.url + TO)
    assert brought == [False, True, True]
