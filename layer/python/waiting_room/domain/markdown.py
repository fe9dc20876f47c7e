"""The organiser's text: a small part of Markdown, and nothing that could be anything else.

Paragraphs (a blank line between), line breaks, `- ` and `1. ` lists, `**strong**`, `*emphasis*`, and links to https
addresses, `[text](https://...)`. A backslash takes the meaning from the character behind it. Whatever is not exactly
one of these is text as it stands: HTML, pictures, other addresses. Syntax as in CommonMark 0.31, where it has it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

__all__ = ["Node", "as_html", "as_text", "parse"]

_ITEM = re.compile(r"(?:([-*])|[0-9]{1,3}\.) +(\S.*)")
_INLINE = re.compile(
    r"\\([\\*\[\]()-])"
    r"|\*\*([^\s*]|[^\s*].*?[^\s\\]|\*[^\s*].*?\*)\*\*(?!\*)"
    r"|\*([^\s*]|[^\s*].*?[^\s*\\])\*(?!\*)"
    r"|\[([^\[\]]+)\]\((https://[A-Za-z0-9][!#-&*-;=?-Z_a-z~%]*)\)"
)
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of what follows: text must not read as something else."""


@dataclass(frozen=True)
class Node:
    """An element by its HTML name (`p ul ol li strong em a br`); `href` is there for `a` alone."""

    kind: str
    children: tuple[Node | str, ...] = ()
    href: str = ""


def parse(text: str) -> tuple[Node, ...]:
    """The blocks of a text, in order; none of a text without any characters to be seen."""
    lines = (line.strip() for line in _UNSEEN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n"))
    return tuple(_block(kind, list(group)) for kind, group in groupby(lines, _kind) if kind)


def as_html(nodes: Iterable[Node | str]) -> str:
    """HTML with every text escaped. Links open a page of their own: nobody loses a place by following one."""
    return "".join(html.escape(node) if isinstance(node, str) else _element(node) for node in nodes)


def as_text(nodes: Iterable[Node | str]) -> str:
    """What is read aloud or shown where there is no markup: blocks and items on lines of their own."""
    return "".join(_plain(nodes)).strip()


def _kind(line: str) -> str:
    """The block a line belongs to; empty between blocks."""
    if not line:
        return ""
    item = _ITEM.fullmatch(line)
    return "p" if item is None else "ul" if item[1] else "ol"


def _block(kind: str, lines: list[str]) -> Node:
    if kind == "p":
        parts: list[Node | str] = []
        for line in lines:
            parts += [*([Node("br")] if parts else []), *_inline(line)]
        return Node(kind, tuple(parts))
    texts = (match[2] for line in lines if (match := _ITEM.fullmatch(line)))
    return Node(kind, tuple(Node("li", tuple(_inline(text))) for text in texts))


def _inline(text: str, *, in_link: bool = False) -> Iterator[Node | str]:
    """Text and elements of a line; neighbouring texts are one."""
    plain, end = "", 0
    for found in _INLINE.finditer(text):
        plain, end = plain + text[end : found.start()], found.end()
        escaped, strong, emphasis, label, address = found.groups()
        if escaped is not None or (label is not None and in_link):
            plain += found[0] if escaped is None else escaped
            continue
        if plain:
            yield plain
        plain = ""
        if strong is not None:
            yield Node("strong", tuple(_inline(strong, in_link=in_link)))
        elif emphasis is not None:
            yield Node("em", tuple(_inline(emphasis, in_link=in_link)))
        else:
            yield Node("a", tuple(_inline(label, in_link=True)), address)
    if plain + text[end:]:
        yield plain + text[end:]


def _element(node: Node) -> str:
    if node.kind == "br":
        return "<br>"
    where = f' href="{html.escape(node.href)}" target="_blank" rel="noopener noreferrer"' if node.kind == "a" else ""
    return f"<{node.kind}{where}>{as_html(node.children)}</{node.kind}>"


def _plain(nodes: Iterable[Node | str]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
            continue
        yield from _plain(node.children)
        if node.kind in ("p", "li", "br"):
            yield "\n"
