"""Reads as much of HCL as documentation takes: blocks, their labels, and the text of their arguments.

Expressions are not evaluated; they are cut out as they are written. Strings, comments, heredocs and nested brackets are
followed only so far that the end of an expression is found.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field


class BadHcl(Exception):
    """Raised for text this reader does not understand; says where."""

    def __init__(self, text: str, at: int, what: str) -> None:
        super().__init__(f"line {text.count(chr(10), 0, at) + 1}: {what}")


@dataclass(frozen=True)
class Block:
    """`kind "label" "label" { arguments and blocks }`. Arguments are source text without comments and indentation."""

    kind: str
    labels: tuple[str, ...] = ()
    arguments: dict[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    def text(self, name: str) -> str:
        """An argument that is a plain string, or '' where there is none; raises ValueError for any other expression."""
        source = self.arguments.get(name, '""')
        value = json.loads(source.replace("$${", "${").replace("%%{", "%{"))
        if not isinstance(value, str):
            raise ValueError(f"{name} is not a string: {source}")
        return value


_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LABEL = re.compile(r'"([^"\\]*)"')
_SPACE = re.compile(r"(?:\s+|#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_BLANK = re.compile(r"(?:[ \t]+|/\*.*?\*/)+", re.DOTALL)
_HEREDOC = re.compile(r"<<-?([A-Za-z_][A-Za-z0-9_-]*)\n")
_OPENING, _CLOSING = "([{", ")]}"


def parse(text: str) -> list[Block]:
    """The top-level blocks of a file, in order. Raises BadHcl."""
    reader = _Reader(text)
    body = reader.body(end="")
    if body.arguments:
        raise BadHcl(text, 0, "an argument outside of every block")
    return list(body.blocks)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def body(self, end: str, kind: str = "", labels: tuple[str, ...] = ()) -> Block:
        """Arguments and blocks up to a closing brace, or up to the end of the text."""
        arguments: dict[str, str] = {}
        blocks: list[Block] = []
        while True:
            self._skip(_SPACE)
            if self._at == len(self._text) or self._text[self._at] == "}":
                if self._text[self._at : self._at + 1] != end:
                    raise self._bad("a brace is missing or too many")
                self._at += len(end)
                return Block(kind, labels, arguments, tuple(blocks))
            name = self._take(_IDENTIFIER, "a name")
            self._skip(_BLANK)
            if self._text[self._at : self._at + 1] == "=":
                self._at += 1
                arguments[name] = self._expression()
            else:
                blocks.append(self._block(name))

    def _block(self, kind: str) -> Block:
        labels = []
        while label := _LABEL.match(self._text, self._at):
            labels.append(label[1])
            self._at = label.end()
            self._skip(_BLANK)
        if self._text[self._at : self._at + 1] != "{":
            raise self._bad(f"neither = nor {{ after {kind}")
        self._at += 1
        return self.body("}", kind, tuple(labels))

    def _expression(self) -> str:
        """The expression from here to the end of its last line."""
        self._skip(_BLANK)
        start, depth = self._at, 0
        pieces: list[str] = []
        while self._at < len(self._text):
            sign = self._text[self._at]
            if comment := self._comment():
                pieces.append(self._text[start : self._at])
                start = self._at = comment
                continue
            if depth == 0 and sign in "\n}":
                break
            if heredoc := _HEREDOC.match(self._text, self._at):
                self._at = self._after_heredoc(heredoc)
                continue
            if sign == '"':
                self._at = self._after_string(self._at)
                continue
            depth += (sign in _OPENING) - (sign in _CLOSING)
            self._at += 1
        source = "".join([*pieces, self._text[start : self._at]])
        return _tidied(source)

    def _comment(self) -> int:
        """Where the comment that starts here ends, 0 where none starts."""
        for start, end in (("#", "\n"), ("//", "\n"), ("/*", "*/")):
            if self._text.startswith(start, self._at):
                found = self._text.find(end, self._at)
                return len(self._text) if found < 0 else found + (len(end) if end == "*/" else 0)
        return 0

    def _after_string(self, at: int) -> int:
        """The place after a quoted string, whose templates may hold strings themselves."""
        at += 1
        while at < len(self._text):
            if self._text[at] == "\\":
                at += 2
            elif self._text[at] == '"':
                return at + 1
            elif self._text[at : at + 2] in ("${", "%{") and self._text[at - 1 : at] not in ("$", "%"):
                at = self._after_template(at + 2)
            else:
                at += 1
        raise self._bad("a string without an end")

    def _after_template(self, at: int) -> int:
        depth = 1
        while depth and at < len(self._text):
            if self._text[at] == '"':
                at = self._after_string(at)
                continue
            depth += (self._text[at] == "{") - (self._text[at] == "}")
            at += 1
        return at

    def _after_heredoc(self, heredoc: re.Match[str]) -> int:
        end = re.compile(rf"^[ \t]*{heredoc[1]}[ \t]*$", re.MULTILINE).search(self._text, heredoc.end())
        if end is None:
            raise self._bad(f"no end of the text that {heredoc[1]} ends")
        return end.end()

    def _skip(self, what: re.Pattern[str]) -> None:
        if found := what.match(self._text, self._at):
            self._at = found.end()

    def _take(self, what: re.Pattern[str], name: str) -> str:
        found = what.match(self._text, self._at)
        if found is None:
            raise self._bad(f"{name} is expected")
        self._at = found.end()
        return found[0]

    def _bad(self, what: str) -> BadHcl:
        return BadHcl(self._text, self._at, what)


def _tidied(source: str) -> str:
    """An expression with no blank at the end of a line and its later lines moved to the left together."""
    first, *others = source.strip().split("\n")
    kept = [line.rstrip() for line in others if line.strip()]
    # The closing bracket stands where the argument's name stood.
    return "\n".join([first.rstrip(), *textwrap.dedent("\n".join(kept)).split("\n")]) if kept else first.rstrip()


def walk(blocks: list[Block], kind: str) -> Iterator[Block]:
    """The top-level blocks of a kind."""
    return (block for block in blocks if block.kind == kind)
