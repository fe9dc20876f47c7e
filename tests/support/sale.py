"""A sale on the in-memory store with a clock moved by hand: for tests of the use cases."""

from __future__ import annotations

import json
from typing import Any

from tests.memory_dynamo import MemoryDynamo
from tests.support.fakes import FakeClock, FakeFunctions, FakeIds, FakeObjectStore, no_pause
from tests.support.streamed import Streamed
from waiting_room import schemas
from waiting_room.adapters.calls import CallRecords
from waiting_room.adapters.dynamodb import Clients
from waiting_room.composition import Stores, visitor_verbs
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.admission.status import status_key
from waiting_room.domain.line.places import Session
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Beacon, Metrics
from waiting_room.use_cases.announce import Announce
from waiting_room.use_cases.claim import Waiting
from waiting_room.use_cases.draw import Draws
from waiting_room.use_cases.leave import Bar, EndPlace
from waiting_room.use_cases.list_exits import ListExits
from waiting_room.use_cases.minute_rows import MinuteRows
from waiting_room.use_cases.tick import TickZone
from waiting_room.use_cases.wake import Wake

TABLES = ("protected_zones", "counters", "joins", "queue")
EXITS_SEC = 14
"""By then the room of a session that ended is free: it is listed in two, and every gate has had that for ten."""
ZONE: dict[str, Any] = {
    "zone_id": "z",
    "mode": "queueing",
    "rules": [{"paths": ["/sale"]}],
    "max_active": 2,
    "session": {"idle_sec": 60, "max_sec": 600},
    "claim": {"window_sec": 20, "grace_sec": 30},
}


class Sale:
    """One zone with every use case over one store. Visitors go by any name."""

    def __init__(self, **changes: Any) -> None:
        self.clock, self.ids = FakeClock(), FakeIds()
        self.store = MemoryDynamo([schemas.table(name) for name in TABLES])
        self.objects, self.functions = FakeObjectStore(), FakeFunctions()
        self.stream = Streamed(self.store, "queue", self.clock.now_ms)
        clients = Clients(self.stream, self.stream)
        self.stores = Stores(clients, *TABLES)
        self.zones, self.gates, self.queue = self.stores.zones, self.stores.gates, self.stores.queue
        self.joins, self.locks, self.sales = self.stores.joins, self.stores.locks, self.stores.sales
        self.minutes, self.departures = self.stores.minutes, self.stores.departures
        self.zone = Zone.from_document({**ZONE, **changes})
        self.zones.save(self.zone, None)
        lanes = {name: Watermarks() for name in self.zone.lanes}
        width_sec, shards = self.zone.bucket_width_sec, self.zone.shards
        self.gates.create(GateItem("z", self.zone.run, width_sec, lanes=lanes, shards=shards, order=self.zone.order))
        if self.zone.order == "lottery":
            Draws(self.zones).commit("z", self.zone.run, self.ids)
        self.wake = Wake(self.locks, self.functions, "exchanger", self.clock)
        self._build()

    def _build(self) -> None:
        clock, ids = self.clock, self.ids
        self.verbs = visitor_verbs(self.stores, self.wake, clock, ids, no_pause)
        self.copies = self.verbs.copies
        self._bar = Bar(EndPlace(self.gates, self.stores.exits, self.queue, clock, ids), self.queue)
        self.calls = CallRecords(Clients(self.store, self.store), "counters")
        self.ticker = self.exchanger()

    def exchanger(
        self, kind: type[TickZone] = TickZone, *, beacon: Beacon | None = None, metrics: Metrics | None = None
    ) -> TickZone:
        """One exchanger's tick, with copies of its own."""
        announce = Announce(self.objects, self.calls)
        rows = MinuteRows(self.zones, self.minutes, self.departures, self.stores.limit_counts, metrics)
        reads = (self.zones, self.gates, self.joins, self.sales)
        exits = ListExits(self.stores.exits, self.objects, self.clock)
        return kind(*reads, self.clock, announce, rows, exits, beacon=beacon)

    def change(self, **changes: Any) -> None:
        """An operator's change, as the operator makes it: store, then fence."""
        wanted = self.zone.with_changes(**changes, version=self.zone.version + 1)
        assert self.zones.save(wanted, self.zone.version)
        self.gates.fence("z", wanted.run)
        self.zone = wanted

    def tick(self, seconds: int = 1) -> GateItem:
        """Let seconds pass, with a tick each."""
        for _ in range(seconds):
            self.clock.advance(1)
            assert self.ticker("z").won
        return self.gate()

    def gate(self) -> GateItem:
        gate = self.gates.read("z", self.zone.run)
        assert gate is not None
        return gate

    def status(self) -> Any:
        """The status document as it is published."""
        return json.loads(self.objects.objects[status_key("z")].body)

    def item(self, visitor: str) -> Any:
        return self.queue.get("z", self.zone.run, visitor)

    def join(self, visitor: str) -> Any:
        return self.verbs.join(self.zone, visitor)

    def claim(self, visitor: str, gen: int = 0) -> Session | Waiting:
        return self.verbs.claim(self.zone, visitor, gen)

    def enter(self, visitor: str) -> Session:
        """Join and claim, for one who surely gets in."""
        self.join(visitor)
        session = self.claim(visitor)
        assert isinstance(session, Session)
        return session

    def renew(self, session: Session) -> Session:
        return self.verbs.renew(self.zone, session.visitor_id, session.sid)

    def leave(self, visitor: str, sid: str | None = None) -> None:
        self.verbs.leave(self.zone, visitor, sid)

    def confirm(self, session: Session, reference: str, *, checkout: bool = True) -> Any:
        until_sec = session.expires_at_ms // 1000
        return self.verbs.confirm(self.zone, session.visitor_id, session.sid, until_sec, reference, checkout=checkout)

    def locate(self, visitor: str) -> Any:
        return self.verbs.locate(self.zone, visitor)

    def bar(self, visitor: str) -> None:
        self._bar(self.zone, visitor)

    def mark_away(self, visitor: str) -> None:
        self.verbs.away(self.zone, visitor)

    def mark_back(self, visitor: str) -> None:
        self.verbs.away.back(self.zone, visitor)
