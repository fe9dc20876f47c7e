"""DynamoDB values as plain Python values and back, and their sizes as AWS bills them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Plain = dict[str, Any]


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
    return sum(len(name) + size_of(value) for name, value in item.items())


def size_of(value: Any) -> int:
    """Bytes of one value."""
    kind = value.__class__
    if kind is str:
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, int | Decimal) and kind is not bool:
        # About one byte for two significant digits, plus one, plus one for a minus sign.
        digits = str(value).lstrip("-").replace(".", "").strip("0")
        return (len(digits) + 1) // 2 + 1 + (value < 0)
    if kind is dict:
        return 3 + sum(1 + len(name) + size_of(member) for name, member in value.items())
    if kind is list:
        return 3 + sum(1 + size_of(member) for member in value)
    return len(value) if isinstance(value, bytes) else 1  # a flag, or nothing


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
    raise TypeError(f"This model has no values of the kind {kind}")


def _number(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else number.normalize()


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
    return {"B": value} if kind is bytes else {"NULL": True}
