"""Tokens of DynamoDB expressions, and the reserved words that may not be used as bare attribute names."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

from tests.memory_dynamo.errors import InvalidError

_TOKEN = re.compile(
    r"(?P<name>#[A-Za-z0-9_]+)|(?P<value>:[A-Za-z0-9_]+)|(?P<word>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<index>0|[1-9][0-9]*)|(?P<symbol><=|>=|<>|[=<>(),.\[\]+\-])"
)
_SPACE = re.compile(r"\s*")
MAX_EXPRESSION_BYTES = 4096


class Token(NamedTuple):
    """kind: name (#x), value (:x), word, index, symbol or end."""

    kind: str
    text: str


END = Token("end", "<EOF>")


def tokens_of(kind: str, text: str) -> list[Token]:
    """All tokens of an expression. `kind` (ConditionExpression, ...) only words the InvalidError."""
    if not text:
        raise InvalidError(f"Invalid {kind}: The expression can not be empty;")
    if len(text.encode()) > MAX_EXPRESSION_BYTES:
        raise InvalidError(f"Invalid {kind}: Expression size has exceeded the maximum allowed size")
    found: list[Token] = []
    at = _SPACE.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidError(f'Invalid {kind}: Syntax error; token: "{text[at]}", near: "{text[at : at + 5]}"')
        found.append(Token(str(match.lastgroup), match.group()))
        at = _SPACE.match(text, match.end()).end()  # type: ignore[union-attr]
    return [*found, END]


@cache
def reserved_words() -> frozenset[str]:
    """AWS's list in upper case, as the moto distribution ships it (read as data: moto itself is not imported)."""
    listed = Path(str(distribution("moto").locate_file("moto/dynamodb/parsing/reserved_keywords.txt")))
    return frozenset(listed.read_text().split())
