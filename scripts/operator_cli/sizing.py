"""What a sale of a given size asks of the account: the same figures as terraform/sizing.tf and terraform/checks.tf."""

from __future__ import annotations

import math
from dataclasses import dataclass

from waiting_room.domain.zone.sizing import CLAIMS_PER_SEC, join_writes_per_sec, place_writes_per_sec, shards_for

MOST_JOINS_PER_SEC = 100_000
"""More than that is for several deployments."""

REQUESTS_PER_JOIN = 3
"""Enter, enter with the cookie, join."""
SECONDS_PER_REQUEST = 0.1
"""Twice what a request takes a bouncer."""
OWN_FUNCTIONS = 20
"""Bouncers for those who claim and renew."""
OTHER_FUNCTIONS = 150
"""What AWS keeps back of an account's concurrency, and what the other functions need."""
BURST = 1.5
OTHER_REQUESTS_PER_SEC = 100
EDGE_REQUESTS_PER_INSTANCE = 10
"""Lambda@Edge: requests a second that one instance of a function is given."""
NEW_SOCKETS_PER_SEC = 500
"""The pages of those near the front open their sockets no faster than this."""


@dataclass(frozen=True)
class Needs:
    """Rates a second, or things at once. Tables: that of the places, and that of the join counters."""

    joins_per_sec: int
    api_requests_per_sec: int
    concurrency: int
    edge_concurrency: int
    table_writes_per_sec: int
    join_writes_per_sec: int
    new_sockets_per_sec: int
    shards: int

    @property
    def warm(self) -> dict[str, int]:
        """Writes a second that a table must be warm for, by its name in schemas/tables."""
        return {"joins": self.join_writes_per_sec, "queue": self.table_writes_per_sec}


def needs(joins_per_sec: int) -> Needs:
    """What so many joins a second need, in one zone or in several together."""
    requests = REQUESTS_PER_JOIN * joins_per_sec
    claims = min(joins_per_sec, CLAIMS_PER_SEC)
    return Needs(
        joins_per_sec=joins_per_sec,
        api_requests_per_sec=math.ceil(BURST * requests) + OTHER_REQUESTS_PER_SEC,
        # Rounded first, for a float of exactly 30.000000000000004 is not 31 functions.
        concurrency=math.ceil(round(requests * SECONDS_PER_REQUEST, 6)) + OWN_FUNCTIONS + OTHER_FUNCTIONS,
        # Each visitor meets the gate twice: on arrival, and when let in.
        edge_concurrency=math.ceil(BURST * (joins_per_sec + claims) / EDGE_REQUESTS_PER_INSTANCE),
        table_writes_per_sec=place_writes_per_sec(joins_per_sec),
        join_writes_per_sec=join_writes_per_sec(joins_per_sec),
        new_sockets_per_sec=NEW_SOCKETS_PER_SEC,
        shards=shards_for(joins_per_sec),
    )
