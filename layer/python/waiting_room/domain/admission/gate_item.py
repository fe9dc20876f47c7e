"""The gate item: the one small record of a run that the cap depends on (PROTOCOL, The gate item)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from waiting_room.domain.admission.claim_clock import ClaimClock
from waiting_room.domain.admission.door import Door
from waiting_room.domain.admission.last_tickets import LastTickets
from waiting_room.domain.admission.shared_calls import SharedCalls
from waiting_room.domain.admission.show_up import ShowUp
from waiting_room.domain.admission.turnover import Turnover
from waiting_room.domain.lanes import shares


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
class ControllerState:
    """What a new exchanger needs to carry on where the last one stopped.

    Six parts that advance themselves, each written by its own module alone, and what the controller notes of a tick:
    when it was, the run's claims until then, the phase and where newcomers are sent (`entry`), the tokens of the set
    rate, whether the zone was locked and until when leases are kept open for that.
    `resting` says that the tick changed nothing and would not have had to be made: its exchanger may be gone by now.
    `epochs` are the numbers of the epochs sealed last, by lane: whoever joins after reading them lies in a later one.
    `early` are the early joiners by lane, once a draw was held among them.
    """

    clock: ClaimClock = field(default_factory=ClaimClock)
    show_up: ShowUp = field(default_factory=ShowUp)
    turnover: Turnover = field(default_factory=Turnover)
    shared: SharedCalls = field(default_factory=SharedCalls)
    last_tickets: LastTickets = field(default_factory=LastTickets)
    door: Door = field(default_factory=Door)
    ticked_at_ms: int = 0
    claimed: int = 0
    rate_tokens: float = 0.0
    locked: bool = False
    hold_until_ms: int = 0
    phase: str = "before"
    entry: str = "enter"
    resting: bool = False
    epochs: Mapping[str, int] = field(default_factory=dict)
    early: Mapping[str, int] = field(default_factory=dict)

    def speed_per_sec(self, lanes: Mapping[str, Mapping[str, float]], lane: str) -> float:
        """Positions called a second in one of a zone's lanes while it has a line; 0 while the pace is not known."""
        return self.shared.speed_per_sec(lane, shares(lanes), self.turnover.pace)

    def door_sec(self) -> float:
        """About how long it takes until all who were called and are still expected have found a place."""
        return self.turnover.door_sec(self.show_up.expected, self.show_up.share)


@dataclass(frozen=True)
class GateItem:
    """`claimed` only grows; `limit` is what it may grow to; leases are counted in `buckets` until `closed_to`.

    What numbers mean depends on `shards` and `order`, so those are fixed with the run, whatever becomes of the zone.
    Exits of generations up to `released_to` are no longer counted; `leaving` are the leases, by bucket, that a tick
    stops counting for that, and that `buckets` does not have any more.
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
    released_to: int = 0
    leaving: Mapping[int, int] = field(default_factory=dict)

    @property
    def awaits_draw(self) -> bool:
        """Whether nobody has a position yet, because the draw was not held."""
        return self.order == "lottery" and not self.state.early

    @property
    def active(self) -> int:
        """Leases counted in buckets that are still open: an upper bound of the live sessions."""
        return sum(count for bucket, count in self.buckets.items() if bucket > self.closed_to)

    def lapsing(self, closed_to: int) -> int:
        """Leases counted in the buckets that are open now and are not with this `closed_to`."""
        return sum(count for bucket, count in self.buckets.items() if self.closed_to < bucket <= closed_to)

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
        known = ControllerState(
            claimed=self.claimed, turnover=Turnover(active=self.active), show_up=ShowUp(noticed_front=front)
        )
        return replace(self, state=known)

    def recalled(self, lanes: Mapping[str, Watermarks], share: float, absent: int) -> GateItem:
        """The item with watermarks of an earlier moment, when `share` of the called came and `absent` had not.

        It grants nothing until the next tick. The claim clock's memory begins anew, for it says where the line stood
        since: by it, those who come back would lapse at once, and others before they are called.
        """
        front = sum(lane.serving for lane in lanes.values())
        called = sum(lane.serving - lane.floor for lane in lanes.values())
        show_up = ShowUp.recalled(share, absent, called, front)
        state = replace(self.state, clock=self.state.clock.restart(), show_up=show_up)
        return replace(self, limit=self.claimed, tick=self.tick + 1, lanes=lanes, state=state)

    def sealed(self, epochs: Mapping[str, int]) -> GateItem:
        """The item once the lanes are sealed up to these epochs."""
        return replace(self, state=replace(self.state, epochs=epochs))

    def drawn(self, early: Mapping[str, int]) -> GateItem:
        """The item once a draw was held among so many early joiners of each lane."""
        return replace(self, state=replace(self.state, early=early))
