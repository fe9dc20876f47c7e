"""How many join counters share the joins of a lane, and what the large tables must be warm for (PROTOCOL, Joining).

DynamoDB hashes the key of each counter onto a partition of the table, and a partition takes 1,000 writes a second,
whatever lies in it (Developer Guide, "Best practices for designing and using partition keys effectively"). So counters
fall onto partitions like balls into bins, and some partitions get many: few busy counters overload one of them far
below what the table takes in all; many counters, and partitions to spare, even it out.
"""

from __future__ import annotations

import functools
import math

LONE_JOINS_PER_SEC = 500
"""As many take their numbers from one counter: half of what a partition takes leaves room for its neighbours there."""
JOINS_PER_SHARD_PER_SEC = 100
"""Of several counters each is planned for so many."""
MOST_SHARDS = 1_000
"""Join counters of a lane: five times a second all of them are read, and an epoch stays a small item."""
WARM_FACTOR = 3
"""The table of the counters is warm for so many times the joins that are expected."""
CLAIMS_PER_SEC = 500
"""More than this one zone does not let in a second, however many join."""
PLACES_HEADROOM = 1.25
PARTITION_WRITES_PER_SEC = 1_000
FRESH_TABLE_WRITES_PER_SEC = 4_000
"""Of a table that nobody warmed (Developer Guide, "Understanding DynamoDB warm throughput in different scenarios")."""


def shards_for(joins_per_sec: int) -> int:
    """Join counters of a lane in which so many join a second."""
    return 1 if joins_per_sec <= LONE_JOINS_PER_SEC else math.ceil(joins_per_sec / JOINS_PER_SHARD_PER_SEC)


def join_writes_per_sec(joins_per_sec: int) -> int:
    """Writes a second that the table of the join counters must be warm for; a new table is for 4,000."""
    return WARM_FACTOR * joins_per_sec


def place_writes_per_sec(joins_per_sec: int) -> int:
    """Writes a second that the table of the places must be warm for: each visitor is a key of its own.

    A join writes once, each of up to 500 claims a second twice more at most; a quarter is headroom.
    """
    return math.ceil(PLACES_HEADROOM * (joins_per_sec + 2 * min(joins_per_sec, CLAIMS_PER_SEC)))


def partitions_of(warm_writes: int) -> int:
    """About so many partitions a table has that is warm for so many writes a second."""
    return max(FRESH_TABLE_WRITES_PER_SEC, warm_writes) // PARTITION_WRITES_PER_SEC


@functools.cache
def refused_share(joins_per_sec: int, shards: int, partitions: int) -> float:
    """The share of join writes that is refused at first, on average over all names a zone may have.

    Of `S` counters, `k` lie in one of `P` partitions with the binomial probability `B(k; S, 1/P)`. Then a Poisson
    distributed number of writes with the mean `m = k * joins / S` arrives there in a second, and those above
    `c` = 1,000 are refused. With the normal approximation of that, `s = sqrt(m)` and `z = (c - m) / s`, that is

        share = P / joins * sum over k of B(k; S, 1/P) * (s * phi(z) - (c - m) * (1 - Phi(z)))
    """
    refused = 0.0
    for count in range(1, shards + 1):
        chance = _binomial(count, shards, 1 / partitions)
        mean = count * joins_per_sec / shards
        spread = math.sqrt(mean)
        z = (PARTITION_WRITES_PER_SEC - mean) / spread
        density, beyond = math.exp(-z * z / 2) / math.sqrt(2 * math.pi), math.erfc(z / math.sqrt(2)) / 2
        refused += chance * (spread * density - (PARTITION_WRITES_PER_SEC - mean) * beyond)
    return partitions * refused / joins_per_sec


def _binomial(count: int, of: int, chance: float) -> float:
    ways = math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
    return math.exp(ways + count * math.log(chance) + (of - count) * math.log1p(-chance))
