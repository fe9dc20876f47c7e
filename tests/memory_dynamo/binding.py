"""Expressions of one request, parsed once per text and names, with the checks AWS makes across all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tests.memory_dynamo.apply import Change, compile_update, update_checks
from tests.memory_dynamo.conditions import Condition, parse_condition
from tests.memory_dynamo.errors import InvalidError, malformed
from tests.memory_dynamo.evaluate import Check, Truth, Values, compile_condition, value_checks
from tests.memory_dynamo.syntax import Parser, Path
from tests.memory_dynamo.updates import parse_update
from tests.memory_dynamo.values import checked

_NAME = re.compile(r"#[A-Za-z0-9_]+\Z")
_VALUE = re.compile(r":[A-Za-z0-9_]+\Z")
_KINDS = (
    "ConditionExpression",
    "FilterExpression",
    "UpdateExpression",
    "ProjectionExpression",
    "KeyConditionExpression",
)
_NO_TEXTS = (None,) * len(_KINDS)
Names = tuple[tuple[str, str], ...]


@dataclass
class Bound:
    """The compiled expressions of one request; what it does not have is None (or empty)."""

    condition: Truth | None = None
    change: Change | None = None
    key_condition: Condition | None = None
    projection: list[tuple[str | int, ...]] = field(default_factory=list)
    changed: list[tuple[str | int, ...]] = field(default_factory=list)
    condition_paths: frozenset[str] = frozenset()
    checks: list[Check] = field(default_factory=list)
    values: set[str] = field(default_factory=set)


def bind(request: dict[str, Any]) -> tuple[Bound, Values]:
    """Compiles (or finds again) the request's expressions and checks its values against them. Raises InvalidError."""
    texts = tuple(map(request.get, _KINDS))
    names = request.get("ExpressionAttributeNames")
    values = request.get("ExpressionAttributeValues")
    if texts == _NO_TEXTS:
        _refuse_without_expression(names, values)
        return Bound(), {}
    bound = _compiled(texts, _checked_names(names))
    given = {} if values is None else _checked_values(values)
    if bound.values != given.keys():
        _refuse_values(bound.values, set(given))
    for check in bound.checks:
        check(given)
    return bound, given


def _refuse_without_expression(names: Any, values: Any) -> None:
    for label, given in (("ExpressionAttributeNames", names), ("ExpressionAttributeValues", values)):
        if given is not None:
            raise InvalidError(f"{label} can only be specified when using expressions")


def _checked_names(names: Any) -> Names:
    if names is None:
        return ()
    if not names:
        raise InvalidError("ExpressionAttributeNames must not be empty")
    return tuple(names.items())


def _checked_values(values: Any) -> Values:
    if type(values) is not dict:
        raise malformed(f"Invalid type for parameter ExpressionAttributeValues: {values!r}, valid types: dict")
    if not values:
        raise InvalidError("ExpressionAttributeValues must not be empty")
    # One level deeper than an item: what is only compared is never put anywhere.
    return {name: checked(value, -1) for name, value in values.items()}


def _refuse_values(used: set[str], given: set[str]) -> None:
    for name in given:
        if not _VALUE.match(name):
            raise InvalidError(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{name}"')
    for name in sorted(used - given):
        raise InvalidError(f"An expression attribute value used in expression is not defined; attribute value: {name}")
    unused = ", ".join(sorted(given - used))
    raise InvalidError(f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{unused}}}")


@lru_cache(maxsize=20_000)
def _compiled(texts: tuple[str | None, ...], names: Names) -> Bound:
    mapping = dict(names)
    for placeholder, name in names:
        if not _NAME.match(placeholder):
            raise InvalidError(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{placeholder}"')
        if not name:
            raise InvalidError(f"ExpressionAttributeNames contains invalid value: Empty name for key {placeholder}")
    bound, used_names = Bound(), set[str]()
    for kind, text in zip(_KINDS, texts, strict=True):
        if text is not None:
            if not isinstance(text, str):
                raise malformed(f"Invalid type for parameter {kind}: {text!r}, valid types: str")
            parser = Parser(kind, text, mapping)
            _COMPILERS[kind](bound, parser)
            used_names |= parser.used_names
            bound.values |= parser.used_values
    if unused := sorted(mapping.keys() - used_names):
        raise InvalidError(
            f"Value provided in ExpressionAttributeNames unused in expressions: keys: {{{', '.join(unused)}}}"
        )
    return bound


def _condition(bound: Bound, parser: Parser) -> None:
    tree = parse_condition(parser)
    bound.condition = compile_condition(tree)
    bound.condition_paths = frozenset(parser.roots)
    bound.checks += value_checks(parser.kind, tree)


def _update(bound: Bound, parser: Parser) -> None:
    actions = parse_update(parser)
    bound.change = compile_update(actions)
    bound.changed = [action.path.parts for action in actions]
    bound.checks += update_checks(actions)


def _projection(bound: Bound, parser: Parser) -> None:
    paths: list[Path] = parser.separated(parser.path)
    parser.end()
    parser.check_overlaps(paths)
    bound.projection = [path.parts for path in paths]


def _key_condition(bound: Bound, parser: Parser) -> None:
    bound.key_condition = parse_condition(parser)
    bound.checks += value_checks(parser.kind, bound.key_condition)


_COMPILERS: dict[str, Callable[[Bound, Parser], None]] = {
    "ConditionExpression": _condition,
    "FilterExpression": _condition,
    "UpdateExpression": _update,
    "ProjectionExpression": _projection,
    "KeyConditionExpression": _key_condition,
}
