"""DynamoDB expressions as Python functions: each text is translated once, whatever its names and values.

Only what the product writes is known: top-level attributes, comparisons, the functions on attributes, SET with one
sum, ADD of numbers and to sets, and REMOVE. Everything else is refused loudly. Whether AWS would take an expression is
not decided here but by the contract tests, on strict engines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

Names = Mapping[str, str]
Plain = dict[str, Any]
"""An item or values with plain Python values: int or Decimal for numbers."""
Condition = Callable[[Plain, Names, Plain], bool]
Update = Callable[[Plain, Names, Plain], tuple[Plain, list[str]]]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[#:]?[A-Za-z_][A-Za-z0-9_]*|[(),=<>+-])")
_SYMBOLS = {"=": "same", "<>": "differs", "<": "less", "<=": "at_most", ">": "more", ">=": "at_least"}
_NUMBERS = (int, Decimal)


class UnknownExpression(Exception):
    """Raised for an expression this model cannot translate."""


def _comparable(a: Any, b: Any) -> bool:
    if a.__class__ is b.__class__:
        return a is not None
    return a.__class__ in _NUMBERS and b.__class__ in _NUMBERS


def _same(a: Any, b: Any) -> bool:
    return bool(_comparable(a, b) and a == b)


def _sum(a: Any, b: Any, sign: int) -> Any:
    if a.__class__ not in _NUMBERS or b.__class__ not in _NUMBERS:
        raise UnknownExpression("A sum needs two numbers.")
    return a + sign * b


def _added(a: Any, b: Any) -> Any:
    if isinstance(a, frozenset) and isinstance(b, frozenset):
        return a | b
    return _sum(a, b, 1)


_HELPERS: dict[str, Any] = {
    "__builtins__": {},
    "same": _same,
    "differs": lambda a, b: not _same(a, b),
    "less": lambda a, b: _comparable(a, b) and a < b,
    "at_most": lambda a, b: _comparable(a, b) and a <= b,
    "more": lambda a, b: _comparable(a, b) and a > b,
    "at_least": lambda a, b: _comparable(a, b) and a >= b,
    "begins": lambda a, b: isinstance(a, str) and a.startswith(b),
    "total": _sum,
    "length": lambda a: None if a is None else len(a),
    "either": lambda a, b: b if a is None else a,
}


@cache
def condition(text: str) -> Condition:
    """A function of (item, names, values) for a condition."""
    reader = _Reader(text)
    source = reader.either()
    reader.end()
    test: Condition = _function(source)
    return test


@cache
def update(text: str) -> Update:
    """A function of (item, names, values) for an update: the new item, and the attributes it touched."""
    return _Reader(text).update()


@cache
def projection(text: str) -> tuple[str, ...]:
    """The attributes of a projection, as written."""
    return tuple(part.strip() for part in text.split(","))


def _function(source: str) -> Any:
    # The source is made of translated tokens alone: nothing of a request gets into it.
    return eval(f"lambda item, names, values: {source}", _HELPERS)  # noqa: S307 - see above


class _Reader:
    """Reads one expression and writes Python."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s", "", text):
            raise UnknownExpression(text)
        self._at = 0

    def end(self) -> None:
        if self._at != len(self._tokens):
            raise UnknownExpression(self._text)

    def either(self) -> str:
        parts = [self._every()]
        while self._accept("OR"):
            parts.append(self._every())
        return " or ".join(parts) if len(parts) == 1 else f"({' or '.join(parts)})"

    def update(self) -> Update:
        sets: list[tuple[Callable[[Names], str], Any]] = []
        adds: list[tuple[Callable[[Names], str], Any]] = []
        removals: list[Callable[[Names], str]] = []
        while self._at < len(self._tokens):
            clause = self._take().upper()
            while True:
                name = self._attribute()
                if clause == "SET":
                    self._expect("=")
                    sets.append((name, _function(self._value())))
                elif clause == "ADD":
                    adds.append((name, _function(self._operand())))
                elif clause == "REMOVE":
                    removals.append(name)
                else:
                    raise UnknownExpression(self._text)
                if not self._accept(","):
                    break
        return _changing(sets, adds, removals)

    def _every(self) -> str:
        parts = [self._one()]
        while self._accept("AND"):
            parts.append(self._one())
        return " and ".join(parts)

    def _one(self) -> str:
        if self._accept("NOT"):
            return f"(not {self._one()})"
        if self._accept("("):
            inner = self.either()
            self._expect(")")
            return f"({inner})"
        if self._peek(1) == "(" and self._peek() != "size":
            return self._test()
        left = self._operand()
        if self._accept("BETWEEN"):
            low = self._operand()
            self._expect("AND")
            return f"(at_least({left}, {low}) and at_most({left}, {self._operand()}))"
        symbol = self._take()
        if symbol not in _SYMBOLS:
            raise UnknownExpression(self._text)
        return f"{_SYMBOLS[symbol]}({left}, {self._operand()})"

    def _test(self) -> str:
        name = self._take()
        self._expect("(")
        attribute = self._operand()
        if name == "begins_with":
            self._expect(",")
            source = f"begins({attribute}, {self._operand()})"
        elif name in ("attribute_exists", "attribute_not_exists"):
            source = f"({attribute} is {'not ' if name == 'attribute_exists' else ''}None)"
        else:
            raise UnknownExpression(self._text)
        self._expect(")")
        return source

    def _value(self) -> str:
        left = self._operand()
        for symbol, sign in (("+", 1), ("-", -1)):
            if self._accept(symbol):
                return f"total({left}, {self._operand()}, {sign})"
        return left

    def _operand(self) -> str:
        token = self._take()
        if token.startswith("if_not"):
            self._expect("(")
            present = self._operand()
            self._expect(",")
            otherwise = self._operand()
            self._expect(")")
            return f"either({present}, {otherwise})"
        if token.startswith("size"):
            self._expect("(")
            measured = self._operand()
            self._expect(")")
            return f"length({measured})"
        if token[0] == ":":
            return f"values[{token!r}]"
        if token[0] == "#":
            return f"item.get(names[{token!r}])"
        if not token[0].isalpha() and token[0] != "_":
            raise UnknownExpression(self._text)
        return f"item.get({token!r})"

    def _attribute(self) -> Callable[[Names], str]:
        token = self._take()
        if token[0] == "#":
            return lambda names: names[token]
        return lambda _: token

    def _peek(self, ahead: int = 0) -> str:
        return self._tokens[self._at + ahead] if self._at + ahead < len(self._tokens) else ""

    def _take(self) -> str:
        if self._at >= len(self._tokens):
            raise UnknownExpression(self._text)
        self._at += 1
        token: str = self._tokens[self._at - 1]
        return token

    def _accept(self, token: str) -> bool:
        if self._peek().upper() == token:
            self._at += 1
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise UnknownExpression(self._text)


def _changing(
    sets: list[tuple[Callable[[Names], str], Any]],
    adds: list[tuple[Callable[[Names], str], Any]],
    removals: list[Callable[[Names], str]],
) -> Update:
    def change(item: Plain, names: Names, values: Plain) -> tuple[Plain, list[str]]:
        new, touched = item.copy(), []
        for attribute, operand in sets:
            name = attribute(names)
            new[name] = operand(item, names, values)
            touched.append(name)
        for attribute, operand in adds:
            name, value = attribute(names), operand(item, names, values)
            new[name] = value if name not in item else _added(item[name], value)
            touched.append(name)
        for attribute in removals:
            name = attribute(names)
            new.pop(name, None)
            touched.append(name)
        return new, touched

    return change
