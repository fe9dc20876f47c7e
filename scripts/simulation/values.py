"""DynamoDB values as plain Python values and back, and their sizes as AWS bills them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

Plain = dict[str, Any]
_DIGITS = Context(prec=38)
"""As many significant digits as a number may have."""


def plain(tagged: Mapping[str, Mapping[str, Any]]) -> Plain:
    """An item or values as plain values: whole numbers as int, others as Decimal."""
    return {
        name: body if kind == "S" else _plain(kind, body)
        for name, value in tagged.items()
        for kind, body in value.items()
    }


def tagged(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Plain values as DynamoDB has them."""
    return {name: {"S": value} if value.__class__ is str else _tagged(value) for name, value in values.items()}


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of names and values together (Developer Guide, "Item sizes and formats")."""
    return sum(text_size(name) + size_of(value) for name, value in item.items())


def text_size(text: str) -> int:
    """Bytes of a text or a name, which are UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def size_of(value: Any) -> int:
    """Bytes of one value."""
    kind = value.__class__
    if kind is str:
        return text_size(value)
    if isinstance(value, int | Decimal) and kind is not bool:
        return _number_size(value)
    if kind is dict:
        return 3 + sum(1 + text_size(name) + size_of(member) for name, member in value.items())
    if kind is list:
        return 3 + sum(1 + size_of(member) for member in value)
    if kind is frozenset:
        return sum(map(size_of, value))
    return len(value) if isinstance(value, bytes) else 1  # a flag, or nothing


def _number_size(value: int | Decimal) -> int:
    """A byte for each pair of digits, counted from the decimal point, one more, and one for a minus sign.

    Pairs of zeros in front and behind cost nothing (4700 has one pair, 4687 two); no number takes more than 21. The
    guide says "approximately"; this is what Zac Charles measured ("Calculating a DynamoDB Item's Size and Consumed
    Capacity") and what DynamoDB Local bills (tests/contract/test_item_sizes.py).
    """
    if not value:
        return 1
    text = str(value) if isinstance(value, int) else format(value, "f")
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = "0" * (len(whole) % 2) + whole + fraction + "0" * (len(fraction) % 2)
    free = (len(digits) - len(digits.lstrip("0"))) // 2 + (len(digits) - len(digits.rstrip("0"))) // 2
    return min(21, len(digits) // 2 - free + 1 + (value < 0))


def _plain(kind: str, body: Any) -> Any:
    if kind == "N":
        return _number(body)
    if kind == "M":
        return plain(body)
    if kind == "L":
        return [_plain(*next(iter(member.items()))) for member in body]
    if kind == "NULL":
        return None
    if kind in ("S", "BOOL", "B"):
        return body
    if kind == "BS":
        return frozenset(body)
    raise TypeError(f"This model has no values of the kind {kind}")


def _number(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else number.normalize(_DIGITS)


def _tagged(value: Any) -> dict[str, Any]:
    kind = value.__class__
    if kind is int:
        return {"N": str(value)}
    if kind is str:
        return {"S": value}
    if kind is Decimal:
        return {"N": format(value, "f")}
    if kind is bool:
        return {"BOOL": value}
    if kind is dict:
        return {"M": tagged(value)}
    if kind is list:
        return {"L": [_tagged(member) for member in value]}
    if kind is frozenset:
        return {"BS": sorted(value)}
    return {"B": value} if kind is bytes else {"NULL": True}
