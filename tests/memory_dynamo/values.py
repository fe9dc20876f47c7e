"""Attribute values in DynamoDB JSON: checks on the way in, copies on the way out, sizes and order.

Stored values are canonical (numbers as plain text, sets sorted, binary as bytes), so two values are equal exactly when
their dicts are equal. They are never changed in place: an update replaces the top-level value it touches.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tests.memory_dynamo.errors import InvalidError, malformed
from tests.memory_dynamo.numbers import canonical_number, number

AttributeValue = dict[str, Any]
Item = dict[str, AttributeValue]

MAX_ITEM_BYTES = 400 * 1024
KINDS = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL")
_MAX_DEPTH = 31
_SCALARS = frozenset({"S", "N", "B", "BOOL", "NULL"})
_ORDERED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def kind_of(value: AttributeValue) -> str:
    """The one type tag of a checked value."""
    (kind,) = value
    return kind


def checked(value: Any, depth: int = 0) -> AttributeValue:
    """A canonical copy of one value. Raises InvalidError, or botocore's own error for a wrong Python type."""
    if type(value) is not dict:
        raise malformed(f"Invalid type for an attribute value: {value!r}, valid types: dict")
    if len(value) != 1:
        raise InvalidError("Supplied AttributeValue must contain exactly one of the supported datatypes")
    ((kind, body),) = value.items()
    check = _CHECKS.get(kind)
    if check is None:
        raise malformed(f"Unknown type tag in an attribute value: {kind!r}")
    if depth > _MAX_DEPTH:
        raise InvalidError("Nesting Levels have exceeded supported limits")
    return {kind: check(body, depth)}


def check_depth(value: AttributeValue, level: int = 0) -> None:
    """Refuses a value that lies deeper than an item may go, `level` being where it is put. Raises InvalidError."""
    if level > _MAX_DEPTH:
        raise InvalidError("Nesting Levels have exceeded supported limits")
    ((kind, body),) = value.items()
    if kind in ("L", "M"):
        for member in body.values() if kind == "M" else body:
            check_depth(member, level + 1)


def checked_item(item: Any) -> Item:
    """A canonical copy of a whole item."""
    if type(item) is not dict:
        raise malformed(f"Invalid type for an item: {item!r}, valid types: dict")
    return {_attribute_name(name): checked(value) for name, value in item.items()}


def _attribute_name(name: Any) -> str:
    if type(name) is not str:
        raise malformed(f"Invalid type for an attribute name: {name!r}, valid types: str")
    if not name:
        raise InvalidError("One or more parameter values were invalid: An attribute name may not be empty")
    return name


def _text(body: Any, depth: int) -> str:
    if type(body) is not str:
        raise malformed(f"Invalid type for S: {body!r}, valid types: str")
    return body


def _number_text(body: Any, depth: int) -> str:
    if type(body) is not str:
        raise malformed(f"Invalid type for N: {body!r}, valid types: str")
    return canonical_number(body)


def _bytes(body: Any, depth: int) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if not isinstance(body, bytes | bytearray):
        raise malformed(f"Invalid type for B: {body!r}, valid types: bytes, bytearray")
    return bytes(body)


def _boolean(body: Any, depth: int) -> bool:
    if type(body) is not bool:
        raise malformed(f"Invalid type for BOOL: {body!r}, valid types: bool")
    return body


def _null(body: Any, depth: int) -> bool:
    if not _boolean(body, depth):
        raise InvalidError("One or more parameter values were invalid: Null attribute value types must have true")
    return True


def _set_of(check: Callable[[Any, int], Any]) -> Callable[[Any, int], list[Any]]:
    def check_set(body: Any, depth: int) -> list[Any]:
        if not isinstance(body, list | tuple):
            raise malformed(f"Invalid type for a set: {body!r}, valid types: list, tuple")
        members = [check(member, depth) for member in body]
        if not members:
            raise InvalidError("One or more parameter values were invalid: A set may not be empty")
        if len(set(members)) != len(members):
            raise InvalidError("One or more parameter values were invalid: Input collection contains duplicates")
        return sorted(members)

    return check_set


def _map(body: Any, depth: int) -> Item:
    if type(body) is not dict:
        raise malformed(f"Invalid type for M: {body!r}, valid types: dict")
    return {_attribute_name(name): checked(value, depth + 1) for name, value in body.items()}


def _list(body: Any, depth: int) -> list[AttributeValue]:
    if not isinstance(body, list | tuple):
        raise malformed(f"Invalid type for L: {body!r}, valid types: list, tuple")
    return [checked(value, depth + 1) for value in body]


_CHECKS: dict[str, Callable[[Any, int], Any]] = {
    "S": _text,
    "N": _number_text,
    "B": _bytes,
    "BOOL": _boolean,
    "NULL": _null,
    "SS": _set_of(_text),
    "NS": _set_of(_number_text),
    "BS": _set_of(_bytes),
    "M": _map,
    "L": _list,
}


def copied(value: AttributeValue) -> AttributeValue:
    """A copy that shares nothing mutable with `value`."""
    ((kind, body),) = value.items()
    if kind in _SCALARS:
        return {kind: body}
    if kind == "M":
        return {"M": {name: copied(member) for name, member in body.items()}}
    if kind == "L":
        return {"L": [copied(member) for member in body]}
    return {kind: list(body)}


def copied_item(item: Item) -> Item:
    """A copy of a whole item, for the caller to keep."""
    # Text and numbers, nearly everything there is, are copied here: a call for each would take most of a GetItem.
    return {
        name: {kind: body} if body.__class__ is str else copied(value)
        for name, value in item.items()
        for kind, body in value.items()
    }


def byte_length(text: str) -> int:
    """UTF-8 length."""
    return len(text) if text.isascii() else len(text.encode())


def size_of(value: AttributeValue) -> int:
    """Bytes of one value as AWS counts item sizes (Developer Guide, "Item sizes and formats")."""
    ((kind, body),) = value.items()
    if kind == "N":
        return _number_size(body)
    if kind == "S":
        return byte_length(body)
    if kind == "M":
        return 3 + sum(1 + byte_length(name) + size_of(member) for name, member in body.items())
    if kind == "L":
        return 3 + sum(1 + size_of(member) for member in body)
    if kind == "B":
        return len(body)
    if kind in ("BOOL", "NULL"):
        return 1
    return sum(size_of({kind[0]: member}) for member in body)


def _number_size(text: str) -> int:
    """A byte for each pair of digits, counted from the decimal point, one more, and one for a minus sign.

    Pairs of zeros in front and behind cost nothing, so 4700 has one pair less than 4687; no number takes more than 21.
    The guide ("Item sizes and formats") says "approximately 1 byte per two significant digits" and 1; this is what was
    measured of AWS (Zac Charles, "Calculating a DynamoDB Item's Size and Consumed Capacity") and what its own engine
    bills (tests/contract/test_item_sizes.py).
    """
    if text == "0":
        return 1
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = "0" * (len(whole) % 2) + whole + fraction + "0" * (len(fraction) % 2)
    free = (len(digits) - len(digits.lstrip("0"))) // 2 + (len(digits) - len(digits.rstrip("0"))) // 2
    return min(21, len(digits) // 2 - free + 1 + (text[0] == "-"))


def item_size(item: Item) -> int:
    """Bytes of names and values together."""
    return sum(byte_length(name) + size_of(value) for name, value in item.items())


def length_of(value: AttributeValue) -> int | None:
    """What the `size` function of conditions answers; None where it does not apply (numbers, booleans, null)."""
    ((kind, body),) = value.items()
    if kind in ("N", "BOOL", "NULL"):
        return None
    return byte_length(body) if kind == "S" else len(body)


def in_order(symbol: str, left: AttributeValue, right: AttributeValue) -> bool:
    """`left symbol right` for <, <=, > and >=: false unless both are strings, both numbers or both binary."""
    compare = _ORDERED[symbol]
    if "N" in left and "N" in right:
        return bool(compare(number(left["N"]), number(right["N"])))
    if "S" in left and "S" in right:
        return bool(compare(left["S"], right["S"]))
    if "B" in left and "B" in right:
        return bool(compare(left["B"], right["B"]))
    return False
