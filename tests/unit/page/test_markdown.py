"""The organiser's text becomes a few harmless elements, whatever is written."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from waiting_room.domain.markdown import as_html, as_text, parse

VECTORS = json.loads((Path(__file__).parent / "markdown_vectors.json").read_text(encoding="utf-8"))
ELEMENTS = {"p", "br", "ul", "ol", "li", "strong", "em", "a"}


@pytest.mark.parametrize(("text", "html"), VECTORS)
def test_each_form_becomes_what_it_means(text: str, html: str) -> None:
    assert as_html(parse(text)) == html


class Elements(HTMLParser):
    """Notes every element with its attributes, and whether they are nested as they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


MARKS = ["*", "**", "[", "](", ")", "\n", "\n\n", "- ", "1. ", "\\", "<", ">", '"', "'", "!["]
WORDS = ["a", "b c", "é", "https://", "//", "javascript:", "<script>", "<!--", "<a href=", "onload=x", "&lt;"]
PIECES = st.sampled_from([*MARKS, *WORDS, "\x00", "\u202e", "%00"])


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=40).map("".join))
@example("[[a](https://b)](https://c)")
@example("[a*](https://b) *c")
def test_nothing_but_these_elements_comes_out_whatever_goes_in(text: str) -> None:
    found = Elements()
    found.feed(as_html(parse(text)))
    found.close()
    assert not found.open
    for tag, attributes in found.seen:
        assert tag in ELEMENTS
        assert set(attributes) == ({"href", "target", "rel"} if tag == "a" else set())
        if tag == "a":
            assert str(attributes["href"]).startswith("https://")
            assert "noopener" in str(attributes["rel"])
    links = [index for index, (tag, _) in enumerate(found.seen) if tag == "a"]
    assert len(links) == as_html(parse(text)).count("</a>")


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=300))
def test_no_letter_is_lost(text: str) -> None:
    letters = [character for character in text if character.isalpha()]
    assert [character for character in as_text(parse(text)) if character.isalpha()] == letters


def test_as_text_each_item_has_its_line() -> None:
    assert as_text(parse("Now:\n\n- **one**\n- [two](https://a.example)\n\nand\nthree")) == "Now:\none\ntwo\nand\nthree"


def test_the_longest_text_made_of_one_mark_comes_to_an_end() -> None:
    for piece in ("*", "**a", "[", "[a](", "*a ", "\\", "- "):
        text = (piece * 1000)[:1000]
        assert isinstance(as_html(parse(text)), str)
