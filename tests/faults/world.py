"""One simulated sale: visitors with tabs, bouncers, two exchangers and an operator over one flaky store."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scripts.simulation.replicas import Replicas
from tests.faults import lines
from tests.faults.bucket import FlakyBucket
from tests.faults.flaky import Faults, FlakyClient
from tests.faults.rules import RuleBroken, Rules
from tests.faults.scheduler import START_MS, Scheduler
from tests.memory_dynamo import MemoryDynamo
from tests.support.fakes import FakeFunctions, FakeIds, FakeObjectStore
from waiting_room import schemas
from waiting_room.adapters.counters import Joins
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.exits import Exits
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.queue import Queue
from waiting_room.composition import Stores, visitor_verbs
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.lanes import shares
from waiting_room.domain.zone.zones import Zone
from waiting_room.use_cases.announce import Announce
from waiting_room.use_cases.claim import Claim
from waiting_room.use_cases.confirm import Confirm
from waiting_room.use_cases.draw import Draws
from waiting_room.use_cases.join import Join
from waiting_room.use_cases.list_exits import ListExits
from waiting_room.use_cases.minute_rows import MinuteRows
from waiting_room.use_cases.renew import Renew
from waiting_room.use_cases.tick import TickZone
from waiting_room.use_cases.wake import Wake

START_AFTER_MS = 12_000
OPENS_AFTER_MS = 4_000
"""When a sale with a draw begins: some have come before, some come later."""
TABLES = ("protected_zones", "counters", "joins", "queue")


@dataclass
class SkewedClock:
    """A machine's clock: the world's, some seconds off."""

    scheduler: Scheduler
    skew_ms: int

    def now_ms(self) -> int:
        return self.scheduler.now_ms + self.skew_ms


@dataclass(frozen=True)
class Parts:
    """The classes a run is built of; a mutation replaces one."""

    gates: type[Gates] = Gates
    queue: type[Queue] = Queue
    renew: type[Renew] = Renew
    claim: type[Claim] = Claim
    join: type[Join] = Join
    confirm: type[Confirm] = Confirm
    joins: type[Joins] = Joins
    tick: type[TickZone] = TickZone
    exits: type[Exits] = Exits
    lists: type[ListExits] = ListExits
    patches: tuple[tuple[Any, str, Any], ...] = ()

    def stores(self, clients: Clients) -> Stores:
        """The tables as a process sees them, with what a mutation replaces."""
        stores = Stores(clients, *TABLES)
        stores.gates = self.gates(clients, "counters")
        stores.exits = self.exits(clients, "counters", stores.gates)
        stores.queue = self.queue(clients, "queue", "counters")
        stores.joins = self.joins(clients, "joins")
        return stores


@dataclass(frozen=True)
class Scenario:
    """What kind of sale it is."""

    visitors: int = 14
    cap: int = 3
    inventory: int | None = None
    idle_sec: int = 30
    max_sec: int = 200
    seconds: int = 240
    shards: int = 1
    lanes: bool = False
    lottery: bool = False
    faults: Faults = field(default_factory=Faults)


class World:
    """Everything of one run. `rules` holds what was given to whom; it is checked after every store call."""

    def __init__(self, seed: int, scenario: Scenario, parts: Parts | None = None) -> None:
        self.scenario = scenario
        self.parts = parts or Parts()
        self.rng = random.Random(seed)
        self.seed = seed
        self.scheduler = Scheduler(self.rng)
        self.faults = scenario.faults
        self.store = MemoryDynamo([schemas.table(name) for name in TABLES])
        self._seen: dict[Any, Any] = {}
        self.functions = FakeFunctions()
        self.calm = Clients(self.store, self.store)
        self.replicas = Replicas(lambda: self.scheduler.now_ms, self.rng)
        self.zone = self._zone()
        self.bucket = FlakyBucket(self.scheduler, lambda: self.faults, self.after_call)
        self.rules = Rules(scenario.cap, scenario.inventory, self.zone.bucket_width_sec, self.bucket.is_refused)
        ProtectedZones(self.calm, "protected_zones").save(self.zone, None)
        marks = {name: Watermarks() for name in self.zone.lanes}
        self.rules.opens_at_ms = self.zone.line_opens_at_ms or 0
        self.rules.lines = lines.Lines(
            tuple(self.zone.lanes), scenario.shards, scenario.lottery, shares(self.zone.lanes)
        )
        width_sec, shards, order = self.zone.bucket_width_sec, scenario.shards, self.zone.order
        Gates(self.calm, "counters").create(GateItem("z", 1, width_sec, lanes=marks, shards=shards, order=order))
        if scenario.lottery:
            Draws(ProtectedZones(self.calm, "protected_zones")).commit("z", 1, FakeIds(f"draw/{seed}"))
        self._ticked = 0

    def _zone(self) -> Zone:
        scenario = self.scenario
        document = {
            "zone_id": "z",
            "mode": "queueing",
            "rules": [{"paths": ["/sale"]}],
            "max_active": scenario.cap,
            "session": {"idle_sec": scenario.idle_sec, "max_sec": scenario.max_sec},
            "claim": {"window_sec": 15, "grace_sec": 20},
        }
        if scenario.lanes:
            document["lanes"] = {"general": {"weight": 3}, "vip": {"weight": 1, "reserved_share": 0.5}}
        if scenario.lottery:
            document |= {"mode": "combined", "order": "lottery", "starts_at_ms": START_MS + START_AFTER_MS}
            document["opens_at_ms"] = START_MS + OPENS_AFTER_MS
        if scenario.inventory is not None:
            document["inventory"] = scenario.inventory
        return Zone.from_document(document)

    def clients(self) -> Clients:
        """A process's own pair of clients."""

        def wrap(retries: int) -> FlakyClient:
            return FlakyClient(self.store, self.scheduler, lambda: self.faults, retries, self.after_call, self.replicas)

        return Clients(repeating=wrap(2), once=wrap(0))

    def skew_ms(self) -> int:
        """Any two clocks differ by less than the margin of 10 s, the gate's own 5 s included."""
        return self.rng.randrange(-4_900, 4_900)

    def after_call(self) -> None:
        """Look at what changed in the store, from the outside, and check the rules."""
        counters = self.store.tables["counters"].records
        self.rules.lines.look(self.store.tables["joins"].records)
        if self.scenario.lottery:
            self.rules.lines.look_at_draw(self.store.tables["protected_zones"].records["z", "draw#1"].item)
        if (tick := int(counters["gate#z#1", 0].item["tick"]["N"])) != self._ticked:
            self._ticked = tick
            self.rules.lines.moved(self.gate())
        for key, record in self.store.tables["queue"].records.items():
            if self._seen.get(key) is not record.item:
                self._seen[key] = record.item
                self.rules.stored(record.item, self.scheduler.now_ms)
        if self.scenario.inventory is not None:
            slots = self.store.tables["counters"].records.items()
            self.rules.sold = sum(int(row.item["n"]["N"]) for (name, _), row in slots if str(name).startswith("sold#"))
        self._follow_operator()
        if self.scenario.faults.definite:
            self.rules.check_counted(self.gate().buckets, self.scheduler.now_ms)
        self.rules.check(self.scheduler.now_ms)

    def _follow_operator(self) -> None:
        """A raised cap counts from the moment it is stored, even by a write its operator thought lost.

        Once a pause is fenced, no decision of before may land: there is not one grant until the zone changes again.
        """
        stored = self.store.tables["protected_zones"].records["z", "config"].item
        self.rules.cap = max(self.rules.cap, int(stored["max_active"]["N"]))
        if self.zone.control == "pause" and int(stored["version"]["N"]) == self.zone.version:
            gate = self.gate()
            if gate.limit > gate.claimed:
                raise RuleBroken(f"rule 1: a paused zone grants {gate.limit - gate.claimed}")
        if self.rules.bound != self.rules.cap:
            self.rules.lower(sum(self.gate().buckets.values()))

    def gate(self) -> GateItem:
        """The gate item as it is."""
        gate = Gates(self.calm, "counters").read("z", self.zone.run)
        assert gate is not None
        return gate


class Bouncer:
    """One Lambda instance of the bouncer: its own clock, caches and connections."""

    def __init__(self, world: World) -> None:
        parts, clients, clock = world.parts, world.clients(), SkewedClock(world.scheduler, world.skew_ms())
        ids = FakeIds(f"{world.seed}/{world.rng.random()}")
        stores = parts.stores(clients)
        wake = Wake(stores.locks, world.functions, "exchanger", clock)
        verbs = visitor_verbs(
            stores,
            wake,
            clock,
            ids,
            lambda seconds: world.scheduler.sleep(seconds * 1000),
            join=parts.join,
            claim=parts.claim,
            renew=parts.renew,
            confirm=parts.confirm,
        )
        self.join, self.claim, self.renew = verbs.join, verbs.claim, verbs.renew
        self.leave, self.confirm = verbs.leave, verbs.confirm
        self.zones, self.clock = stores.zones, clock


def exchanger(world: World) -> TickZone:
    """One exchanger's tick: its own clock and connections."""
    clients, clock = world.clients(), SkewedClock(world.scheduler, world.skew_ms())
    stores = world.parts.stores(clients)
    return world.parts.tick(
        stores.zones,
        stores.gates,
        stores.joins,
        stores.sales,
        clock,
        Announce(FakeObjectStore(), stores.calls),
        MinuteRows(stores.zones, stores.minutes, stores.departures, stores.limit_counts),
        world.parts.lists(stores.exits, world.bucket, clock, world.scheduler.spawn),
    )


def patched(parts: Parts) -> Callable[[], None]:
    """Apply a mutation's patches; returns what undoes them."""
    undo = [(target, name, getattr(target, name)) for target, name, _ in parts.patches]
    for target, name, value in parts.patches:
        setattr(target, name, value)

    def restore() -> None:
        for target, name, value in undo:
            setattr(target, name, value)

    return restore
