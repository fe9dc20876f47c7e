"""The organiser's look on the page without scripts: logo and cards, in the reader's language, never markup."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, ApiWorld, Browser

CARDS = [
    {"title": "Parking", "text": "Level 2 & 3", "url": "/parking"},
    {"title": "<b>Food</b>", "text": "</ul><script>alert(1)</script>"},
]
PAGE = {"logo_url": "/static/logo.svg", "accent": "#0a7d55", "cards": CARDS}


def page_of(headers: dict[str, str] | None = None, **zone: Any) -> str:
    world = ApiWorld()
    assert world.put_zone(**zone).status == 201
    browser = Browser(world)
    browser.enter()
    return browser.ask("GET", "/visitors/me", headers={**BROWSER, **(headers or {})}).body


def test_logo_and_cards_are_there_and_stay_text() -> None:
    page = page_of(page=PAGE)
    assert '<p class="brand" id="brand"><img class="logo" id="logo" alt="" src="/static/logo.svg"></p>' in page
    assert (
        '<h3><a href="/parking" target="_blank" rel="noopener">Parking</a></h3><div><p>Level 2 &amp; 3</p></div>'
        in page
    )
    assert "&lt;b&gt;Food&lt;/b&gt;" in page
    assert "<script>alert" not in page


def test_without_a_look_nothing_takes_its_room() -> None:
    page = page_of()
    assert '<p class="brand" id="brand" hidden>' in page
    assert '<section class="cards" id="cards" hidden' in page


def test_cards_are_in_the_readers_language() -> None:
    translations = {"de": {"cards": [{"title": "Parken", "text": "Ebene 2"}]}}
    page = page_of({"accept-language": "de"}, page=PAGE, translations=translations)
    assert "Parken" in page
    assert "Parking" not in page


@pytest.mark.parametrize(
    ("page", "pointer"),
    [
        ({"accent": "red"}, "/page/accent"),
        ({"accent": "#FFF"}, "/page/accent"),
        ({"logo_url": "javascript:alert(1)"}, "/page/logo_url"),
        ({"cards": [{"title": "x"}]}, "/page/cards/0/text"),
        ({"cards": [{"title": "x", "text": "y", "url": "http://x.example"}]}, "/page/cards/0/url"),
        ({"cards": [{"title": "x", "text": "y"}] * 7}, "/page/cards"),
        ({"font": "x"}, "/page/font"),
    ],
)
def test_a_look_that_cannot_be_is_refused(page: dict[str, Any], pointer: str) -> None:
    answer = ApiWorld().put_zone(page=page)
    assert (answer.status, answer.json["pointer"]) == (400, pointer)


def test_the_status_document_carries_a_look_only_where_there_is_one() -> None:
    world = ApiWorld()
    world.put_zone(page=PAGE)
    world.tick()
    assert b'"accent":"#0a7d55"' in world.objects.objects[".waiting-room/status/midnight-sun.json"].body
    plain = ApiWorld()
    plain.put_zone()
    plain.tick()
    assert b'"page"' not in plain.objects.objects[".waiting-room/status/midnight-sun.json"].body
