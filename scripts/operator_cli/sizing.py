"""What a sale of a given size asks of the account: requests, parallel functions, writes.

The rates follow from what a visitor does (two requests to join, one each to claim, renew and confirm) and from the
measured counts of the cost table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scripts.costs.model import Costs

JOINING = ("get_visitor_unknown", "join_queue")
INSIDE = ("issue_access_token", "renew_session", "checkout")

CLAIMS_PER_SEC = 500
"""More than this one zone does not let in a second, however many join."""
HEADROOM = 1.5
"""Requests do not come evenly, and a cold function takes longer."""
OTHER_FUNCTIONS = 20
"""Exchangers, dispatcher, publisher and operators, side by side."""
EDGE_REQUESTS_PER_INSTANCE = 10
"""Lambda@Edge: requests a second that one instance of a function is given."""
NEW_SOCKETS_PER_SEC = 500
"""The pages of those near the front open their sockets no faster than this."""
JOINS_PER_SHARD = 500


@dataclass(frozen=True)
class Needs:
    """Rates a second, or things at once."""

    joins_per_sec: int
    api_requests_per_sec: int
    concurrency: int
    edge_concurrency: int
    table_writes_per_sec: int
    new_sockets_per_sec: int
    shards: int


def needs(joins_per_sec: int, costs: Costs | None = None) -> Needs:
    """What so many joins a second need, in one zone or in several together."""
    costs = costs or Costs.read()
    claims = min(joins_per_sec, CLAIMS_PER_SEC)
    busy = joins_per_sec * _seconds(costs, JOINING) + claims * _seconds(costs, INSIDE)
    return Needs(
        joins_per_sec=joins_per_sec,
        api_requests_per_sec=joins_per_sec * len(JOINING) + claims * len(INSIDE),
        concurrency=math.ceil(busy * HEADROOM) + OTHER_FUNCTIONS,
        edge_concurrency=math.ceil((joins_per_sec + claims) / EDGE_REQUESTS_PER_INSTANCE * HEADROOM),
        # Each of the two tables takes one unit of a join, and at most two of what one who is let in does a second.
        table_writes_per_sec=joins_per_sec + 2 * claims,
        new_sockets_per_sec=NEW_SOCKETS_PER_SEC,
        shards=max(1, math.ceil(joins_per_sec / JOINS_PER_SHARD)),
    )


def _seconds(costs: Costs, operations: tuple[str, ...]) -> float:
    """How long functions are busy with these operations of one visitor."""
    assumed = costs.assumed
    calls: int = sum(costs.counts["operations"][name]["aws_calls"] for name in operations)
    return (assumed.own_ms * len(operations) + assumed.aws_call_ms * calls) / 1000
