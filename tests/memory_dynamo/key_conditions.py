"""What a KeyConditionExpression may say, turned into a range of sort keys in one partition."""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from tests.memory_dynamo.conditions import Between, Compare, Condition, Every, Predicate
from tests.memory_dynamo.errors import InvalidError
from tests.memory_dynamo.evaluate import Values
from tests.memory_dynamo.syntax import Operand, Path, Value
from tests.memory_dynamo.tables import Attribute, KeyPart, Table, key_part
from tests.memory_dynamo.values import kind_of

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPARE = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class KeyRange:
    """`symbol` is a comparator, `between`, `begins_with`, or empty for the whole partition; `bounds` its operands."""

    partition: KeyPart
    symbol: str = ""
    bounds: tuple[Any, ...] = ()

    def covers(self, key: Any) -> bool:
        """Whether a sort key lies in the range."""
        if not self.symbol:
            return True
        if self.symbol == "between":
            return bool(self.bounds[0] <= key <= self.bounds[1])
        if self.symbol == "begins_with":
            return bool(key.startswith(self.bounds[0]))
        return bool(_COMPARE[self.symbol](key, self.bounds[0]))

    def end(self, forward: bool) -> Any:
        """The key at which a read in this direction is over, as the condition itself says; None where it says none."""
        if self.symbol == "between":
            return self.bounds[-1] if forward else self.bounds[0]
        return self.bounds[0] if self.symbol == ("<=" if forward else ">=") else None

    def slice_of(self, table: Table) -> slice:
        """A slice of the partition's ordered sort keys that holds the whole range (begins_with: and what follows)."""
        if not self.symbol:
            return slice(None)
        ordered = table.sort_values(self.partition)
        low, high = self.bounds[0], self.bounds[-1]
        start = 0 if self.symbol in ("<", "<=") else bisect_left(ordered, low)
        end = len(ordered) if self.symbol in (">", ">=") else bisect_right(ordered, high)
        return slice(start, None if self.symbol == "begins_with" else end)


def key_range(table: Table, condition: Condition, values: Values) -> KeyRange:
    """The range a condition asks for. Raises InvalidError for all that is no key condition of this table."""
    found: dict[str, tuple[str, tuple[Value, ...]]] = {}
    for term in _terms(condition):
        name, symbol, operands = _term(term)
        if name in found:
            raise InvalidError("KeyConditionExpressions must only contain one condition per key")
        found[name] = (symbol, operands)
    if table.partition_key.name not in found or not found.keys() <= table.key_names:
        raise InvalidError("Query condition missed key schema element")
    symbol, operands = found.pop(table.partition_key.name)
    if symbol != "=":
        raise InvalidError("Query key condition not supported")
    (partition,) = _parts(table.partition_key, operands, values)
    if not found:
        return KeyRange(partition)
    ((symbol, operands),) = found.values()
    assert table.sort_key is not None
    return KeyRange(partition, symbol, _parts(table.sort_key, operands, values))


def _terms(condition: Condition) -> tuple[Condition, ...]:
    if isinstance(condition, Every):
        return tuple(inner for term in condition.terms for inner in _terms(term))
    return (condition,)


def _term(term: Condition) -> tuple[str, str, tuple[Value, ...]]:
    if isinstance(term, Compare) and term.symbol in _MIRRORED:
        if isinstance(term.left, Value):
            return _checked(term.right, _MIRRORED[term.symbol], (term.left,))
        return _checked(term.left, term.symbol, (term.right,))
    if isinstance(term, Between):
        return _checked(term.operand, "between", (term.low, term.high))
    if isinstance(term, Predicate) and term.call.name == "begins_with":
        return _checked(term.call.arguments[0], "begins_with", term.call.arguments[1:])
    raise InvalidError("Invalid operator used in KeyConditionExpression")


def _checked(key: Operand, symbol: str, operands: tuple[Operand, ...]) -> tuple[str, str, tuple[Value, ...]]:
    if not isinstance(key, Path):
        raise InvalidError("KeyConditionExpressions cannot contain nested operations")
    if len(key.parts) > 1:
        raise InvalidError("KeyConditionExpressions cannot have conditions on nested attributes")
    given = tuple(operand for operand in operands if isinstance(operand, Value))
    if len(given) != len(operands):
        raise InvalidError("Invalid condition in KeyConditionExpression: a key can only be compared with values")
    return str(key.parts[0]), symbol, given


def _parts(key: Attribute, operands: tuple[Value, ...], values: Values) -> tuple[KeyPart, ...]:
    for operand in operands:
        if kind_of(values[operand.name]) != key.kind:
            raise InvalidError(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
    return tuple(key_part(key, values[operand.name]) for operand in operands)
