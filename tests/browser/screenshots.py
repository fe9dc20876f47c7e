"""Pictures of every state of the waiting page, phone and desktop, light and dark, into build/screenshots/.

For the eye: make screenshots (or .venv/bin/python tests/browser/screenshots.py STATE ... for some)
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "layer" / "python")]

from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

from tests.browser.canned_zone import JOIN_PATH, PLACE_PATH, CannedZone, refusal  # noqa: E402
from tests.browser.test_accessible import CANNED  # noqa: E402

FOLDER = ROOT / "build" / "screenshots"
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1360, "height": 860}}
REFUSED = ("moved", "hard-end", "unknown-zone")


def states() -> Iterator[tuple[str, CannedZone, str]]:
    """Yield each state's name, a zone that shows it, and a script that runs before the page's own."""
    for name, (said, place) in CANNED.items():
        zone = CannedZone(alerts={"channels": ["sms", "voice"], "prefixes": ["+44"]})
        zone.say(**said)
        zone.place.update(place)
        yield name, zone, ""
    ready = CannedZone()
    ready.say(serving=300, ahead=300)
    yield "ready", ready, "localStorage.setItem('foyer.options', '[\"ask_first\"]')"
    before = CannedZone(mode="combined", starts_at_ms=int(time.time() * 1000) + 754_000)
    before.say(phase="before", serving=0, floor=0, ahead=0)
    yield "before", before, ""
    for problem in REFUSED:
        zone = CannedZone()
        answer = refusal(problem, 410)
        for asked in (f"GET {PLACE_PATH}", f"POST {JOIN_PATH}"):
            zone.answers[asked] = lambda answer=answer: answer  # type: ignore[misc]
        yield problem.replace("-", "_"), zone, ""


def shoot(browser: Browser, name: str, zone: CannedZone, script: str) -> None:
    """Take one state in each size and scheme."""
    for size, viewport in SIZES.items():
        for scheme in ("light", "dark"):
            settings: dict[str, Any] = {"viewport": viewport, "color_scheme": scheme, "locale": "en-GB"}
            page = browser.new_page(**settings, reduced_motion="reduce")
            if script:
                page.add_init_script(script)
            page.goto(zone.page_url)
            settle(page)
            page.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.png", full_page=size == "phone")
            page.close()


def settle(page: Page) -> None:
    """Wait until the page knows what to show."""
    # Not by a condition in the page: its policy lets nobody evaluate one.
    expect(page.locator("html[data-state=loading]")).to_have_count(0)
    page.wait_for_timeout(400)


def main(wanted: list[str]) -> int:
    """Run from the command line."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("Chromium is missing: install it, for example `apt-get install chromium`", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, zone, script in states():
            if not wanted or name in wanted:
                with zone:
                    shoot(browser, name, zone, script)
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
