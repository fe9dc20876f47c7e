"""Syntax tree of DynamoDB expressions and the parser for what all of them share: paths, placeholders, arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from tests.memory_dynamo.errors import InvalidError
from tests.memory_dynamo.lexer import Token, reserved_words, tokens_of

_T = TypeVar("_T")


@dataclass(frozen=True)
class Path:
    """A document path: attribute names (str, placeholders resolved) and list indexes (int)."""

    parts: tuple[str | int, ...]

    def __str__(self) -> str:
        return "[" + ", ".join(f"[{part}]" if isinstance(part, int) else part for part in self.parts) + "]"


@dataclass(frozen=True)
class Value:
    """A `:placeholder`."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True)
class Sum:
    """`left + right` or `left - right`; only in SET."""

    left: Operand
    right: Operand
    sign: int


Operand = Path | Value | Call | Sum


class Parser:
    """A cursor over the tokens of one expression; remembers the placeholders and top-level attributes it met."""

    def __init__(self, kind: str, text: str, names: Mapping[str, str]) -> None:
        self.kind = kind
        self.tokens = tokens_of(kind, text)
        self.at = 0
        self.names = names
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()
        self.roots: set[str] = set()

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def refuse(self, reason: str) -> NoReturn:
        raise InvalidError(f"Invalid {self.kind}: {reason}")

    def syntax_error(self) -> NoReturn:
        near = " ".join(token.text for token in self.tokens[max(0, self.at - 1) : self.at + 2] if token.kind != "end")
        self.refuse(f'Syntax error; token: "{self.next.text}", near: "{near}"')

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def accept(self, text: str) -> bool:
        """Takes the next token when it is this symbol."""
        if self.next.kind == "symbol" and self.next.text == text:
            self.at += 1
            return True
        return False

    def accept_keyword(self, word: str) -> bool:
        """Takes the next token when it is this keyword, in any case."""
        if self.next.kind == "word" and self.next.text.upper() == word:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.syntax_error()

    def expect_keyword(self, word: str) -> None:
        if not self.accept_keyword(word):
            self.syntax_error()

    def end(self) -> None:
        if self.next.kind != "end":
            self.syntax_error()

    def separated(self, parse: Callable[[], _T]) -> list[_T]:
        """One or more of something, with commas between."""
        found = [parse()]
        while self.accept(","):
            found.append(parse())
        return found

    def value(self) -> Value:
        if self.next.kind != "value":
            self.syntax_error()
        name = self.take().text
        self.used_values.add(name)
        return Value(name)

    def path(self) -> Path:
        root = self._attribute()
        self.roots.add(root)
        parts: list[str | int] = [root]
        while True:
            if self.accept("."):
                parts.append(self._attribute())
            elif self.accept("["):
                if self.next.kind != "index":
                    self.syntax_error()
                parts.append(int(self.take().text))
                self.expect("]")
            else:
                return Path(tuple(parts))

    def _attribute(self) -> str:
        if self.next.kind not in ("word", "name"):
            self.syntax_error()
        token = self.take()
        if token.kind == "name":
            return self._named(token.text)
        if token.text.upper() in reserved_words():
            self.refuse(f"Attribute name is a reserved keyword; reserved keyword: {token.text}")
        return token.text

    def _named(self, placeholder: str) -> str:
        if placeholder not in self.names:
            self.refuse(
                f"An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            )
        self.used_names.add(placeholder)
        return self.names[placeholder]

    def at_call(self) -> bool:
        """Whether a function name with its parenthesis comes next."""
        return self.next.kind == "word" and self.tokens[self.at + 1] == Token("symbol", "(")

    def call(self, argument: Callable[[], Operand]) -> Call:
        name = self.take().text
        self.expect("(")
        arguments = self.separated(argument)
        self.expect(")")
        return Call(name, tuple(arguments))

    def check_count(self, call: Call, count: int) -> None:
        if len(call.arguments) != count:
            self.refuse(
                "Incorrect number of operands for operator or function; operator or function: "
                f"{call.name}, number of operands: {len(call.arguments)}"
            )

    def is_doubled(self, start: int) -> bool:
        """Whether the parenthesis at this token, which was read to its end, holds nothing but another one."""
        return self.tokens[start + 1].text == "(" and self.closing(start + 1) == self.at - 2

    def closing(self, start: int) -> int:
        """Index of the token that closes the parenthesis at `start`, or of the end."""
        depth = 0
        for index in range(start, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[index].text, 0)
            if depth == 0:
                return index
        return len(self.tokens) - 1

    def refuse_doubled(self, start: int) -> None:
        """Refuses the parenthesis at this token if it is one too many."""
        if self.is_doubled(start):
            self.refuse("The expression has redundant parentheses;")

    def check_distinct(self, name: str, first: Path, rest: tuple[Operand, ...]) -> None:
        """Refuses an operator or function that takes the same path twice."""
        if first in rest:
            self.refuse(
                "The first operand must be distinct from the remaining operands for this operator or function; "
                f"operator: {name}, first operand: {first}"
            )

    def check_overlaps(self, paths: list[Path]) -> None:
        """Refuses paths of which one contains another, or that read one parent both as map and as list."""
        for index, one in enumerate(paths):
            for two in paths[index + 1 :]:
                self._check_pair(one, two)

    def _check_pair(self, one: Path, two: Path) -> None:
        pair = f"must remove or rewrite one of these paths; path one: {one}, path two: {two}"
        for left, right in zip(one.parts, two.parts, strict=False):
            if type(left) is not type(right):
                self.refuse(f"Two document paths conflict with each other; {pair}")
            if left != right:
                return
        self.refuse(f"Two document paths overlap with each other; {pair}")
