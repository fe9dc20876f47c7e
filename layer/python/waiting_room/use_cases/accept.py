"""Accept: an invitation becomes one visitor's place, and goes from device to device until that is called."""

from __future__ import annotations

from dataclasses import dataclass

from waiting_room.adapters.counters import Invitations
from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.queue import Queue
from waiting_room.domain.errors import InvitationUsed, Lapsed, LinkUsed, NotSooner, Unsure
from waiting_room.domain.line.places import QueueItem, status_now
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock
from waiting_room.use_cases.join import Join
from waiting_room.use_cases.lines import Lines
from waiting_room.use_cases.move import Move


@dataclass(frozen=True)
class Holder:
    """Whose place an invitation stands for, and the generation of it that this device has from now on."""

    visitor_id: str
    gen: int


class AcceptInvitation:
    """Ties an invitation to the first visitor who takes it: a link that is passed on makes no crowd."""

    def __init__(
        self,
        invitations: Invitations,
        queue: Queue,
        copies: GateCopies,
        lines: Lines,
        join: Join,
        move: Move,
        clock: Clock,
    ) -> None:
        self._invitations = invitations
        self._queue = queue
        self._copies = copies
        self._lines = lines
        self._join = join
        self._move = move
        self._clock = clock

    def __call__(self, zone: Zone, invitation_id: str, lane: str, visitor_id: str, gen: int) -> Holder:
        """Take it with a device whose token says this visitor and generation; joining in the lane is the next step.

        Taken on another device before, its place moves here, as long as it was not called. There is never a second
        place: whoever takes an invitation becomes the visitor it is tied to.

        Raises NotSooner and TooSoon (nothing was taken: it is as good as it was), InvitationUsed, Unsure, Overloaded.
        """
        holder_id = self._invitations.holder(zone.zone_id, zone.run, invitation_id)
        if holder_id is None:
            if not self._join.gains(zone, visitor_id, lane):
                raise NotSooner("Keep the place you have: the invitation would bring you in later, and stays good.")
            now_ms = self._clock.now_ms()
            holder_id = self._invitations.take(zone.zone_id, zone.run, invitation_id, visitor_id, now_ms)
        item = self._queue.get(zone.zone_id, zone.run, holder_id)
        if holder_id == visitor_id and (item is None or item.gen <= gen):
            return Holder(visitor_id, gen)
        if zone.requires_identity and holder_id != visitor_id:
            raise InvitationUsed("Another account has taken this invitation.")
        return Holder(holder_id, 0) if item is None else self._taken_over(zone, item, visitor_id)

    def _taken_over(self, zone: Zone, item: QueueItem, visitor_id: str) -> Holder:
        """The place goes from the device that has it to this one, which may have a better one of its own."""
        gate = self._copies.current(zone)
        placed = self._lines.placed(item, gate)
        if status_now(placed, gate, zone.claim.grace_sec, self._clock.now_ms()) != "waiting":
            raise InvitationUsed("Its place was called already, or is over.")
        if visitor_id != item.visitor_id and not self._join.gains(zone, visitor_id, item.lane, placed.position):
            raise NotSooner("Keep the place you have: that of the invitation is called later.")
        try:
            return Holder(item.visitor_id, self._move(zone, item.visitor_id, item.gen))
        except (LinkUsed, Lapsed):
            # Another device was faster, or it was called this very moment: asked again, it is clear which.
            raise Unsure from None
