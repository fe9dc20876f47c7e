"""The report in a browser: nothing is loaded, anybody can read it, on a phone and in the dark too."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from scripts.report.numbers import count
from scripts.report.page import page as report_page
from scripts.report.questions import Answers
from tests.browser.axe import violations
from tests.support.report_sale import RecordedSale


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a real sale, as a file."""
    folder: Path = tmp_path_factory.mktemp("report")
    sale = RecordedSale()
    sale.write(folder)
    with Answers.of(folder, "z") as answers:
        numbers = count(answers, "z", 1, sale.minutes, sale.sale.zone.document)
    (folder / "report.html").write_text(report_page(numbers), encoding="utf-8")
    return (folder / "report.html").as_uri()


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_readable_by_everybody(browser: Browser, address: str, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(address)
        assert asked == [address]
        for table in page.locator("summary").all():
            table.click()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        letters = page.evaluate(
            "Math.min(...[...document.querySelectorAll('svg text')].map(each => each.getBoundingClientRect().height))"
        )
        assert letters >= 10
        assert page.get_by_role("img", name="Occupancy").is_visible()
    finally:
        context.close()
