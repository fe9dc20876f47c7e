"""That limits were enforced: how many places, sessions and purchases one account, network or browser had, and what was
refused. Counts alone: nothing here names anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HOLDERS = ("account", "network", "device")
WHAT = ("places", "sessions", "purchases")
STEPS = ((1, 1, "one"), (2, 2, "two"), (3, 5, "three_to_five"), (6, 20, "six_to_twenty"), (21, None, "more"))
REASONS = {
    "again": "a place taken again too soon",
    "identity": "no sign-in",
    "machine:automated": "taken for an automated browser",
    "machine:crawler": "a search engine or the like",
    "machine:data_center": "from a data centre that bots come from",
    "machine:verified": "an agent that signs its requests",
    "machine_claim:automated": "taken for an automated browser, at the claim",
    "machine_claim:crawler": "a search engine or the like, at the claim",
    "machine_claim:data_center": "from a data centre that bots come from, at the claim",
    "machine_claim:verified": "an agent that signs its requests, at the claim",
    "network": "too many places from one network",
    "proof": "no proof of work, or a wrong one",
    "purchases": "bought as often as the zone allows",
}
"""What enforced limits mean; one that is not known here is told by its own word."""

Row = dict[str, Any]


def distribution(holders: Sequence[Row]) -> list[Row]:
    """How many accounts, networks and devices had one, two or more of each, and the most that one had.

    `holders` is the archive's answer of that name. What nobody was known by (no login, no limit) has no row.
    """
    found = []
    for holder in HOLDERS:
        for what in WHAT:
            own = [
                (each["held"], each["holders"]) for each in holders if (each["holder"], each["what"]) == (holder, what)
            ]
            if own:
                steps = {name: _between(own, low, high) for low, high, name in STEPS}
                found.append({"by": holder, "had": what, **steps, "most": max(held for held, _ in own)})
    return found


def enforced(row: Mapping[str, Any] | None) -> list[Row]:
    """By reason what was refused and what only observed; `row` is the newest minute row, cumulative over the run."""
    told: Mapping[str, Mapping[str, int]] = (row or {}).get("enforced", {})
    reasons = sorted({*told.get("refused", {}), *told.get("observed", {})})
    return [
        {
            "limit": REASONS.get(reason, reason),
            "refused": told.get("refused", {}).get(reason, 0),
            "only_observed": told.get("observed", {}).get(reason, 0),
        }
        for reason in reasons
    ]


def _between(own: Iterable[tuple[int, int]], low: int, high: int | None) -> int:
    return sum(holders for held, holders in own if held >= low and (high is None or held <= high))
