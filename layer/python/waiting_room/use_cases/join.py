"""Join: take a place in line, once (PROTOCOL, Joining)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from waiting_room.adapters.counters import Joins
from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.queue import Queue
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import AlreadyCompleted, Forbidden, NotOpen, RunOver, Throttled, TooSoon, Unsure
from waiting_room.domain.lanes import GENERAL, Standing, is_sooner, shares
from waiting_room.domain.line.again import may_join_at_ms
from waiting_room.domain.line.epochs import shards_of
from waiting_room.domain.line.places import MOVED, Known, Origin, Place, QueueItem, status_now
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.lines import Lines
from waiting_room.use_cases.locate import describe
from waiting_room.use_cases.seal import SealMeanwhile
from waiting_room.use_cases.wake import Wake

NOWHERE = Origin()


@dataclass(frozen=True)
class FoundPlace:
    """What there is before a join: the place that stands, else the item of one that is over and why, else neither.

    `gate` is the copy it was judged by, read before any number is taken: the epochs it names are over.
    """

    visitor_id: str
    gate: GateItem
    place: Place | None = None
    held: QueueItem | None = None
    reason: str = ""

    @property
    def has_lot(self) -> bool:
        """Whether the place was left before the draw, so that taken again it is the same lot and not a second one."""
        return self.held is not None and self.held.status == "left" and self.gate.awaits_draw

    @property
    def times(self) -> int:
        """How many positions of the run the visitor will have had with the one that may be taken now."""
        if self.held is None:
            return 1
        return self.held.times if self.has_lot else self.held.times + 1

    @property
    def is_new(self) -> bool:
        """Whether a visitor without a place is about to get a position: all that one costs is asked for it."""
        return self.place is None and self.reason != MOVED


class Join:
    """Gives a visitor a place, the place held already, or a new one instead of one that is over."""

    def __init__(
        self,
        queue: Queue,
        joins: Joins,
        copies: GateCopies,
        lines: Lines,
        wake: Wake,
        seal_meanwhile: SealMeanwhile,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._queue = queue
        self._joins = joins
        self._copies = copies
        self._lines = lines
        self._wake = wake
        self._seal_meanwhile = seal_meanwhile
        self._clock = clock
        self._ids = ids

    def __call__(self, zone: Zone, visitor_id: str, known: Known | None = None, invited: str = "") -> Place:
        """The visitor's place. Asked again, the same; 2 write units when it is new. Raises as `find` and `take` do."""
        found = self.find(zone, visitor_id, known, invited)
        return found.place or self.take(zone, found, invited)

    def find(self, zone: Zone, visitor_id: str, known: Known | None = None, invited: str = "") -> FoundPlace:
        """The place that stands, or what a new one would replace; writes nothing.

        `invited` is a lane the visitor has a signed claim to: a place held in another lane is to be given up for it if
        the new one is called sooner.

        Raises Forbidden for a revoked visitor, AlreadyCompleted for one who has bought as often as the zone allows,
        and for whoever has no place that stands RunOver after the end, NotOpen before the line opens, TooSoon after
        several of them.
        """
        gate, now_ms = self._copies.recent(zone), self._clock.now_ms()
        held = self._held(zone, visitor_id, gate, known)
        reason = "" if held is None else _over(zone, held, gate, now_ms)
        too_soon_ms = 0 if held is None else may_join_at_ms(held) - now_ms
        if held is not None and not reason and too_soon_ms <= 0 and self._is_sooner(zone, held, invited):
            reason = MOVED
        if held is not None and not reason:
            return FoundPlace(visitor_id, gate, describe(zone, held, gate, now_ms))
        if zone.control == "end":
            raise RunOver
        self._refuse_early(zone)
        found = FoundPlace(visitor_id, gate, held=held, reason=reason)
        if too_soon_ms > 0 and not found.has_lot:
            raise TooSoon(-(-too_soon_ms // 1000))
        return found

    def take(self, zone: Zone, found: FoundPlace, invited: str = "", origin: Origin = NOWHERE) -> Place:
        """A new place for a visitor who has none that stands; the one of somebody faster if there is one by now.

        Raises Unsure when the answer was lost, Overloaded when nothing was stored.
        """
        gate = found.gate
        item, new = self._take(zone, found, self._lane(zone, found.held, invited), origin)
        if self._wake(zone, gate) and gate.shards > 1:
            self._seal_meanwhile(zone)
        # Of several counters a number taken just now is not sealed yet: a rush must not look for what cannot be there.
        placed = item if new and gate.shards > 1 else self._lines.placed(item, gate)
        return replace(describe(zone, placed, gate, self._clock.now_ms()), new=new)

    def gains(self, zone: Zone, visitor_id: str, lane: str, position: int | None = None) -> bool:
        """Whether a visitor would be called sooner in a lane of an invitation, at this position or at its end.

        Whoever has no place that stands gains one. Raises Forbidden, AlreadyCompleted, and TooSoon for a new position
        that is sooner, after several of them.
        """
        gate, now_ms = self._copies.recent(zone), self._clock.now_ms()
        held = self._held(zone, visitor_id, gate, None)
        if held is None or _over(zone, held, gate, now_ms):
            return True
        if not self._is_sooner(zone, held, lane, position):
            return False
        too_soon_ms = may_join_at_ms(held) - now_ms if position is None else 0
        if too_soon_ms > 0:
            raise TooSoon(-(-too_soon_ms // 1000))
        return True

    def _refuse_early(self, zone: Zone) -> None:
        """Raise NotOpen before the line opens, by this clock."""
        opens_at_ms, now_ms = zone.line_opens_at_ms, self._clock.now_ms()
        if opens_at_ms is not None and now_ms < opens_at_ms:
            raise NotOpen(opens_at_ms, now_ms)

    def _held(self, zone: Zone, visitor_id: str, gate: GateItem, known: Known | None) -> QueueItem | None:
        held = self._queue.get(zone.zone_id, zone.run, visitor_id)
        return None if held is None else self._lines.placed(held, gate, known)

    def _lane(self, zone: Zone, held: QueueItem | None, invited: str) -> str:
        """Where to stand: where one was invited to, else where one stood, else with everybody."""
        wanted = invited or (held.lane if held else GENERAL)
        return wanted if wanted in zone.lanes else GENERAL

    def _is_sooner(self, zone: Zone, held: QueueItem, invited: str, at: int | None = None) -> bool:
        """Whether somebody who waits would be called sooner in the lane of an invitation: `at` a position or its end.

        Whoever is called already, or is in, stays. A place that is not known yet counts as the last of its lane.
        """
        if invited not in zone.lanes or (invited == held.lane and at is None) or held.status != "waiting":
            return False
        # Rare enough to look at the item itself: a copy may not know yet that the held place was called.
        gate = self._copies.current(zone)
        if status_now(held, gate, zone.claim.grace_sec, self._clock.now_ms()) != "waiting":
            return False
        parts = shares(zone.lanes)
        ends = {lane: self._end(zone, gate, lane) for lane in (invited, held.lane)}
        position = ends[held.lane] if held.position is None else held.position
        new = Standing((ends[invited] if at is None else at) - gate.lane(invited).serving, parts[invited])
        return is_sooner(new, Standing(position - gate.lane(held.lane).serving, parts.get(held.lane, 0.0)))

    def _end(self, zone: Zone, gate: GateItem, lane: str) -> int:
        """The position somebody would get who joined a lane now; of a sharded one, as it was sealed last."""
        if gate.shards == 1:
            return self._joins.tail(zone.zone_id, zone.run, lane, 0)
        epoch = self._joins.latest_epoch(zone.zone_id, zone.run, lane)
        return epoch.tail if epoch else 0

    def _take(self, zone: Zone, found: FoundPlace, lane: str, origin: Origin) -> tuple[QueueItem, bool]:
        """The item that is stored in the end, and whether it is this call's, with a number of its own."""
        held = found.held
        if held is not None and found.has_lot and held.lane == lane:
            fresh, new = replace(held, status="waiting", attempt=self._ids.attempt_id()), False
        else:
            fresh, new = self._fresh(zone, found, lane, origin), True
        if self._queue.add(fresh, replacing=held, starts_at_ms=zone.starts_at_ms) is Answer.YES:
            return fresh, new
        # Somebody was faster (another tab, an earlier try of this one), or the answer was lost: what is stored counts.
        stored = self._queue.get(zone.zone_id, zone.run, found.visitor_id)
        if stored is None or (held is not None and stored.attempt == held.attempt):
            raise Unsure
        return stored, new and stored.attempt == fresh.attempt

    def _fresh(self, zone: Zone, found: FoundPlace, lane: str, origin: Origin) -> QueueItem:
        """A place with the next number of a counter."""
        gate, held = found.gate, found.held
        shard, seq = self._number(zone, found.visitor_id, gate.shards, lane)
        return QueueItem(
            zone_id=zone.zone_id,
            run=zone.run,
            visitor_id=found.visitor_id,
            lane=lane,
            shard=shard,
            seq=seq,
            joined_at_ms=self._clock.now_ms(),
            gen=held.gen if held else 0,
            attempt=self._ids.attempt_id(),
            rejoined=found.reason,
            purchases=held.purchases if held else 0,
            phone=held.phone if held else None,
            times=found.times,
            account=origin.account or (held.account if held else None),
            network=origin.network or (held.network if held else None),
            device=origin.device or (held.device if held else None),
            epoch=gate.state.epochs.get(lane, 0) if gate.shards > 1 else None,
        )

    def _number(self, zone: Zone, visitor_id: str, shards: int, lane: str) -> tuple[int, int]:
        """A counter and its next number: of the visitor's own one, or of another one where that is too busy.

        Only a refusal leads on, for nothing was taken then. Where the answer was lost a number may be burned: a
        second one would burn another, so the visitor is told to ask again. Raises Overloaded.
        """
        *earlier, last = shards_of(visitor_id, shards)
        for shard in earlier:
            with suppress(Throttled):
                return shard, self._joins.next(zone.zone_id, zone.run, lane, shard)
        return last, self._joins.next(zone.zone_id, zone.run, lane, last)


def _over(zone: Zone, held: QueueItem, gate: GateItem, now_ms: int) -> str:
    """Why a place is to be replaced; empty while it still stands."""
    if held.status == "revoked":
        raise Forbidden("This visitor may not take part.")
    if held.status == "completed":
        if held.purchases >= zone.purchases_per_visitor:
            raise AlreadyCompleted
        return "completed"
    status = status_now(held, gate, zone.claim.grace_sec, now_ms)
    return status if status in ("lapsed", "left") else ""
