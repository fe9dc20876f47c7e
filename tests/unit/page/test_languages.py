"""Languages: every text in each of them, with the same places to fill in, and the right one chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_world import BROWSER, ApiWorld, Browser
from waiting_room.http.frame.request import LANGUAGE_COOKIE, Request
from waiting_room.http.page.languages import DEFAULT, languages, matching, negotiate, plural, plural_forms, texts
from waiting_room.http.page.wording import words

FORM = re.compile(r"_(zero|one|two|few|many|other)$")
PLACES = re.compile(r"\{(\w+)\}")


def flat(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{name}.")
        else:
            yield path + name, value


def counted(language: str) -> dict[str, set[str]]:
    """The texts that have plural forms, and which."""
    found: dict[str, set[str]] = {}
    for key, _ in flat(texts(language)):
        if match := FORM.search(key):
            found.setdefault(FORM.sub("", key), set()).add(match[1])
    return found


def test_there_are_thirteen() -> None:
    wanted = {"en", "es", "fr", "de", "pt", "it", "nl", "pl", "tr", "ar", "ja", "ko", "zh-Hans"}
    assert set(languages()) >= wanted
    assert languages()[0] == DEFAULT


@pytest.mark.parametrize("language", languages())
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    keys = {FORM.sub("", key) for key, _ in flat(texts(language))}
    assert keys == {FORM.sub("", key) for key, _ in flat(texts())}
    assert texts(language)["language"] == language
    assert [key for key, text in flat(texts(language)) if text == ""] == []


@pytest.mark.parametrize("language", languages())
def test_every_plural_form_of_the_language_is_there(language: str) -> None:
    for key, forms in counted(language).items():
        assert forms >= plural_forms(language) | {"other"}, key


@pytest.mark.parametrize("language", languages())
def test_the_same_values_are_filled_in(language: str) -> None:
    english = {FORM.sub("", key): set(PLACES.findall(str(text))) for key, text in sorted(flat(texts()))}
    for key, text in flat(texts(language)):
        names = set(PLACES.findall(str(text)))
        if FORM.search(key):
            # "One person" needs no number; where there are several, no form may lack it that stands for many numbers.
            assert names <= {"count"}, key
        elif key != "estimates.same_hours":
            assert names == english[key], key


@pytest.mark.parametrize("language", [name for name in languages() if name != DEFAULT])
def test_nothing_was_left_in_english(language: str) -> None:
    english = dict(flat(texts()))
    same = {key for key, text in flat(texts(language)) if isinstance(text, str) and english.get(key) == text}
    assert same <= {"titles.state", "direction", "labels.days", "numbers.group", "numbers.decimal"} | {
        "notices.kept_minutes_other"  # French has the word too
    }


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", {0: "other", 1: "one", 2: "other"}),
        ("fr", {0: "one", 1: "one", 2: "other"}),
        ("pl", {1: "one", 2: "few", 5: "many", 12: "many", 22: "few", 112: "many", 0: "many"}),
        ("ar", {0: "zero", 1: "one", 2: "two", 3: "few", 11: "many", 100: "other", 103: "few"}),
        ("ja", {1: "other"}),
    ],
)
def test_plural_rules(language: str, forms: dict[int, str]) -> None:
    assert {count: plural(language, count) for count in forms} == forms


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de-CH, de;q=0.9, en;q=0.8", "de"),
        ("xx, pt-BR;q=0.5", "pt"),
        ("en;q=0.1, ja;q=0.9", "ja"),
        ("zh-TW, zh;q=0.8", "zh-Hans"),
        ("zh-TW, fr;q=0.5", "fr"),
        ("es;q=0, it;q=0.1", "it"),
        ("*", "en"),
        ("fr;q=high", "en"),
        ("a" * 9_000, "en"),
    ],
)
def test_accept_language(header: str, language: str) -> None:
    assert negotiate(header) == language


def test_what_was_chosen_counts_more_and_what_is_unknown_counts_nothing() -> None:
    assert negotiate("de", "ko") == "ko"
    assert negotiate("de", "../../etc/passwd") == "de"
    assert matching("zh-CN") == "zh-Hans"
    assert Request("GET", "/", "lang=ar", cookies={LANGUAGE_COOKIE: "fr"}).language == "ar"
    assert Request("GET", "/", "lang=a&lang=b", headers={"accept-language": "nl"}).language == "nl"


def test_numbers_have_their_own_separators() -> None:
    assert [words(name).number(12_345.5) for name in ("en", "de", "fr")] == ["12,345.5", "12.345,5", "12\u202f345,5"]
    assert [words(name).number(1_204) for name in ("es", "it", "nl")] == ["1204", "1204", "1.204"]


def test_the_page_without_scripts_speaks_the_readers_language_and_remembers_a_choice() -> None:
    world = ApiWorld()
    said = {"title": "Mitternachtssonne", "message": "Einlass ab acht."}
    world.put_zone(title="Midnight Sun", message="Doors at eight.", translations={"de": said})
    browser = Browser(world)
    browser.enter()
    german = {**BROWSER, "accept-language": "de-AT"}
    page = browser.ask("GET", "/visitors/me", headers=german).body
    assert '<html lang="de" dir="ltr"' in page
    assert texts("de")["labels"]["place"] in page
    assert "Einlass ab acht." in page
    assert "Doors at eight." not in page
    arabic = browser.ask("GET", "/visitors/me", headers=german, query="to=/events/midnight-sun&lang=ar")
    assert '<html lang="ar" dir="rtl"' in arabic.body
    assert "Doors at eight." in arabic.body, "there is no translation of it"
    assert arabic.cookies[LANGUAGE_COOKIE] == "ar"
    assert '<html lang="ar"' in browser.ask("GET", "/visitors/me", headers=german).body


def test_problems_are_told_in_the_readers_language() -> None:
    answer = ApiWorld().visit("GET", "/enter", headers={**BROWSER, "accept-language": "ja"})
    assert texts("ja")["states"]["unknown"]["headline"] in answer.body


@pytest.mark.parametrize("language", ["english", "DE", "de-de", "../x"])
def test_a_translation_needs_a_language(language: str) -> None:
    answer = ApiWorld().put_zone(translations={language: {"title": "x"}})
    assert (answer.status, answer.json["pointer"].startswith("/translations")) == (400, True)


def test_every_text_is_said_somewhere() -> None:
    """A text nobody reads is translated thirteen times for nothing."""
    root = Path(__file__).parents[3]
    folders = ("lambdas/publisher/site/assets", "layer/python/waiting_room/http")
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in (root / folder).rglob("*.*")
        if path.suffix in (".js", ".py")
    )
    unsaid = []
    for key, _ in flat(texts()):
        group, name = FORM.sub("", key).split(".")[:2] if "." in key else ("", key)
        if group not in ("", "numbers", "estimates") and not re.search(rf"\b{name}\b", code):
            unsaid.append(key)
    assert unsaid == []
