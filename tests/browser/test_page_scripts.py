"""The scripts of the waiting page that decide without a page, run in Chromium as the browser loads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.canned_zone import CannedZone
from waiting_room.domain.line.estimates import estimate
from waiting_room.domain.line.places import Estimate
from waiting_room.http.page.languages import languages, matching, texts
from waiting_room.http.page.wording import words

ASSETS = "/.waiting-room/assets"
MARKDOWN = json.loads((Path(__file__).parents[1] / "unit/page/markdown_vectors.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page of the site on which nothing runs by itself."""
    with CannedZone() as zone:
        page = browser.new_page()
        page.goto(f"{zone.url}{ASSETS}/favicon.svg")
        yield page
        page.close()


def call(page: Page, name: str, function: str, *arguments: Any) -> Any:
    """What a function that a script exports returns."""
    return page.evaluate(
        "([url, name, values]) => import(url).then((module) => module[name](...values))",
        [f"{ASSETS}/{name}.js", function, arguments],
    )


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "events",
        "",
        None,
        "/%",
        "/a\x00b",
        "/a%2f%2fb",
        "/.waiting-room/v1/zones",
        "/%2ewaiting-room/x",
        "/a/../.Waiting-Room/x",
    ],
)
def test_only_paths_of_this_site_are_gone_to(page: Page, to: str | None) -> None:
    assert call(page, "api", "safePath", to, "/landing") == "/landing"


@pytest.mark.parametrize("to", ["/", "/events/midnight-sun?seat=1&row=%C3%A5#plan", "/ø/å", "/.waiting-rooms"])
def test_paths_of_this_site_are_kept(page: Page, to: str) -> None:
    assert call(page, "api", "safePath", to, "/landing") == to


@pytest.mark.parametrize(
    ("now", "low", "high"),
    [
        ({"state": "waiting", "ahead": 10, "speed": 1}, 1.5, 2.5),
        ({"state": "waiting", "ahead": 90_000, "speed": 1}, 30, 60),
        ({"state": "waiting", "ahead": 90_000, "speed": 0}, 30, 60),
        ({"state": "waiting", "ahead": 220, "speed": 1}, 13, 14),
        ({"state": "waiting", "ahead": 10, "speed": 1, "hidden": True}, 3.75, 6.25),
        ({"state": "paused", "ahead": 10, "speed": 0}, 3.75, 6.25),
        ({"state": "before", "ahead": None, "speed": 0}, 30, 60),
        ({"state": "before", "ahead": None, "speed": 0, "startsInSec": 12}, 12, 14),
        ({"state": "ended", "ahead": 10, "speed": 0}, 3.75, 6.25),
        ({"state": "waiting", "ahead": 90_000, "speed": 0, "heldSec": 22}, 11, 11),
        ({"state": "waiting", "ahead": 90_000, "speed": 0, "hidden": True}, 60, 60),
        ({"state": "lapsed", "ahead": None, "speed": 0}, 60, 60),
    ],
)
def test_the_pace_follows_the_distance(page: Page, now: dict[str, Any], low: float, high: float) -> None:
    poll = {"near_sec": 2, "far_sec": 30, "near_ahead": 200}
    for random in (0, 0.5, 0.999):
        assert (
            low
            <= call(
                page, "pace", "pollDelaySec", {"startsInSec": 1e9, "hidden": False, "heldSec": 120} | now, poll, random
            )
            <= high
        )


@pytest.mark.parametrize("state", ["waiting", "next", "paused"])
@pytest.mark.parametrize("pushed", [True, False])
def test_with_the_last_tickets_everybody_looks_within_a_second(page: Page, state: str, pushed: bool) -> None:
    now = {"state": state, "ahead": 90_000 if state == "waiting" else 0, "speed": 0.01, "startsInSec": 1e9}
    poll = {"near_sec": 1, "far_sec": 1, "near_ahead": 200}
    for random in (0, 0.5, 0.999):
        told = call(
            page, "pace", "pollDelaySec", now | {"hidden": False, "pushed": pushed, "heldSec": 120}, poll, random
        )
        assert 0.5 <= told <= 1


def test_failures_back_off_and_the_servers_wish_counts(page: Page) -> None:
    assert [call(page, "pace", "backoffSec", failures, 0) for failures in (1, 2, 3, 6, 50)] == [1, 2, 4, 30, 30]
    assert 60 <= call(page, "pace", "backoffSec", 1, 0.9, 60) <= 90


@pytest.mark.parametrize(("ahead", "speed"), [(0, 0.1), (1, 2.5), (118, 0.4), (90_000, 31.5), (7, 0)])
def test_browser_and_server_estimate_alike(page: Page, ahead: int, speed: float) -> None:
    expected = estimate(ahead, speed)
    told = call(page, "line", "estimate", ahead, speed)
    assert told == (None if expected is None else {"low_sec": expected.low_sec, "high_sec": expected.high_sec})


@pytest.mark.parametrize("language", languages())
def test_browser_and_server_word_alike(page: Page, language: str) -> None:
    ranges = [(0, 20), (5, 61), (59, 200), (60, 120), (245, 290), (1_000, 2_400), (1_000, 9_000), (3_600, 7_000)]
    seconds = [0, 9, 61, 3_599, 3_600, 90_061]
    counts = [0, 1, 2, 3, 5, 11, 12, 21, 22, 25, 100, 101, 103, 111, 1_204, 12_345, 999_999]
    told = page.evaluate(
        """([url, texts, ranges, seconds, counts]) => import(url).then(({ Words }) => {
          const words = new Words(texts);
          return [
            ranges.map(([low_sec, high_sec]) => words.wait({ low_sec, high_sec })),
            seconds.map((each) => words.timeLeft(each)),
            [22, 60, 125, 310].map((each) => words.heldFor(each)),
            counts.map((each) => words.count("spoken", "ahead", each)),
            counts.map((each) => words.number(each)),
            words.wait(null),
          ];
        })""",
        [f"{ASSETS}/words.js", texts(language), ranges, seconds, counts],
    )
    said = words(language)
    assert told == [
        [said.expected_wait(Estimate(low, high)) for low, high in ranges],
        [said.time_left(each) for each in seconds],
        [said.held_for(each) for each in (22, 60, 125, 310)],
        [said.say_count("spoken", "ahead", each) for each in counts],
        [said.number(each) for each in counts],
        said.expected_wait(None),
    ]


@pytest.mark.parametrize(
    "tag", ["en-GB", "pt-BR", "PT", "zh", "zh-CN", "zh-TW", "zh-Hant-HK", "zh-Hans-SG", "zh_cn", "de-CH-1996", "xx", ""]
)
def test_browser_and_server_find_the_same_language(page: Page, tag: str) -> None:
    assert call(page, "language", "matching", tag, list(languages())) == matching(tag)


@pytest.mark.parametrize(
    ("following", "newer"),
    [
        ({"run": 1, "tick": 8}, True),
        ({"run": 1, "tick": 7}, True),
        ({"run": 1, "tick": 6}, False),
        ({"run": 2, "tick": 0}, True),
        ({"run": 0, "tick": 99}, False),
        ({}, False),
        (None, False),
    ],
)
def test_an_older_document_is_ignored(page: Page, following: dict[str, int] | None, newer: bool) -> None:
    assert call(page, "line", "isNewer", following, {"run": 1, "tick": 7}) is newer


@pytest.fixture(scope="module")
def document(browser: Browser) -> Iterator[Page]:
    """The same with a document of HTML."""
    with CannedZone() as zone:
        page = browser.new_page()
        page.goto(f"{zone.url}{ASSETS}/verify/index.html")
        yield page
        page.close()


@pytest.mark.parametrize(("text", "html"), MARKDOWN)
def test_the_organisers_text_is_read_as_the_server_reads_it(document: Page, text: str, html: str) -> None:
    made, meant = document.evaluate(
        """async ([url, text, html]) => {
            const { markdown } = await import(url);
            const [made, meant] = [document.createElement("div"), document.createElement("div")];
            markdown(made, text);
            meant.innerHTML = html;
            return [made, meant].map((element) => [...element.querySelectorAll("*")]
                .map((each) => [each.tagName, each.textContent, each.href ?? "", each.target ?? "", each.rel ?? ""]));
        }""",
        [f"{ASSETS}/markdown.js", text, html],
    )
    assert made == meant
