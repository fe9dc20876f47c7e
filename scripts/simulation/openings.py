"""Opening seconds: a crowd that comes all at once, and what it takes until each of it has a place."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.simulation.simulation import Scenario, Simulation
from scripts.visitors.arrivals import flash
from scripts.visitors.habits import Habits

STARTS_SEC = 360


def opening_figures(simulation: Simulation) -> dict[str, float]:
    """How the crowd got its places, and what AWS refused it."""
    visitors, deployment = simulation.crowd.visitors, simulation.deployment
    waits = sorted((visitor.placed_ms - visitor.arrived_ms) / 1000 for visitor in visitors if visitor.placed_ms)
    return {
        "saw_error": sum(visitor.errors_seen > 0 for visitor in visitors),
        "asked_again": sum(visitor.refused > 0 for visitor in visitors),
        "placed_median_sec": round(_share(waits, 0.5), 2),
        "placed_p99_sec": round(_share(waits, 0.99), 2),
        "placed_max_sec": round(_share(waits, 1.0), 2),
        "unplaced": len(visitors) - len(waits),
        "cold_starts": deployment.bouncers.cold_starts,
        "functions_at_once": deployment.bouncers.most_at_once,
    }


def _share(waits: Sequence[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(share * len(waits)))] if waits else 0.0


def opening(
    name: str, about: str, *, crowd: int, within_sec: float, joins_per_sec: int, known: bool = True
) -> Scenario:
    """A crowd on cold functions, with what AWS gives an account that asked for nothing; `known`: with a start."""
    start = {"mode": "combined", "starts_in_sec": STARTS_SEC} if known else {"mode": "queueing"}
    arrivals = flash(crowd, within_sec, from_sec=STARTS_SEC if within_sec <= 1 else STARTS_SEC - within_sec)
    return Scenario(
        name=name,
        about=about,
        zone={"max_active": joins_per_sec, "expected_joins_per_sec": joins_per_sec, **start},
        groups=((arrivals, Habits(silent_share=1.0)),),
        seconds=STARTS_SEC + 45,
        warm=0,
        drains=False,
        measures=frozenset({"opening"}),
    )


OPENINGS = (
    opening(
        "opening second",
        "20,000 arrive in the second of the start, and nobody before; sized for 2,000 joins a second, cold",
        crowd=20_000,
        within_sec=1,
        joins_per_sec=2_000,
    ),
    opening(
        "opening second, unannounced",
        "the same 20,000 in one second, of which nobody told the zone",
        crowd=20_000,
        within_sec=1,
        joins_per_sec=2_000,
        known=False,
    ),
    opening(
        "opening second, pre-queue",
        "the same 20,000, who come in the five minutes before the start",
        crowd=20_000,
        within_sec=300,
        joins_per_sec=2_000,
    ),
)
