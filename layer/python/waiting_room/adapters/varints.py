"""Whole numbers as few bytes: seven bits of a number a byte, low ones first, the last byte below 128 (LEB128)."""

from __future__ import annotations

from collections.abc import Iterable


def pack(numbers: Iterable[int]) -> bytes:
    """Numbers that are not negative, one behind the other."""
    out = bytearray()
    for number in numbers:
        while number > 127:
            out.append(number % 128 + 128)
            number //= 128
        out.append(number)
    return bytes(out)


def unpack(packed: bytes) -> list[int]:
    """The numbers of `pack`; one that breaks off at the end is none."""
    numbers, number, shift = [], 0, 0
    for byte in packed:
        number += (byte % 128) << shift
        shift += 7
        if byte < 128:
            numbers.append(number)
            number, shift = 0, 0
    return numbers
