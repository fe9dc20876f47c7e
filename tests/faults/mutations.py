"""The safeguards of the protocol, each taken away once. The harness must notice every one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.flaky import Faults
from tests.faults.world import Parts
from tests.support.fakes import FakeObjectStore
from waiting_room.adapters import dynamodb
from waiting_room.adapters.counters import Joins, epoch_attributes
from waiting_room.adapters.dynamodb import encode, writing
from waiting_room.adapters.exits import Exits
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.queue import Queue
from waiting_room.domain import lanes, leases
from waiting_room.domain.admission import controller, shared_calls
from waiting_room.domain.admission.claim_clock import ClaimClock
from waiting_room.domain.admission.exits import Generation
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.answers import Answer
from waiting_room.domain.line.draws import Draw
from waiting_room.domain.line.epochs import Epoch, shards_of
from waiting_room.domain.line.places import QueueItem, Session, session_of
from waiting_room.domain.zone.zones import Zone
from waiting_room.use_cases import list_exits, seal
from waiting_room.use_cases.claim import Claim
from waiting_room.use_cases.confirm import Confirm
from waiting_room.use_cases.draw import Draws
from waiting_room.use_cases.join import Join
from waiting_room.use_cases.renew import Renew
from waiting_room.use_cases.tick import TickZone


class ReleasesFirst(Renew):
    """Renewal stops counting the old lease before the new one is counted."""

    def _move(self, zone: Zone, item: QueueItem, bucket: int, now_ms: int, width_sec: int) -> Session:
        self._gates.release(zone.zone_id, zone.run, item.lease)
        self._gates.hold(zone.zone_id, zone.run, bucket, while_open=item.lease, verb="renew")
        self._queue.move_lease(item, bucket=bucket, attempt=self._ids.attempt_id(), now_ms=now_ms)
        stored = self._queue.get(zone.zone_id, zone.run, item.visitor_id)
        return session_of(stored or item, width_sec)


class TrustsSilence(Claim):
    """A lost answer is taken for a lost race, and its lease is given back, whatever the attempt id says."""

    def _settle(self, zone: Zone, mine: QueueItem, won: Answer, width_sec: int, verb: str) -> Session:
        return super()._settle(zone, mine, Answer.NO if won is Answer.UNSURE else won, width_sec, verb)


class ForgetsAttempts(Renew):
    """Renewal takes a lost answer for a refusal: it gives back a lease that may have been moved."""

    def _move(self, zone: Zone, item: QueueItem, bucket: int, now_ms: int, width_sec: int) -> Session:
        if self._gates.hold(zone.zone_id, zone.run, bucket, while_open=item.lease, verb="renew") is not Answer.YES:
            return super()._move(zone, item, bucket, now_ms, width_sec)
        moved = self._queue.move_lease(item, bucket=bucket, attempt=self._ids.attempt_id(), now_ms=now_ms)
        self._gates.release(zone.zone_id, zone.run, item.lease if moved is Answer.YES else bucket)
        stored = self._queue.get(zone.zone_id, zone.run, item.visitor_id)
        return session_of(stored or item, width_sec)


class RenewsAnything(Gates):
    """A lease is renewed although its bucket was closed and its room given away."""

    def hold(self, zone_id: str, run: int, bucket: int, while_open: int, verb: str) -> Answer:
        return super().hold(zone_id, run, bucket, while_open + 10**6, verb)


class TicksBlindly(Gates):
    """The tick is written whoever else ticked meanwhile."""

    def _update(
        self, zone_id: str, run: int, update: str, condition: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> Answer:
        if condition == "#tick = :read":
            condition = "#tick >= :zero OR #tick = :read"
            values = {**values, ":zero": 0}
        return super()._update(zone_id, run, update, condition, names, values)


class KeepsRefused(Gates):
    """The lease that was counted for a write is not taken back when the write is refused for good."""

    @contextmanager
    def counted(self, zone_id: str, run: int, bucket: int) -> Iterator[None]:
        yield


class RepeatsDecrements(Gates):
    """Decrements go through the client that repeats a call whose answer was lost."""

    def release(self, zone_id: str, run: int, bucket: int) -> None:
        once, self._once = self._once, self._table.clients.repeating
        try:
            super().release(zone_id, run, bucket)
        finally:
            self._once = once


class ForgetsReleases(Gates):
    """The tick does not write down of which exits it released the leases: the next one releases them again."""

    def advance(self, read: GateItem, decided: GateItem) -> Answer:
        return super().advance(read, replace(decided, released_to=0))


class ReleasesAtOnce(Exits):
    """The lease of a session that ended is released at once, while its token opens the gate."""

    def add(self, zone_id: str, run: int, sid: str, bucket: int, now_ms: int, verb: str) -> None:
        self._gates.release(zone_id, run, bucket)


class NotesAgain(Exits):
    """An exit of which it is not known whether it was noted is noted once more, in a later generation."""

    def _add(self, zone_id: str, run: int, record: bytes, now_ms: int) -> Answer:
        answer = super()._add(zone_id, run, record, now_ms)
        if answer is Answer.UNSURE:
            for generation in self.after(zone_id, run, 0)[-1:]:
                self.close(zone_id, run, generation.number)
            return super()._add(zone_id, run, record, now_ms)
        return answer


class ClosesNothing(Exits):
    """A generation takes more exits after it was listed."""

    def close(self, zone_id: str, run: int, number: int) -> Generation:
        (generation,) = [each for each in self.after(zone_id, run, number - 1) if each.number == number]
        return replace(generation, final=True)


class PutsAnyway(FakeObjectStore):
    """A list is put over whatever list there is by now."""

    def put(
        self,
        key: str,
        body: bytes,
        content_type: str,
        cache_control: str,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> bool:
        return super().put(key, body, content_type, cache_control)


class ClaimsUnchecked(Gates):
    """A claim does not look at the limit."""

    def _update(
        self, zone_id: str, run: int, update: str, condition: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> Answer:
        return super()._update(
            zone_id, run, update, condition.replace("#claimed < #limit", "#claimed <= #limit"), names, values
        )


class SellsUnpinned(Confirm):
    """A sale is recorded without keeping its lease counted: at its end neither may be counted for a moment."""

    def _sell(self, zone: Zone, item: QueueItem, reference: str, attempt: str) -> Answer:
        now_ms = self._clock.now_ms()
        answer = self._queue.complete_with_sale(item, reference=reference, slot=0, attempt=attempt, now_ms=now_ms)
        answer = self._know(item, attempt, answer)
        if answer is Answer.YES:
            self._gates.release(zone.zone_id, zone.run, item.lease)
        return answer


class ReadsSalesFirst(TickZone):
    """Sales are read before the leases: one that moves from the one to the other is seen in neither."""

    def __call__(self, zone_id: str) -> Any:
        real, sold = self._sales.sold, self._sales.sold(zone_id, 1)
        self._sales.sold = lambda *_: sold  # type: ignore[method-assign]
        try:
            return super().__call__(zone_id)
        finally:
            self._sales.sold = real  # type: ignore[method-assign]


class ReplacesAnything(Queue):
    """A place is overwritten whoever holds one already."""

    def add(self, item: QueueItem, replacing: QueueItem | None = None, starts_at_ms: int | None = None) -> Answer:
        attributes = {name: getattr(item, name) for name in ("lane", "shard", "seq", "joined_at_ms", "status", "gen")}
        key = self._table.key(f"{item.zone_id}#{item.run}#{item.visitor_id}")
        stored = key | encode(attributes | {"attempt": item.attempt, "rejoined": item.rejoined, "purchases": 0})
        return writing(self._once.put_item, TableName=self._table.name, Item=stored)


class SealsAnyway(Joins):
    """An epoch is written whoever has written it already."""

    def seal(self, zone_id: str, run: int, lane: str, last: Epoch, epoch: Epoch) -> Answer:
        item = self._table.key(f"epoch#{zone_id}#{run}#{lane}", epoch.number) | epoch_attributes(epoch)
        return writing(self._table.clients.once.put_item, TableName=self._table.name, Item=item)


class CallsUnsealed(TickZone):
    """The tick calls by the numbers taken, sealed or not."""

    def _line(self, zone: Zone, gate: GateItem) -> tuple[dict[str, int], GateItem]:
        _, sealed = super()._line(zone, gate)
        return self.taken(zone, gate), sealed


class MovesAnyway(Join):
    """Whoever shows an invitation stands in its lane from then on, at its end, however near the old place was."""

    def _is_sooner(self, zone: Zone, held: QueueItem, invited: str, at: int | None = None) -> bool:
        return held.status == "waiting" and invited not in ("", held.lane)


class OpensAtOnce(Join):
    """Places are given whenever somebody comes."""

    def _refuse_early(self, zone: Zone) -> None:
        pass


class TakesForOwn(Join):
    """A number that another counter gave is stored as one of the visitor's own counter."""

    def _number(self, zone: Zone, visitor_id: str, shards: int, lane: str) -> tuple[int, int]:
        _, seq = super()._number(zone, visitor_id, shards, lane)
        return shards_of(visitor_id, shards)[0], seq


def first_lane_first(
    calls: int, waiting: Mapping[str, int], parts: Mapping[str, float], deficits: Mapping[str, float]
) -> tuple[dict[str, int], dict[str, float]]:
    """Lanes are served one after the other, each until it is empty."""
    given = {}
    for lane, count in waiting.items():
        given[lane] = min(calls, count)
        calls -= given[lane]
    return given, {}


def forgets_fractions(
    calls: int, waiting: Mapping[str, int], parts: Mapping[str, float], deficits: Mapping[str, float]
) -> tuple[dict[str, int], dict[str, float]]:
    """What a lane was owed is not carried to the next tick."""
    return lanes.share_out(calls, waiting, parts, {})[0], {}


def by_weight_alone(zone_lanes: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """What is reserved for a lane is not kept for it."""
    return lanes.shares({name: {"weight": lane["weight"]} for name, lane in zone_lanes.items()})


def takes_missing_for_none(last: Epoch, taken: Mapping[int, int], *, close: bool = False) -> Epoch | None:
    """A counter that could not be read is taken for one nobody has used."""
    cuts = tuple(taken.get(shard, 0) for shard in range(len(last.cuts)))
    return None if cuts == last.cuts else Epoch(last.number + 1, last.tail, cuts)


def opens_anyway(
    self: Draws, draw: Draw, early: Mapping[str, int], beacon: tuple[int, str | None] | None, now_ms: int
) -> Answer:
    """A draw is held by whoever comes, also when it was held already."""
    record = {"secret": draw.secret, "commitment": draw.commitment, "early": dict(early), "opened_at_ms": now_ms}
    self._zones.put_record(draw.zone_id, f"draw#{draw.run}", record)
    return Answer.YES


def frees_closing_buckets(zone: Zone, gate: GateItem, *rest: Any) -> controller.Tick:
    """The tick gives away the room of the buckets it is only just closing: a renewal may be under way."""
    now_ms = rest[2]
    closed_to = max(gate.closed_to, leases.last_ended_bucket(now_ms, gate.width_sec))
    buckets = {bucket: count for bucket, count in gate.buckets.items() if bucket > closed_to}
    return controller.decide(zone, replace(gate, buckets=buckets), *rest)


@dataclass(frozen=True)
class Mutation:
    """A missing safeguard, and the weather in which it is missed soonest."""

    parts: Parts
    faults: Faults = field(default_factory=Faults.harsh)
    changes: Mapping[str, Any] = field(default_factory=dict)


SILENT = Faults(lost_answer=0.25, late_arrival=0.1)
"""Many answers get lost."""
SLOW = Faults(pause=0.12)
"""Everybody is held up all the time."""
REFUSED = Faults.refusing()
"""Writes of places are refused, and nothing is ever lost."""
BUSY = replace(Faults.none(), throttle=0.5, throttled="joins")
"""Join counters are too busy half of the time."""
UNREAD = Faults(partial=1)
"""DynamoDB leaves something out of every other batch."""
SHARDED = {"shards": 3}
LANES = {"lanes": True, "visitors": 24, "cap": 3, "lottery": False}
"""Enough of them to make a line in each lane."""

MUTATIONS: dict[str, Mutation] = {
    "lease of an exit": Mutation(Parts(exits=ReleasesAtOnce)),
    "ten seconds on the list": Mutation(Parts(patches=((list_exits, "EXIT_LISTED_MS", 0),))),
    "released once": Mutation(Parts(gates=ForgetsReleases)),
    "renew order": Mutation(Parts(renew=ReleasesFirst)),
    "attempt id of a claim": Mutation(Parts(claim=TrustsSilence), SILENT),
    "attempt id of a renewal": Mutation(Parts(renew=ForgetsAttempts), SILENT),
    "closed_to of a renewal": Mutation(Parts(gates=RenewsAnything)),
    "release of a refused write": Mutation(Parts(gates=KeepsRefused), REFUSED),
    "tick condition": Mutation(Parts(gates=TicksBlindly), SLOW),
    "limit of a claim": Mutation(Parts(gates=ClaimsUnchecked)),
    "margin of the clocks": Mutation(Parts(patches=((leases, "MARGIN_SEC", -3),))),
    "one place a visitor": Mutation(Parts(queue=ReplacesAnything), SILENT),
    "counter of a number": Mutation(Parts(join=TakesForOwn), BUSY, SHARDED),
    "opening of the line": Mutation(Parts(join=OpensAtOnce), changes={"lottery": True}),
    "condition of an epoch": Mutation(Parts(joins=SealsAnyway), changes=SHARDED),
    "counters that were not read": Mutation(
        Parts(patches=((seal, "next_epoch", takes_missing_for_none), (dynamodb, "BATCH_TRIES", 1))), UNREAD, SHARDED
    ),
    "condition of a draw": Mutation(Parts(patches=((Draws, "open", opens_anyway),)), SLOW, {"lottery": True}),
    "nobody called before the draw": Mutation(
        Parts(patches=((GateItem, "awaits_draw", property(lambda _: False)),)), changes={"lottery": True}
    ),
    "deficit round robin": Mutation(Parts(patches=((shared_calls, "share_out", first_lane_first),)), changes=LANES),
    "calls owed to a lane": Mutation(Parts(patches=((shared_calls, "share_out", forgets_fractions),)), changes=LANES),
    "reserved share": Mutation(Parts(patches=((controller, "shares", by_weight_alone),)), changes=LANES),
    "the better place": Mutation(Parts(join=MovesAnyway), changes=LANES),
    "nobody called unsealed": Mutation(Parts(tick=CallsUnsealed), changes=SHARDED),
    "clock after a restoration": Mutation(
        Parts(patches=((ClaimClock, "restart", lambda clock: clock),)),
        changes={"visitors": 16, "cap": 2, "lottery": False},
    ),
}
