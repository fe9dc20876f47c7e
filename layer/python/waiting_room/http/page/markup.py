"""Parts of the pages: how values become HTML, and what more than one page shows."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from functools import cache
from string import Template
from typing import Any

from waiting_room.domain.markdown import as_html, parse
from waiting_room.http.page.languages import languages, texts
from waiting_room.http.page.wording import TEMPLATES, Words


class Markup(str):
    """Text that is HTML already; everything else is escaped when it is filled in."""

    __slots__ = ()


def language_switch(said: Words, place: str) -> Markup:
    """The switch: a link for each language, in its own words, that needs no script."""
    if not place:
        return Markup()
    joint = "&amp;" if "?" in place else "?"
    links = []
    for name in languages():
        current = ' aria-current="true"' if name == said.language else ""
        address = f'href="{html.escape(place)}{joint}lang={name}" lang="{name}" hreflang="{name}"'
        links.append(f'<li><a {address} data-language="{name}"{current}>{texts(name)["name"]}</a></li>')
    return fill(
        "languages.html",
        {"label": said.say("labels", "language"), "name": said.texts["name"], "links": Markup("\n".join(links))},
    )


def logo(url: str) -> Markup:
    address = own_address(url)
    return Markup(f' src="{html.escape(address)}"' if address else "")


def cards(cards: Sequence[Mapping[str, str]]) -> Markup:
    """What is good to know; `view.js` makes the same elements."""
    items = []
    for card in cards:
        title, url = html.escape(card["title"]), html.escape(own_address(card.get("url", "")))
        heading = f'<a href="{url}" target="_blank" rel="noopener">{title}</a>' if url else title
        items.append(f"<li><h3>{heading}</h3><div>{rich(card['text'])}</div></li>")
    return Markup("".join(items))


def rich(text: str) -> Markup:
    """An organiser's text as HTML; `markdown.js` makes the same elements."""
    return Markup(as_html(parse(text)))


def own_address(url: str) -> str:
    """An organiser's address if it is a path of this site or an https address, else nothing."""
    ours = url.startswith("/") and not url.startswith(("//", "/\\"))
    return url if ours or url.startswith("https://") else ""


def hidden(shown: bool) -> Markup:
    return Markup("" if shown else " hidden")


def data(value: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element it stands in: no `<`, `>` or `&` is left in it."""
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return encoded.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def fill(template: str, values: Mapping[str, str]) -> Markup:
    escaped = {name: value if isinstance(value, Markup) else html.escape(value) for name, value in values.items()}
    return Markup(_template(template).substitute(escaped))


@cache
def _template(name: str) -> Template:
    return Template((TEMPLATES / name).read_text(encoding="utf-8"))
