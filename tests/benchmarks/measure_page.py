"""How heavy the waiting page is: bytes over the wire as CloudFront compresses them, requests, time to first paint.

.venv/bin/python tests/benchmarks/measure_page.py
"""

from __future__ import annotations

import gzip
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "layer" / "python")]

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.browser.canned_zone import CannedZone  # noqa: E402

LANGUAGES = ("en-GB", "de", "ar")
VISITS = 5
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main() -> int:
    """Run from the command line; one line for each language."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("Chromium is missing: install it, for example `apt-get install chromium`", file=sys.stderr)
        return 1
    with sync_playwright() as playwright, CannedZone() as zone:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        print(f"{'language':<9} {'requests':>8} {'bytes, gzip':>12} {'elsewhere':>9} {'first paint, ms (median)':>25}")
        for language in LANGUAGES:
            visits = list(_visits(browser, zone, language))
            requests, size, foreign, _ = visits[0]
            paint_ms = statistics.median(visit[3] for visit in visits)
            print(f"{language:<9} {requests:>8} {size:>12,} {foreign:>9} {paint_ms:>25.0f}")
        browser.close()
    return 0


def _visits(browser: Browser, zone: CannedZone, language: str) -> Iterator[tuple[int, int, int, float]]:
    """Yield requests, bytes, requests to other hosts and first paint of visits, each by a browser with no cache."""
    for _ in range(VISITS):
        context = browser.new_context(locale=language, viewport={"width": 390, "height": 844})
        page = context.new_page()
        seen: list[tuple[str, int]] = []
        page.on("response", lambda response, seen=seen: seen.append((response.url, _weight(zone, response.url))))  # type: ignore[misc]
        _arrive(page, zone)
        own = urlsplit(zone.url).netloc
        foreign = sum(urlsplit(url).netloc != own for url, _ in seen)
        yield len(seen), sum(size for _, size in seen), foreign, float(page.evaluate(PAINT))
        context.close()


def _arrive(page: Page, zone: CannedZone) -> None:
    page.goto(zone.page_url)
    page.wait_for_function("document.documentElement.dataset.state === 'waiting'")


def _weight(zone: CannedZone, url: str) -> int:
    """The size of an answer when it is compressed; pictures of vectors and data are, too."""
    return len(gzip.compress(zone.answer(f"GET {urlsplit(url).path}")[2]))


if __name__ == "__main__":
    sys.exit(main())
