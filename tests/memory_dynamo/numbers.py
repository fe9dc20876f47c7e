"""DynamoDB numbers: 38 significant digits, 1E-130 to 9.99E+125, kept and answered as plain decimal text."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from functools import lru_cache

from tests.memory_dynamo.errors import InvalidError

_SYNTAX = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_DIGITS = 38
_LARGEST_EXPONENT = 125
_SMALLEST_EXPONENT = -130
_INTEGER_BOUND = 10**_DIGITS
_EXACT = Context(prec=400, Emin=-10_000, Emax=10_000)


@lru_cache(maxsize=100_000)
def canonical_number(text: str) -> str:
    """The text DynamoDB would answer for `text` (`007` is 7, `1.50` is 1.5, `1E2` is 100).

    Raises InvalidError for what is no number, has more than 38 significant digits or is out of range.
    """
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS and (text[0] != "0" or len(text) == 1):
        return text
    if not _SYNTAX.match(text):
        raise InvalidError(f"The parameter cannot be converted to a numeric value: {text}")
    return _canonical_decimal(Decimal(text))


def _canonical_decimal(value: Decimal) -> str:
    if not value:
        return "0"
    value = _EXACT.normalize(value)
    if value.adjusted() > _LARGEST_EXPONENT:
        raise InvalidError("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if value.adjusted() < _SMALLEST_EXPONENT:
        raise InvalidError("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    if len(value.as_tuple().digits) > _DIGITS:
        raise InvalidError("Attempting to store more than 38 significant digits in a Number")
    return format(value, "f")


def number(text: str) -> int | Decimal:
    """The value of a canonical number; whole numbers as int, which Python compares exactly with Decimal."""
    return Decimal(text) if "." in text else int(text)


def add(left: str, right: str, sign: int = 1) -> str:
    """left + sign * right as canonical text. Raises InvalidError when 38 digits cannot hold the result."""
    a, b = number(left), number(right)
    if type(a) is int and type(b) is int:
        total = a + b * sign
        if -_INTEGER_BOUND < total < _INTEGER_BOUND:
            return str(total)
    return _canonical_decimal(_EXACT.add(Decimal(a), Decimal(b) * sign))
