"""Sealed epochs: one dense line of several counters, whoever seals, whatever is read of the counters."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waiting_room.domain.line.epochs import Epoch, before_all, holding, next_epoch, position_in, shards_of

LINE = "z#1#general"


def places(epochs: list[Epoch]) -> dict[tuple[int, int], int]:
    """Positions by shard and number, of everybody up to the last cut."""
    found = {}
    for shard, last in enumerate(epochs[-1].cuts):
        for seq in range(1, last + 1):
            pair = holding(epochs, shard, seq)
            assert pair is not None
            found[shard, seq] = position_in(LINE, *pair, shard, seq)
    return found


def sealed(shards: int, reads: list[dict[int, int]]) -> list[Epoch]:
    epochs = [before_all(shards)]
    for taken in reads:
        epoch = next_epoch(epochs[-1], taken)
        epochs += [epoch] if epoch else []
    return epochs


@settings(deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda shards: st.tuples(
            st.just(shards), st.lists(st.dictionaries(st.integers(0, shards - 1), st.integers(0, 12)), max_size=8)
        )
    )
)
def test_positions_are_dense_and_in_the_order_of_the_epochs(run: tuple[int, list[dict[int, int]]]) -> None:
    shards, reads = run
    epochs = sealed(shards, reads)
    found = places(epochs)
    assert sorted(found.values()) == list(range(epochs[-1].tail))
    for (shard, seq), position in found.items():
        assert (shard, seq - 1) not in found or found[shard, seq - 1] < position, "first come, first served"
        inside = next(epoch for epoch in epochs if epoch.cuts[shard] >= seq)
        assert inside.base <= position < inside.tail


def test_a_counter_that_was_not_found_or_is_behind_stands_where_it_stood() -> None:
    epochs = sealed(3, [{0: 4, 1: 2}, {1: 1, 2: 1}, {}])
    assert [epoch.cuts for epoch in epochs] == [(0, 0, 0), (4, 2, 0), (4, 2, 1)]
    assert [epoch.base for epoch in epochs] == [0, 0, 6]
    assert places(epochs)[2, 1] == 6, "an idle shard hands out no old low number"


def test_no_shard_is_always_first() -> None:
    epochs = sealed(4, [dict.fromkeys(range(4), number) for number in range(1, 401)])
    firsts = Counter(
        min(range(4), key=lambda shard: position_in(LINE, before, epoch, shard, epoch.number))
        for before, epoch in itertools.pairwise(epochs)
    )
    assert all(70 <= firsts[shard] <= 130 for shard in range(4)), firsts


def test_an_epoch_is_only_made_of_somebody() -> None:
    assert next_epoch(Epoch(3, 5, (4, 4)), {0: 4, 1: 3}) is None


def test_early_joiners_are_counted_once_even_when_nobody_came() -> None:
    first = next_epoch(before_all(2), {}, close=True)
    assert first == Epoch(1, 0, (0, 0), close=True, early=0)
    second = next_epoch(first, {0: 7}, close=True)
    assert second == Epoch(2, 0, (7, 0), early=0)


def test_a_number_is_not_looked_for_across_a_gap() -> None:
    epochs = sealed(1, [{0: 2}, {0: 4}, {0: 6}])
    assert holding([epochs[0], epochs[1], epochs[3]], 0, 5) is None
    assert holding(epochs, 0, 7) is None


def test_visitors_spread_over_the_shards_and_stay_there() -> None:
    rng = random.Random(1)
    visitors = [f"{rng.getrandbits(128):032x}"[:22] for _ in range(4_000)]
    shards = Counter(shards_of(visitor, 8)[0] for visitor in visitors)
    assert all(400 <= shards[shard] <= 600 for shard in range(8)), shards
    assert [shards_of(visitor, 8) for visitor in visitors] == [shards_of(visitor, 8) for visitor in visitors]


@pytest.mark.parametrize("visitor", ["a", "b", "c"])
def test_one_counter_is_for_everybody(visitor: str) -> None:
    assert shards_of(visitor, 1) == [0]
