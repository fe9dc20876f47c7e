"""What a sale of a given size asks of the account: the same figures as terraform/sizing.tf and terraform/checks.tf."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from waiting_room.domain.zone.sizing import CLAIMS_PER_SEC, join_writes_per_sec, place_writes_per_sec, shards_for

MOST_JOINS_PER_SEC = 100_000
"""More than that is for several deployments."""

REQUESTS_PER_JOIN = 3
"""Enter, enter with the cookie, join."""
SECONDS_PER_REQUEST = 0.1
"""Twice what a request takes a bouncer: the other half makes up for the second in which cold instances start. It is
also the least: Lambda gives an instance ten requests a second (Lambda guide, "Understanding concurrency and requests
per second")."""
COLD_START_SEC = 1
NEW_INSTANCES = 1_000
NEW_INSTANCES_PER_SEC = 100
"""A function gets so many at once, and then so many a second (Lambda guide, "Lambda scaling behavior")."""
OWN_FUNCTIONS = 20
"""Bouncers for those who claim and renew."""
WARM_SHARE = 0.8
"""Of the bouncers, before a start; the rest stays free for those who come while a wave is held."""
OTHER_FUNCTIONS = 150
"""What AWS keeps back of an account's concurrency, and what the other functions need."""
BURST = 1.5
OTHER_REQUESTS_PER_SEC = 100
READS_HEADROOM = 1.25
EDGE_REQUESTS_PER_INSTANCE = 10
"""Lambda@Edge: requests a second that one instance of a function is given (CloudFront guide, "Quotas")."""
GUARDED_REQUESTS = 20
"""Of a session, as scripts/costs assumes: the gatekeeper runs at each of them."""
NEW_SOCKETS_PER_SEC = 500
"""The pages of those near the front open their sockets no faster than this."""


@dataclass(frozen=True)
class Needs:
    """Rates a second, or things at once. Tables: that of the places, and that of the join counters."""

    joins_per_sec: int
    api_requests_per_sec: int
    bouncers: int
    warm_instances: int
    concurrency: int
    cold_sec: int
    """How long a crowd that no start announces waits until all of the bouncers are there."""
    edge_requests_per_sec: int
    edge_concurrency: int
    table_writes_per_sec: int
    table_reads_per_sec: int
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
    # Rounded first, for a float of exactly 30.000000000000004 is not 31 functions.
    bouncers = math.ceil(round(requests * SECONDS_PER_REQUEST, 6)) + OWN_FUNCTIONS
    # Each visitor meets the gate twice: on arrival, and when let in.
    edge_requests = math.ceil(BURST * (joins_per_sec + claims))
    return Needs(
        joins_per_sec=joins_per_sec,
        api_requests_per_sec=math.ceil(BURST * requests) + OTHER_REQUESTS_PER_SEC,
        bouncers=bouncers,
        warm_instances=math.floor(round(WARM_SHARE * bouncers, 6)),
        concurrency=bouncers + OTHER_FUNCTIONS,
        cold_sec=COLD_START_SEC + math.ceil(max(0, bouncers - NEW_INSTANCES) / NEW_INSTANCES_PER_SEC),
        edge_requests_per_sec=edge_requests,
        edge_concurrency=math.ceil(edge_requests / EDGE_REQUESTS_PER_INSTANCE),
        table_writes_per_sec=place_writes_per_sec(joins_per_sec),
        table_reads_per_sec=math.ceil(READS_HEADROOM * requests),
        join_writes_per_sec=join_writes_per_sec(joins_per_sec),
        new_sockets_per_sec=NEW_SOCKETS_PER_SEC,
        shards=shards_for(joins_per_sec),
    )


@dataclass(frozen=True)
class Quota:
    """What AWS gives an account that asks for nothing (`given`), and how much of it a sale needs."""

    name: str
    code: str
    given: int
    needed: Callable[[Needs], int]

    @property
    def most_joins_per_sec(self) -> int:
        """For so many it is enough: what is needed only grows with them."""
        sizes = range(1, MOST_JOINS_PER_SEC + 1)
        return bisect_right(sizes, self.given, key=lambda joins_per_sec: self.needed(needs(joins_per_sec)))


API_REQUESTS = Quota(
    "API Gateway, throttle rate, requests/s", "L-8A5B8E43", 10_000, lambda size: size.api_requests_per_sec
)
FUNCTIONS_ALONE = Quota("Lambda, concurrent executions", "L-B99A9384", 1_000, lambda size: size.concurrency)
FUNCTIONS = Quota(
    "Lambda, concurrent executions, with the gate's share",
    "L-B99A9384",
    1_000,
    lambda size: size.concurrency + size.edge_concurrency,
)
TABLE_WRITES = Quota("DynamoDB, writes/s of a table", "L-AB614373", 40_000, lambda size: max(size.warm.values()))
TABLE_READS = Quota("DynamoDB, reads/s of a table", "L-CF0CBE56", 40_000, lambda size: size.table_reads_per_sec)
EDGE_REQUESTS = Quota(
    "Lambda at the edge, requests/s in each Region", "", 10_000, lambda size: size.edge_requests_per_sec
)
EDGE_FUNCTIONS = Quota(
    "Lambda at the edge, concurrent executions in each Region", "L-B99A9384", 1_000, lambda size: size.edge_concurrency
)
QUOTAS = (API_REQUESTS, FUNCTIONS, TABLE_WRITES, TABLE_READS, EDGE_REQUESTS, EDGE_FUNCTIONS)
"""Sources: the pages on quotas in the guides of API Gateway, Lambda, DynamoDB and CloudFront. Gatekeepers count where
they run, in the Region nearest to a visitor, and so in the deployment's own if visitors are near it."""
FAR_FROM_VISITORS = (API_REQUESTS, FUNCTIONS_ALONE, TABLE_WRITES, TABLE_READS, EDGE_REQUESTS, EDGE_FUNCTIONS)


def ceiling(quotas: tuple[Quota, ...] = QUOTAS) -> tuple[int, Quota]:
    """The most joins a second for which no quota has to be raised, and the quota that is reached first.

    For J joins a second and C = min(J, 500) claims: API 4.5 J + 100; Lambda 0.3 J + 170, and 0.15 (J + C) for the gate;
    tables write 1.25 (J + 2 C) and 3 J, and read 3.75 J units; the edge answers 1.5 (J + C) requests.
    """
    first = min(quotas, key=lambda quota: quota.most_joins_per_sec)
    return first.most_joins_per_sec, first


def most_admitted_per_min(joins_per_sec: int) -> int:
    """How many may be let in a minute before the edge's requests/s are used up, with all visitors near one Region."""
    left = EDGE_REQUESTS.given - math.ceil(BURST * joins_per_sec)
    return max(0, left * 60 // GUARDED_REQUESTS)
