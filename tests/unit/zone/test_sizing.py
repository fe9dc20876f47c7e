"""Join counters as balls in bins: at every size at most one in a thousand join writes is refused at first."""

from __future__ import annotations

from statistics import mean

import pytest

from scripts.simulation.kernel import Kernel
from scripts.simulation.network import Partitions
from waiting_room.adapters.counters import join_partition
from waiting_room.domain.zone.sizing import (
    JOINS_PER_SHARD_PER_SEC,
    MOST_SHARDS,
    PARTITION_WRITES_PER_SEC,
    join_writes_per_sec,
    partitions_of,
    refused_share,
    shards_for,
)

MOST_REFUSED = 0.001
SIZES = [1, 100, 500, 501, 750, *range(1_000, 5_000, 200), *range(5_000, 100_001, 5_000)]
NAMES = 300


def refused_by_name(joins_per_sec: int, shards: int, warm: int, zone_id: str) -> float:
    """The share above what the partitions take on which this zone's counters fall; arrivals are even."""
    partitions = Partitions(Kernel(seed=1), {"joins": warm})
    load: dict[object, float] = {}
    for shard in range(shards):
        partition = partitions.of("joins", join_partition(zone_id, 1, "general", shard))
        load[partition] = load.get(partition, 0.0) + joins_per_sec / shards
    return sum(max(0.0, writes - PARTITION_WRITES_PER_SEC) for writes in load.values()) / joins_per_sec


@pytest.mark.parametrize("joins_per_sec", SIZES)
def test_at_every_size_one_in_a_thousand_is_refused_at_most(joins_per_sec: int) -> None:
    partitions = partitions_of(join_writes_per_sec(joins_per_sec))
    assert refused_share(joins_per_sec, shards_for(joins_per_sec), partitions) <= MOST_REFUSED


@pytest.mark.parametrize("joins_per_sec", [600, 1_300, 2_000, 5_000, 20_000, 100_000])
def test_so_it_is_with_the_real_hash_over_many_names(joins_per_sec: int) -> None:
    shards, warm = shards_for(joins_per_sec), join_writes_per_sec(joins_per_sec)
    names = NAMES if joins_per_sec < 10_000 else NAMES // 10
    shares = [refused_by_name(joins_per_sec, shards, warm, f"zone-{number}") for number in range(names)]
    assert mean(shares) <= MOST_REFUSED


@pytest.mark.parametrize("joins_per_sec", [2_000, 20_000, 100_000])
def test_the_formula_tells_what_names_come_to(joins_per_sec: int) -> None:
    """With few busy counters on a table that is just large enough; arrivals are even there, so it tells a bit more."""
    shards, warm = joins_per_sec // 500, 4_000 + joins_per_sec
    told = refused_share(joins_per_sec, shards, partitions_of(warm))
    found = mean(refused_by_name(joins_per_sec, shards, warm, f"zone-{number}") for number in range(NAMES))
    assert found > 10 * MOST_REFUSED
    assert found == pytest.approx(told, rel=0.25)


def test_the_largest_zone_has_as_many_counters_as_there_may_be() -> None:
    assert shards_for(MOST_SHARDS * JOINS_PER_SHARD_PER_SEC) == MOST_SHARDS
    assert [shards_for(joins) for joins in (1, 500, 501, 2_000)] == [1, 1, 6, 20]
