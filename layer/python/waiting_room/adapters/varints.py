"""Whole numbers as few bytes: seven bits of a number a byte, low ones first, the last byte below 128 (LEB128)."""

from __future__ import annotations

from collections.abc import Iterable


def write(out: bytearray, number: int) -> None:
    """Append a number that is not negative."""
    while number > 127:
        out.append(number % 128 + 128)
        number //= 128
    out.append(number)


def read(packed: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where the next one does."""
    number, shift = 0, 0
    while True:
        byte = packed[at]
        at += 1
        number += (byte % 128) << shift
        shift += 7
        if byte < 128:
            return number, at


def pack(numbers: Iterable[int]) -> bytes:
    """Numbers that are not negative, one behind the other."""
    out = bytearray()
    for number in numbers:
        write(out, number)
    return bytes(out)


def unpack(packed: bytes) -> list[int]:
    """The numbers of `pack`."""
    numbers, at = [], 0
    while at < len(packed):
        number, at = read(packed, at)
        numbers.append(number)
    return numbers
