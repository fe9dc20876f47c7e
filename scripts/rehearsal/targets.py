"""What a rehearsal is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from waiting_room.domain.leases import MARGIN_SEC
from waiting_room.domain.zone.zones import Zone

from ..visitors.habits import Habits

TURNOVER_SEC = 5.0
"""From one who leaves to the next inside: a tick notices, calls, the called one's page hears of it and asks."""
GOOD_OCCUPANCY = 0.9


@dataclass(frozen=True)
class Targets:
    """Figures that are not the zone's own; `wr rehearse --target NAME=VALUE` changes one."""

    estimate_error_pct: float = field(default=15.0, metadata={"about": "mean error of the waits shown, percent"})
    failed_pct: float = field(default=1.0, metadata={"about": "requests without an answer or with a 5xx, percent"})
    throttled_pct: float = field(default=1.0, metadata={"about": "requests answered 429, percent"})
    claim_p95_ms: float = field(default=2_000.0, metadata={"about": "a claim, from request to answer"})
    push_p95_ms: float = field(default=5_000.0, metadata={"about": "from the call to the message at the visitor"})
    occupancy: float = field(
        default=0.0, metadata={"about": "people really there by the cap; 0: 0.9 of what the habits leave possible"}
    )

    @classmethod
    def told(cls, pairs: Mapping[str, float]) -> Targets:
        """The usual ones with some replaced. Raises ValueError for a name there is none of."""
        unknown = pairs.keys() - {each.name for each in fields(cls)}
        if unknown:
            known = ", ".join(each.name for each in fields(cls))
            raise ValueError(f"there is no target {sorted(unknown)[0]!r}; there are: {known}")
        return replace(cls(), **pairs)


@dataclass(frozen=True)
class Limits:
    """The zone's own limits, and the occupancy its visitors' habits leave possible."""

    max_active: int | None
    rate_per_min: float | None
    inventory: int | None
    in_order: bool
    """Whether who comes first stands first; not where places are drawn."""
    one_counter: bool
    """Whether that is exact; with several counters it is up to one epoch."""
    occupancy: float

    @classmethod
    def of(cls, zone: Zone, habits: Habits, targets: Targets) -> Limits:
        """Those of a zone whose visitors have these habits."""
        return cls(
            zone.max_active,
            zone.rate_per_min,
            zone.inventory,
            zone.order == "fifo",
            zone.shards == 1,
            targets.occupancy or GOOD_OCCUPANCY * possible_occupancy(zone, habits),
        )


def possible_occupancy(zone: Zone, habits: Habits) -> float:
    """The part of the time a slot has somebody in it: every visit costs a turnover, a silent one its lease too."""
    kept_sec = zone.lease_sec(zone.session.kind, first=False) + zone.bucket_width_sec + MARGIN_SEC
    return habits.mean_stay_sec / (habits.mean_stay_sec + TURNOVER_SEC + habits.silent_share * kept_sec)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed; of at least one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: list[float]) -> dict[str, Any]:
    """Median, 95 % and the largest."""
    return {
        "p50": round(percentile(values, 0.5)),
        "p95": round(percentile(values, 0.95)),
        "max": round(max(values)),
        "count": len(values),
    }
