"""Lanes: shares, deficit round robin, and which of two places is sooner."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waiting_room.domain.lanes import Standing, is_sooner, share_out, shares

NAMES = ("general", "vip", "members", "press", "staff", "last")


def test_shares_are_what_is_reserved_and_the_weights_part_of_the_rest() -> None:
    lanes = {"general": {"weight": 3}, "vip": {"weight": 1}, "press": {"weight": 0, "reserved_share": 0.2}}
    assert shares(lanes) == pytest.approx({"general": 0.6, "vip": 0.2, "press": 0.2})
    assert shares({"general": {"weight": 5}}) == {"general": 1}
    assert shares({"a": {"weight": 0, "reserved_share": 0.4}, "b": {"weight": 0, "reserved_share": 0.6}}) == {
        "a": 0.4,
        "b": 0.6,
    }


lines = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 60), min_size=1)


@settings(max_examples=400, deadline=None)
@given(
    lines,
    st.lists(st.integers(0, 50), min_size=1, max_size=12),
    st.lists(st.integers(1, 100), min_size=6, max_size=6),
    st.lists(st.integers(0, 9), min_size=12, max_size=12),
)
def test_every_call_is_used_once_and_no_lane_gets_more_than_wait(
    line: dict[str, int], ticks: list[int], weights: list[int], joins: list[int]
) -> None:
    parts = shares({name: {"weight": weight} for name, weight in zip(NAMES, weights, strict=True)})
    deficits: dict[str, float] = {}
    for calls, joining in zip(ticks, joins, strict=False):
        got, deficits = share_out(calls, line, parts, deficits)
        assert sum(got.values()) == min(calls, sum(line.values()))
        assert all(0 <= got[name] <= line[name] for name in line)
        line = {name: line[name] - got[name] for name in line}
        assert all(line[name] > 0 for name in deficits), "a lane without anybody in it is owed nothing"
        line[min(line)] += joining


@pytest.mark.parametrize("calls", [1, 2, 7, 100])
def test_in_the_long_run_busy_lanes_get_their_shares(calls: int) -> None:
    parts = {"general": 0.61, "vip": 0.3, "press": 0.09}
    got: Counter[str] = Counter()
    deficits: dict[str, float] = {}
    for tick in range(1, 401):
        given, deficits = share_out(calls, dict.fromkeys(parts, 10**6), parts, deficits)
        got.update(given)
        for name, part in parts.items():
            assert abs(got[name] - part * calls * tick) < 2, "never more than a call or two off"


def test_no_lane_starves_at_one_call_a_tick() -> None:
    parts = shares({"general": {"weight": 100}, "vip": {"weight": 1}})
    deficits: dict[str, float] = {}
    called: list[int] = []
    for tick in range(303):
        given, deficits = share_out(1, {"general": 500, "vip": 500}, parts, deficits)
        called += [tick] * given["vip"]
    assert len(called) == 3


def test_an_unused_share_is_lent() -> None:
    parts = {"general": 0.5, "vip": 0.3, "press": 0.2}
    given, deficits = share_out(100, {"general": 500, "vip": 4, "press": 0}, parts, {})
    assert given == {"general": 96, "vip": 4, "press": 0}
    assert set(deficits) == {"general"}


def test_a_lane_that_was_empty_gets_its_share_not_what_it_missed() -> None:
    parts = {"general": 0.5, "vip": 0.5}
    deficits: dict[str, float] = {}
    for _ in range(50):
        _, deficits = share_out(3, {"general": 500, "vip": 0}, parts, deficits)
    assert share_out(10, {"general": 500, "vip": 500}, parts, deficits)[0] == {"general": 5, "vip": 5}


@pytest.mark.parametrize(
    ("new", "held", "sooner"),
    [
        (Standing(10, 0.5), Standing(30, 0.5), True),
        (Standing(30, 0.5), Standing(10, 0.5), False),
        (Standing(10, 0.2), Standing(30, 0.8), False),
        (Standing(10, 0.2), Standing(50, 0.8), True),
        (Standing(0, 0.2), Standing(0, 0.8), False),
        (Standing(0, 0.2), Standing(1, 0.8), True),
    ],
)
def test_the_sooner_place_by_calls_until_the_turn(new: Standing, held: Standing, sooner: bool) -> None:
    assert is_sooner(new, held) is sooner
