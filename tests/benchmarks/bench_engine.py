"""The product's own code for one operation, in one process over the simulator's store: what AWS adds is left out.

Beside the times: what an operation writes, counted in DynamoDB's units from the calls that were made.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from scripts.simulation.store import Store
from tests.support.fakes import FakeClock, FakeFunctions, FakeIds, FakeObjectStore
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients, encode
from waiting_room.composition import Stores, tick_zone, visitor_verbs
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.line.draws import Draw, commitment_to
from waiting_room.domain.line.places import Session
from waiting_room.domain.zone.zones import Zone
from waiting_room.use_cases.wake import Wake

TABLES = ("protected_zones", "counters", "joins", "queue")
VISITORS = 2_000
TICKS = 200
FEW, MANY = 10_000, 1_000_000


class Sale:
    """One zone and the verbs of its visitors, put together as on AWS."""

    def __init__(self, waiting: int = 0, **changes: Any) -> None:
        self.clock, ids = FakeClock(), FakeIds()
        self.store = Store([schemas.table(name) for name in TABLES])
        stores = Stores(Clients(self.store, self.store), *TABLES)
        document = {"zone_id": "z", "mode": "queueing", "rules": [{"paths": ["/sale"]}], "max_active": VISITORS}
        self.zone = Zone.from_document({**document, **changes})
        stores.zones.save(self.zone, None)
        stores.gates.create(GateItem("z", 1, self.zone.bucket_width_sec, lanes={"general": Watermarks()}))
        if waiting:
            key = {"counter": "join#z#1#general#0", "slot": 0}
            self.store.put_item(TableName="joins", Item=encode({**key, "seq": waiting}))
        wake = Wake(stores.locks, FakeFunctions(), "exchanger", self.clock)
        self.verbs = visitor_verbs(stores, wake, self.clock, ids)
        self.ticker = tick_zone(stores, FakeObjectStore(), self.clock)

    def tick(self, times: int = 1) -> None:
        """Ticks a second apart."""
        for _ in range(times):
            self.clock.advance(1)
            assert self.ticker("z").won

    @property
    def written(self) -> float:
        """Write units so far."""
        return sum(self.store.write_units.values())


def run() -> dict[str, float]:
    """Microseconds of processor time and write units per operation, and how a tick grows with the line."""
    sale = Sale(inventory=10 * VISITORS)
    sale.tick()
    names = [f"v{number:021d}" for number in range(VISITORS)]
    sessions: dict[str, Session] = {}

    def claim(name: str) -> None:
        session = sale.verbs.claim(sale.zone, name, 0)
        assert isinstance(session, Session)
        sessions[name] = session

    def renew(name: str) -> None:
        sessions[name] = sale.verbs.renew(sale.zone, name, sessions[name].sid)

    def buy(name: str) -> None:
        session = sessions[name]
        sale.verbs.confirm(sale.zone, name, session.sid, session.expires_at_ms // 1000, name, checkout=True)

    figures: dict[str, float] = {}
    for verb, call in (
        ("join", lambda name: sale.verbs.join(sale.zone, name)),
        ("locate", lambda name: sale.verbs.locate(sale.zone, name)),
        ("claim", claim),
        ("renew", renew),
        ("sell", buy),
    ):
        written = sale.written
        if verb == "renew":
            sale.tick(30)
            written = sale.written
        figures[f"engine.{verb}_us"] = _each(call, names)
        figures[f"engine.{verb}_write_units"] = round((sale.written - written) / len(names), 3)
    few, many = _ticks_us(FEW, MANY)
    figures[f"engine.tick_{FEW}_waiting_us"] = few
    figures[f"engine.tick_{MANY}_waiting_us"] = many
    figures["engine.tick_growth"] = round(many / few, 3)
    figures["engine.draw_place_us"] = _draw_us()
    figures[f"engine.draw_of_{MANY}_sec"] = round(figures["engine.draw_place_us"] * MANY / 1e6, 2)
    return figures


def _draw_us() -> float:
    """Microseconds for one place in a draw among a million."""
    secret = "5e" * 32
    draw = Draw("z", 1, secret, commitment_to(secret), early={"general": MANY})
    sample = range(0, MANY, MANY // VISITORS)
    began = time.process_time_ns()
    places = {draw.place("general", arrival) for arrival in sample}
    assert len(places) == len(sample)
    return round((time.process_time_ns() - began) / len(sample) / 1000, 2)


def _each(call: Callable[[str], Any], names: list[str]) -> float:
    """Microseconds for each; the best of parts, for the machine is never alone."""
    part = len(names) // 4
    times = []
    for start in range(0, len(names), part):
        began = time.process_time_ns()
        for name in names[start : start + part]:
            call(name)
        times.append((time.process_time_ns() - began) / part / 1000)
    return round(min(times), 1)


def _ticks_us(*waiting: int) -> list[float]:
    """Microseconds of a tick by the number waiting; taken in turns, so that all meet the same machine."""
    sales = [Sale(waiting=count, max_active=1) for count in waiting]
    times: list[list[float]] = [[] for _ in sales]
    for _ in range(TICKS):
        for sale, taken in zip(sales, times, strict=True):
            began = time.process_time_ns()
            sale.tick()
            taken.append((time.process_time_ns() - began) / 1000)
    return [round(sorted(taken)[TICKS // 4], 1) for taken in times]
