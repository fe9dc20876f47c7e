"""What a sale of a given size asks of the account: the same figures as terraform/sizing.tf and terraform/checks.tf."""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST_JOINS_PER_SEC = 100_000
"""More than that is for several deployments."""

REQUESTS_PER_JOIN = 3
"""Enter, enter with the cookie, join."""
SECONDS_PER_REQUEST = 0.1
"""Twice what a request takes a bouncer."""
OWN_FUNCTIONS = 20
"""Bouncers for those who claim and renew."""
WARM_SHARE = 0.8
"""Of the bouncers, before a start; the rest stays free for those who come while a wave is held."""
OTHER_FUNCTIONS = 150
"""What AWS keeps back of an account's concurrency, and what the other functions need."""
BURST = 1.5
OTHER_REQUESTS_PER_SEC = 100
CLAIMS_PER_SEC = 500
"""More than this one zone does not let in a second, however many join."""
WRITES_HEADROOM = 1.25
JOINS_PER_SHARD = 500
EDGE_REQUESTS_PER_INSTANCE = 10
"""Lambda@Edge: requests a second that one instance of a function is given."""
NEW_SOCKETS_PER_SEC = 500
"""The pages of those near the front open their sockets no faster than this."""


@dataclass(frozen=True)
class Needs:
    """Rates a second, or things at once."""

    joins_per_sec: int
    api_requests_per_sec: int
    bouncers: int
    warm_instances: int
    concurrency: int
    edge_concurrency: int
    table_writes_per_sec: int
    new_sockets_per_sec: int
    shards: int


def needs(joins_per_sec: int) -> Needs:
    """What so many joins a second need, in one zone or in several together."""
    requests = REQUESTS_PER_JOIN * joins_per_sec
    claims = min(joins_per_sec, CLAIMS_PER_SEC)
    # Rounded first, for a float of exactly 30.000000000000004 is not 31 functions.
    bouncers = math.ceil(round(requests * SECONDS_PER_REQUEST, 6)) + OWN_FUNCTIONS
    return Needs(
        joins_per_sec=joins_per_sec,
        api_requests_per_sec=math.ceil(BURST * requests) + OTHER_REQUESTS_PER_SEC,
        bouncers=bouncers,
        warm_instances=math.floor(round(WARM_SHARE * bouncers, 6)),
        concurrency=bouncers + OTHER_FUNCTIONS,
        # Each visitor meets the gate twice: on arrival, and when let in.
        edge_concurrency=math.ceil(BURST * (joins_per_sec + claims) / EDGE_REQUESTS_PER_INSTANCE),
        table_writes_per_sec=math.ceil(WRITES_HEADROOM * (joins_per_sec + 2 * claims)),
        new_sockets_per_sec=NEW_SOCKETS_PER_SEC,
        shards=math.ceil(joins_per_sec / JOINS_PER_SHARD),
    )
