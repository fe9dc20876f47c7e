"""Numbers as few bytes, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from waiting_room.adapters import varints


@given(st.lists(st.integers(0, 2**70)))
def test_numbers_come_back(numbers: list[int]) -> None:
    assert varints.unpack(varints.pack(numbers)) == numbers


def test_small_numbers_take_one_byte_and_the_numbers_of_a_rush_two() -> None:
    assert varints.pack([0, 127]) == b"\x00\x7f"
    assert varints.pack([128, 16_383]) == b"\x80\x01\xff\x7f"


def test_a_number_that_breaks_off_is_none() -> None:
    assert varints.unpack(varints.pack([5, 16_383])[:-1]) == [5]
