"""Locate: say truthfully where a visitor stands."""

from __future__ import annotations

from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.queue import Queue
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.errors import UnknownVisitor
from waiting_room.domain.leases import MARGIN_SEC
from waiting_room.domain.line.estimates import estimate
from waiting_room.domain.line.places import Known, Place, QueueItem, status_now
from waiting_room.domain.zone.phases import phase
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock
from waiting_room.use_cases.lines import Lines
from waiting_room.use_cases.wake import Wake


class Locate:
    """Reads a place; writes nothing."""

    def __init__(self, queue: Queue, copies: GateCopies, lines: Lines, wake: Wake, clock: Clock) -> None:
        self._queue = queue
        self._copies = copies
        self._lines = lines
        self._wake = wake
        self._clock = clock

    def __call__(self, zone: Zone, visitor_id: str, known: Known | None = None) -> Place:
        """The visitor's place, without a position while it is not known; raises UnknownVisitor for a stranger."""
        item = self._queue.get(zone.zone_id, zone.run, visitor_id)
        if item is None:
            raise UnknownVisitor
        gate = self._copies.recent(zone)
        self._wake(zone, gate)
        return describe(zone, self._lines.placed(item, gate, known), gate, self._clock.now_ms())


def describe(zone: Zone, item: QueueItem, gate: GateItem, now_ms: int) -> Place:
    """A stored place as it is told: with the number ahead and the range of the wait while it waits."""
    status = status_now(item, gate, zone.claim.grace_sec, now_ms)
    now_phase = phase(zone, zone.inventory or 0 if gate.state.phase == "sold_out" else 0, now_ms)
    waits = status == "waiting" and item.position is not None and now_phase != "before"
    ahead = max(0, (item.position or 0) - gate.lane(item.lane).serving) if waits else None
    wait = None
    if now_phase == "open" and ahead is not None:
        wait = estimate(ahead, gate.state.speed_per_sec(zone.lanes, item.lane))
    return Place(
        zone_id=item.zone_id,
        run=item.run,
        visitor_id=item.visitor_id,
        status=status,
        phase=now_phase,
        lane=item.lane,
        shard=item.shard,
        seq=item.seq,
        gen=item.gen,
        position=None if _is_put_off(zone, gate, now_ms) else item.position,
        arrival=item.arrival,
        ahead=ahead,
        estimate=wait,
        joined_at_ms=item.joined_at_ms,
        rejoined=item.rejoined,
        shut=gate.state.door.shut,
        phone_needed=zone.phone is not None and not item.phone and item.status == "waiting",
    )


def _is_put_off(zone: Zone, gate: GateItem, now_ms: int) -> bool:
    """Whether drawn places are hidden again, for the start was moved after it.

    When a draw was held the start had come, by the clock of whoever held it; this one may be behind by the margin.
    """
    return gate.order == "lottery" and (zone.starts_at_ms or 0) - now_ms > MARGIN_SEC * 1000
