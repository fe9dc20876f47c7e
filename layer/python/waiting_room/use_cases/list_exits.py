"""List exits: tell every gate which sessions have ended, and say whose room is free for that (PROTOCOL, Exits)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from waiting_room.adapters.exits import Exits
from waiting_room.domain.admission.exits import Generation, let_go
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.gate.exit_list import (
    MOST_EXITS,
    BadExitList,
    ExitList,
    list_exits,
    object_key,
    read_exit_list,
)
from waiting_room.domain.leases import last_ended_bucket
from waiting_room.ports import Clock, ObjectStore, StoredObject

EXIT_LISTED_MS = 10_000
"""After so long every gate has a list that is stored: a second or two at the CDN, five in the gate, and the way."""
LIST_MS = 2_000
"""Between two looks for exits: what a list costs is its puts."""
LONGEST_LEASE_MS = 2 * 3_600_000
"""No lease is longer, whatever a zone says: `session.idle_sec` is an hour at most, and a bucket a tenth of it."""
EXIT_LIST_CACHE = "public, max-age=1"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Known:
    """What this exchanger knows of a run's exits.

    `generations` are all final ones up to `read_to` whose leases may still be counted or whose tokens may still be
    live. `listed` are generations up to which the stored list went, each with the moment from which it surely did, on
    this exchanger's own clock: clocks of two exchangers differ. `full` says that some have no room on the list.
    """

    run: int
    generations: tuple[Generation, ...] = ()
    read_to: int = 0
    listed: tuple[tuple[int, int], ...] = ()
    full: bool = False

    @property
    def newest_listed(self) -> int:
        return self.listed[-1][0] if self.listed else 0

    def listed_to(self, now_ms: int) -> int:
        """The last generation that every gate has on its list."""
        return max((number for number, since_ms in self.listed if since_ms + EXIT_LISTED_MS <= now_ms), default=0)

    def note(self, number: int, now_ms: int) -> _Known:
        """The stored list goes up to this generation now. One that went further was taken away: wait anew."""
        if number < self.newest_listed:
            return replace(self, listed=((number, now_ms),))
        if number == self.newest_listed:
            return self
        due = self.listed_to(now_ms)
        return replace(self, listed=(*(each for each in self.listed if each[0] >= due), (number, now_ms)))

    def read(self, there: ExitList, now_ms: int) -> _Known:
        """The list was found so: what it says of earlier generations is true since, however long ago it was put."""
        news = [
            (number, now_ms - for_ms)
            for number, for_ms in there.listed
            if self.newest_listed < number < there.generation
        ]
        return replace(self, listed=(*self.listed, *news)).note(there.generation, now_ms)


@dataclass
class _Work:
    """One zone's: when it was looked for exits last, and what is known."""

    began_at_ms: int = 0
    busy: bool = False
    known: _Known = field(default_factory=lambda: _Known(0))


class ListExits:
    """Lets go, in each tick, of leases whose tokens open nothing; follows and publishes exits beside the ticks.

    `start` begins that work and does not wait for it: no tick is late for a slow bucket.
    """

    def __init__(
        self,
        exits: Exits,
        objects: ObjectStore,
        clock: Clock,
        start: Callable[[Callable[[], None]], object] = lambda work: work(),
    ) -> None:
        self._exits = exits
        self._objects = objects
        self._clock = clock
        self._start = start
        self._zones: dict[str, _Work] = {}

    def __call__(self, gate: GateItem, now_ms: int) -> GateItem:
        """The gate item without the leases that may be let go of now. Where no lease is counted there is no exit."""
        work = self._zones.setdefault(gate.zone_id, _Work())
        if gate.active and not work.busy and self._clock.now_ms() - work.began_at_ms >= LIST_MS:
            work.busy, work.began_at_ms = True, self._clock.now_ms()
            self._start(lambda: self._work(gate, work))
        known = work.known
        if known.run != gate.run:
            return gate
        return let_go(gate, known.generations, known.listed_to(now_ms), last_ended_bucket(now_ms, gate.width_sec))

    def _work(self, gate: GateItem, work: _Work) -> None:
        try:
            known = self._follow(gate, work.known)
            work.known = known
            work.known = self._publish(gate, known)
        except Overloaded:
            logger.warning("exits could not be listed", extra={"zone_id": gate.zone_id, "run": gate.run})
        except Exception:
            logger.exception("exits could not be listed", extra={"zone_id": gate.zone_id, "run": gate.run})
        finally:
            work.busy = False

    def _follow(self, gate: GateItem, known: _Known) -> _Known:
        """Read what was noted since, and close what takes more: of a generation that is listed all is known."""
        zone_id, run, now_ms = gate.zone_id, gate.run, self._clock.now_ms()
        if known.run == run:
            found = self._exits.after(zone_id, run, known.read_to)
        else:
            known, found = _Known(run), self._exits.since(zone_id, run, now_ms - LONGEST_LEASE_MS)
        final = [each if each.final else self._exits.close(zone_id, run, each.number) for each in found]
        # While a zone is locked, buckets are over that are still counted.
        over = min(gate.closed_to, last_ended_bucket(now_ms, gate.width_sec))
        kept = tuple(each for each in (*known.generations, *final) if each.live(over))
        return replace(known, generations=kept, read_to=max([known.read_to, *(each.number for each in final)]))

    def _publish(self, gate: GateItem, known: _Known) -> _Known:
        """Put the next list where some are not on it. A list is only ever followed by one that goes further."""
        newest = max((each.number for each in known.generations), default=0)
        if newest <= max(known.newest_listed, gate.released_to):
            return known
        key = object_key(gate.zone_id)
        stored = self._objects.get(key)
        there = _list_of(stored, gate)
        if there.run > gate.run:
            return known
        now_ms = self._clock.now_ms()
        known = known.read(there, now_ms) if there.run == gate.run else known.note(0, now_ms)
        following = _list(gate, known, now_ms)
        if following.generation < newest and not known.full:
            told = {"zone_id": gate.zone_id, "run": gate.run, "exits": len(following)}
            logger.warning("the exit list is full: slots wait for their tokens' ends", extra=told)
        known = replace(known, full=following.generation < newest)
        if there.run == gate.run and following.generation <= there.generation:
            return known
        condition = {"if_match": stored.etag} if stored else {}
        body = following.encode()
        put = self._objects.put(key, body, "application/json", EXIT_LIST_CACHE, if_absent=stored is None, **condition)
        return known.note(following.generation, self._clock.now_ms()) if put else known


def _list_of(stored: StoredObject | None, gate: GateItem) -> ExitList:
    """The list as it is stored; nothing where there is none or one that no gate believes either."""
    if stored is not None:
        try:
            return read_exit_list(stored.body)
        except BadExitList as error:
            told = {"zone_id": gate.zone_id, "why": str(error)}
            logger.warning("the exit list cannot be read: it is written anew", extra=told)
    return ExitList(gate.zone_id, 0)


def _list(gate: GateItem, known: _Known, now_ms: int) -> ExitList:
    """As many whole generations as there is room for, in their order, without the tokens that have ended."""
    ended, number = last_ended_bucket(now_ms, gate.width_sec), 0
    ids: set[bytes] = set()
    for generation in known.generations:
        live = {each.session for each in generation.live(ended)}
        if len(ids | live) > MOST_EXITS:
            break
        ids |= live
        number = generation.number
    listed = tuple((earlier, now_ms - since_ms) for earlier, since_ms in known.listed if earlier)
    return ExitList(gate.zone_id, gate.run, number, now_ms, list_exits(ids), listed)
