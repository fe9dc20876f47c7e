"""The visitor's turn: called in the ways that were chosen, asked first if wanted, with the time that is left."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.canned_zone import CLAIM_PATH, TO, CannedZone
from tests.browser.watching import eventually, state_is

WATCHED = """
globalThis.called = [];
Navigator.prototype.vibrate = (pattern) => called.push("vibration");
globalThis.AudioContext = class {
  currentTime = 0;
  resume() { called.push("sound"); }
  createOscillator() { return { frequency: {}, connect: (to) => to, start() {}, stop() {} }; }
  createGain() { return { gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: (to) => to }; }
};
globalThis.Notification = class {
  static permission = "default";
  static requestPermission = async () => globalThis.answer ?? "granted";
  constructor(title) { called.push("notification " + title); }
};
"""


def choose(page: Page, *names: str) -> None:
    page.locator("#options-label").click()
    for name in names:
        page.locator(f"#{name}-label").click()


def test_asked_first_nobody_is_taken_in_unprepared(zone: CannedZone, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    choose(page, "ask_first")
    zone.claim = (201, {"status": "admitted"})
    zone.say(serving=241, ahead=241)
    page.evaluate("dispatchEvent(new Event('online'))")
    state_is(page, "ready")
    # The zone holds a called place for two minutes.
    expect(page.locator("#figure")).to_have_text(re.compile(r"^1:5\d$"))
    expect(page.locator("#spoken")).to_contain_text("left to go in")
    assert zone.count("POST", CLAIM_PATH) == 0
    page.locator("#go-in").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(zone.url + TO)
    assert zone.count("POST", CLAIM_PATH) == 1


def test_the_choice_holds_in_every_tab_and_after_a_reload(zone: CannedZone, context: BrowserContext) -> None:
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(zone.page_url)
        state_is(page, "waiting")
    choose(first, "ask_first")
    expect(second.locator("#option-ask_first")).to_be_checked()
    first.reload()
    expect(first.locator("#option-ask_first")).to_be_checked()


def test_the_called_are_called_once_in_the_ways_they_chose(zone: CannedZone, page: Page) -> None:
    page.add_init_script(WATCHED)
    page.goto(zone.page_url)
    state_is(page, "waiting")
    choose(page, "sound", "vibration", "notification", "ask_first")
    expect(page.locator("#option-notification")).to_be_checked()
    page.evaluate("called.length = 0; Object.defineProperty(document, 'hidden', { value: true })")
    zone.say(serving=241, ahead=241)
    page.evaluate("dispatchEvent(new Event('online'))")
    state_is(page, "ready")
    page.wait_for_timeout(1_500)
    assert page.evaluate("called") == ["vibration", "sound", "notification It is your turn"]


def test_nothing_was_chosen_and_nothing_is_heard(zone: CannedZone, page: Page) -> None:
    page.add_init_script(WATCHED)
    page.goto(zone.page_url)
    state_is(page, "waiting")
    zone.say(serving=241, ahead=241)
    page.evaluate("dispatchEvent(new Event('online'))")
    state_is(page, "preparing")
    eventually(lambda: zone.count("POST", CLAIM_PATH) >= 1)
    assert page.evaluate("called") == []


def test_a_notification_that_is_not_allowed_is_not_promised(zone: CannedZone, page: Page) -> None:
    page.add_init_script(WATCHED + "globalThis.answer = 'denied';")
    page.goto(zone.page_url)
    state_is(page, "waiting")
    choose(page, "notification")
    expect(page.locator("#option-notification")).not_to_be_checked()


def test_the_estimate_does_not_flap_between_two_wordings(page: Page, zone: CannedZone) -> None:
    page.goto(f"{zone.url}/.waiting-room/assets/favicon.svg")
    said = page.evaluate(
        """() => import("/.waiting-room/assets/steady.js").then(({ Steady }) => {
          const steady = new Steady();
          const all = [];
          for (let second = 0; second < 30; second += 1) {
            all.push(steady.of(second % 2 ? "2 to 5 minutes" : "3 to 6 minutes", "moving", second * 1000));
          }
          return [all, steady.of("On hold", "standing", 30_500), steady.of("3 to 6 minutes", "moving", 31_000)];
        })"""
    )
    changes = [now for before, now in zip(said[0], said[0][1:], strict=False) if before != now]
    assert len(changes) <= 2
    assert said[1:] == ["On hold", "3 to 6 minutes"]
