"""A scenario, and the parts of one run of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from scripts.simulation.crowd import Crowd
from scripts.simulation.deployment import Deployment
from scripts.simulation.functions import Quotas
from scripts.simulation.kernel import START_MS, Kernel
from scripts.simulation.network import CALM, Weather
from scripts.simulation.venue import Venue
from scripts.simulation.watch import Watch
from scripts.visitors.arrivals import Curve
from scripts.visitors.habits import Habits
from waiting_room import schemas
from waiting_room.domain.zone.sizing import join_writes_per_sec, place_writes_per_sec
from waiting_room.domain.zone.zones import Zone

Action = Callable[["Simulation"], None]
ZONE_ID = "sale"
EXPECTED = "expected_joins_per_sec"


@dataclass(frozen=True)
class Scenario:
    """What happens in a run. Times are seconds from its beginning."""

    name: str
    about: str
    zone: Mapping[str, Any]
    groups: tuple[tuple[Curve, Habits], ...]
    seconds: int
    measures: frozenset[str] = frozenset()
    """Figures beyond those of every run: `occupancy`, `shares`, `eta`, `recovery`, `sold_out`, `opening`, `door` and
    `partitions`."""
    steady_from_sec: int = 300
    """Occupancy is measured from here on."""
    actions: tuple[tuple[float, Action], ...] = ()
    weather: Weather = CALM
    quotas: Quotas | None = None
    """What the deployment may have; None: as Terraform sizes one for the zone."""
    warm: int = 8
    """Instances of each function that are there from the beginning."""
    drains: bool = True
    """Whether everybody who is there has been served by the end."""
    policy: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext
    """A simpler policy for comparison, in force during the run."""
    returns: bool = True
    """Whether those whose session ends while they are there come back."""


class Measured(Protocol):
    """What an action began and is asked for at the end: its figures, and what they have against the run."""

    @property
    def broken(self) -> Sequence[str]:
        """Rules that were broken."""
        ...

    def figures(self) -> dict[str, float]:
        """Figures beyond those of every run."""
        ...


@dataclass
class Simulation:
    """The parts of a run."""

    scenario: Scenario
    seed: int
    kernel: Kernel = field(init=False)
    watch: Watch = field(init=False)
    deployment: Deployment = field(init=False)
    crowd: Crowd = field(init=False)
    venue: Venue = field(init=False)
    also_measured: list[Measured] = field(default_factory=list)

    def __post_init__(self) -> None:
        scenario = self.scenario
        self.kernel = Kernel(self.seed)
        self.watch = Watch(self.kernel, ZONE_ID)
        document = {"zone_id": ZONE_ID, "rules": [{"paths": ["/sale"]}], **scenario.zone}
        quotas = scenario.quotas or Quotas.sized(document.get("expected_joins_per_sec", Zone.expected_joins_per_sec))
        self.deployment = Deployment(
            self.kernel,
            self.watch.observe,
            quotas,
            warm=scenario.warm,
            weather=scenario.weather,
            tables_warm=_warm(scenario.zone),
        )
        for moment in ("starts", "opens"):
            if f"{moment}_in_sec" in document:
                document[f"{moment}_at_ms"] = START_MS + document.pop(f"{moment}_in_sec") * 1000
        zone = self.deployment.put_zone(document)
        self.venue = Venue(self.deployment, self.watch, zone, self.seed)
        self.venue.returns = scenario.returns
        self.crowd = Crowd(self.venue)
        self.deployment.dispatch_every_minute(offset_sec=self.kernel.rng.random() * 60)
        for curve, habits in scenario.groups:
            self.crowd.come(curve, habits)
        for at_sec, action in scenario.actions:
            self.kernel.after(at_sec, lambda action=action: action(self))  # type: ignore[misc]

    def seconds(self) -> Iterator[int]:
        """Run it, a second at a time."""
        with self.scenario.policy():
            for second in range(1, self.scenario.seconds + 1):
                self.kernel.run(START_MS + second * 1000)
                self.watch.second()
                yield second


def _warm(zone: Mapping[str, Any]) -> dict[str, int]:
    """What Terraform warms the tables for in a deployment that has this zone alone."""
    joins_per_sec = int(zone.get(EXPECTED, schemas.load("zone")["properties"][EXPECTED]["default"]))
    return {"joins": join_writes_per_sec(joins_per_sec), "queue": place_writes_per_sec(joins_per_sec)}
