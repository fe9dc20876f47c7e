"""The gate item: the one small record of a run that the cap depends on (PROTOCOL, The gate item)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Watermarks:
    """Of one lane: positions below `serving` are called, below `floor` lapsed; below `ahead` may walk straight in."""

    serving: int = 0
    floor: int = 0
    ahead: int = 0

    def may_claim(self, position: int) -> bool:
        """Whether a position may be claimed now, room permitting."""
        return self.floor <= position and (position < self.serving or position < self.ahead)


@dataclass(frozen=True)
class Sample:
    """The lane watermarks and the claims so far at a moment of the claim clock (milliseconds)."""

    clock_ms: int
    claimed: int
    serving: Mapping[str, int]


@dataclass(frozen=True)
class ControllerState:
    """What a new exchanger needs to carry on where the last one stopped.

    `early` are the early joiners by lane, once a draw was held among them.
    `resting` says that the tick changed nothing and would not have had to be made: its exchanger may be gone by now.
    `deficits` are the calls each lane was owed when they were shared out last, less what it got beyond its share.
    `held_then` are the sessions there were when those who lapse now left.
    `hurried` are the looks of waiting pages that the last of the stock has cost so far.
    `taken` are the positions a second that lanes without a line take; a lane with one is not among them.
    `epochs` are the numbers of the epochs sealed last, by lane: whoever joins after reading them lies in a later one.
    """

    ticked_at_ms: int = 0
    claimed: int = 0
    rate_tokens: float = 0.0
    clock_ms: int = 0
    samples: tuple[Sample, ...] = ()
    matured_called: float = 0
    matured_claimed: float = 0
    recent_called: float = 0.0
    recent_claimed: float = 0.0
    coming: tuple[float, ...] = ()
    shut_claims: int = 0
    shut_ms: int = 0
    known_front: float = 0.0
    active: int = 0
    leave_rate: float = 0.0
    end_rate: float = 0.0
    end_weight: float = 0.0
    held: float = 0.0
    held_then: float = 0.0
    lapses_seen: bool = False
    resting: bool = False
    pace: float = 0.0
    taken: Mapping[str, float] = field(default_factory=dict)
    locked: bool = False
    hold_until_ms: int = 0
    phase: str = "before"
    entry: str = "enter"
    epochs: Mapping[str, int] = field(default_factory=dict)
    early: Mapping[str, int] = field(default_factory=dict)
    deficits: Mapping[str, float] = field(default_factory=dict)
    hurried: int = 0


@dataclass(frozen=True)
class GateItem:
    """`claimed` only grows; `limit` is what it may grow to; leases are counted in `buckets` until `closed_to`.

    What numbers mean depends on `shards` and `order`, so those are fixed with the run, whatever becomes of the zone.
    """

    zone_id: str
    run: int
    width_sec: int
    claimed: int = 0
    limit: int = 0
    closed_to: int = 0
    tick: int = 0
    lanes: Mapping[str, Watermarks] = field(default_factory=dict)
    buckets: Mapping[int, int] = field(default_factory=dict)
    state: ControllerState = field(default_factory=ControllerState)
    shards: int = 1
    order: str = "fifo"

    @property
    def awaits_draw(self) -> bool:
        """Whether nobody has a position yet, because the draw was not held."""
        return self.order == "lottery" and not self.state.early

    @property
    def active(self) -> int:
        """Leases counted in buckets that are still open: an upper bound of the live sessions."""
        return sum(count for bucket, count in self.buckets.items() if bucket > self.closed_to)

    def lane(self, name: str) -> Watermarks:
        """Watermarks of a lane; a lane nobody was called in yet starts at 0."""
        return self.lanes.get(name, Watermarks())

    def can_claim(self, lane: str, position: int, bucket: int) -> bool:
        """The claim's condition, as far as this copy of the item tells."""
        return self.claimed < self.limit and self.closed_to < bucket and self.lane(lane).may_claim(position)

    def without_memory(self) -> GateItem:
        """The item for a controller that remembers nothing of the run. All that the cap depends on stands elsewhere.

        Claims made so far are known, for they must not count as spent or as come in one tick. Whoever is called has
        another window; nothing is saved up of the rate, and what was learnt of visitors is learnt again.
        """
        front = sum(lane.serving for lane in self.lanes.values())
        return replace(self, state=ControllerState(claimed=self.claimed, active=self.active, known_front=front))

    def replace_state(self, **changes: object) -> GateItem:
        """A copy with a changed controller state."""
        return replace(self, state=replace(self.state, **changes))  # type: ignore[arg-type]
