"""Look up: everything that is stored of one visitor, and what is true of it now."""

from __future__ import annotations

from dataclasses import dataclass

from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.queue import Queue
from waiting_room.domain.errors import NotReady, UnknownVisitor, UnknownZone
from waiting_room.domain.line.places import QueueItem, Status, session_of, status_now
from waiting_room.ports import Clock
from waiting_room.use_cases.leave import REVOKED_SID, REVOKED_VISITOR
from waiting_room.use_cases.lines import Lines


@dataclass(frozen=True)
class Found:
    """A stored place, its status at this moment, and the end of its lease as the visitor's token has it."""

    item: QueueItem
    status: Status
    expires_at_ms: int | None
    revoked: bool


class LookUp:
    """Reads consistently: an operator on the telephone must not be told what was true a second ago."""

    def __init__(self, zones: ProtectedZones, gates: Gates, queue: Queue, lines: Lines, clock: Clock) -> None:
        self._zones = zones
        self._gates = gates
        self._queue = queue
        self._lines = lines
        self._clock = clock

    def __call__(self, zone_id: str, visitor_id: str) -> Found:
        """The visitor in the current run; raises UnknownZone, UnknownVisitor."""
        zone = self._zones.get(zone_id)
        if zone is None:
            raise UnknownZone
        item = self._queue.get(zone_id, zone.run, visitor_id)
        if item is None:
            raise UnknownVisitor
        gate = self._gates.read(zone_id, zone.run)
        if gate is None:
            raise NotReady
        item = self._lines.placed(item, gate)
        return Found(
            item=item,
            status=status_now(item, gate, zone.claim.grace_sec, self._clock.now_ms()),
            expires_at_ms=None if item.bucket is None else session_of(item, gate.width_sec).expires_at_ms,
            revoked=self._is_revoked(item),
        )

    def _is_revoked(self, item: QueueItem) -> bool:
        names = [REVOKED_VISITOR + item.visitor_id, *([REVOKED_SID + item.sid] if item.sid else [])]
        return any(self._zones.record(item.zone_id, name) is not None for name in names)
