"""Two hundred zones on Amazon's engine, twenty of them live, through the functions as they are put together on AWS.

Exchangers run for those twenty alone, and a zone whose store hangs keeps nobody else's ticks waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from scripts.deployment.names import Names
from scripts.local.tables import ensure_table
from tests.contract.engines import client, product_tables
from tests.contract.runs import NOW_MS
from tests.memory_dynamo import MemoryDynamo
from tests.support.api_world import ROOT, SCRIPT
from tests.support.deployment import Deployment
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.gates import Gates

ZONES, LIVE, SECONDS = 200, 8, 12
IDS = [f"event-{number:03}" for number in range(ZONES)]
LIVE_IDS = IDS[:: ZONES // LIVE]
BUSY = LIVE_IDS[7]
BATCH = 25
"""Items BatchWriteItem takes at a time."""
LONG_SEC = 120
"""Longer than all seconds of the other zones take on a busy machine; only a test that fails waits for it."""


class Hanging:
    """A client that answers, but for reads of one zone's gate item while `held`: those wait until it is let go."""

    def __init__(self, real: Any, zone_id: str) -> None:
        self.real = real
        self._prefix = f"gate#{zone_id}#"
        self.held = False
        self.free = threading.Event()
        self.waited_for = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def get_item(self, **request: Any) -> Any:
        hangs = self.held and request["Key"].get("counter", {}).get("S", "").startswith(self._prefix)
        if hangs and not self.free.wait(LONG_SEC):
            # Nobody else has come on in all that time: they wait for this one.
            self.waited_for = True
            self.free.set()
        return self.real.get_item(**request)


class ManyZones(Deployment):
    """A deployment whose exchanger has real threads; a second passes when all but the hanging zone are through."""

    def __init__(self, names: Names) -> None:
        self.memory = MemoryDynamo([{**each, "name": names.table(each["name"])} for each in product_tables()])
        self.store = Hanging(self.memory, BUSY)
        self.threads = ThreadPoolExecutor(LIVE)
        self.jobs: list[tuple[bool, Future[None]]] = []
        super().__init__(self.store, names)
        # The engine deletes what has expired.
        self.clock.ms = NOW_MS

    def move_to(self, engine: Any) -> None:
        """Go on with everything there is on another engine."""
        for declared in product_tables():
            name = self.names.table(declared["name"])
            ensure_table(engine, name, declared)
            puts = [{"PutRequest": {"Item": record.item}} for record in self.memory.tables[name].records.values()]
            for start in range(0, len(puts), BATCH):
                answer = engine.batch_write_item(RequestItems={name: puts[start : start + BATCH]})
                assert not answer["UnprocessedItems"]
        self.store.real = engine

    def _pool(self, *_: Any, **__: Any) -> Any:
        return self

    def submit(self, job: Callable[[], None]) -> None:
        hangs = self.store.held and getattr(getattr(job, "__self__", None), "zone_id", "") == BUSY
        self.jobs.append((hangs, self.threads.submit(job)))

    def map(self, job: Callable[[Any], Any], *values: Any) -> Any:
        return self.threads.map(job, *values)

    def _sleep(self, seconds: float) -> None:
        for hangs, job in self.jobs:
            if not hangs or self.store.free.is_set():
                job.result(2 * LONG_SEC)
        self.jobs = [(hangs, job) for hangs, job in self.jobs if not job.done()]
        super()._sleep(seconds)

    def ticks(self) -> dict[str, int]:
        """How often each zone was ticked so far."""
        gates = Gates(Clients(self.store, self.store), self.names.table("counters"))
        found = {zone_id: gates.read(zone_id, 1) for zone_id in IDS}
        return {zone_id: gate.tick if gate else 0 for zone_id, gate in found.items()}

    def started(self) -> list[list[str]]:
        exchanger = self.names.function("exchanger")
        return [given["zones"] for name, given in self.functions.started if name == exchanger]


@pytest.fixture
def world(dynamodb_local_endpoint: str) -> Iterator[ManyZones]:
    """All zones made and at rest, then three visitors in each of the live ones and a crowd in one of them.

    The zones are made on our own model and moved: for each of them the engine would read all before it.
    """
    names, engine = Names("many-zones"), client(dynamodb_local_endpoint, attempts=4)
    world = ManyZones(names)
    try:
        for number, zone_id in enumerate(IDS):
            rules, path = [{"paths": [f"/events/{number}"]}], f"/events/{number}"
            assert world.put_zone(zone_id=zone_id, rules=rules, landing_path=path, max_active=2).status == 201
        world.functions.started.clear()
        world.run("dispatcher")
        assert [len(zones) for zones in world.started()] == [LIVE] * (ZONES // LIVE), "every zone has a first tick"
        world.run_started()
        world.move_to(engine)
        world.clock.advance(60)
        for zone_id in LIVE_IDS:
            for _ in range(60 if zone_id == BUSY else 3):
                assert world.visit("POST", f"{ROOT}/zones/{zone_id}/visitors", headers=SCRIPT).status == 201
        world.functions.started.clear()
        yield world
    finally:
        world.store.free.set()
        world.threads.shutdown()
        for table in {names.table(each["name"]) for each in product_tables()} & set(engine.list_tables()["TableNames"]):
            engine.delete_table(TableName=table)


def test_eight_live_zones_of_two_hundred_are_ticked_and_a_hanging_one_slows_nobody(world: ManyZones) -> None:
    world.run("dispatcher")
    assert world.started() == [LIVE_IDS], "one exchanger, for the zones that need one"
    before, seconds = world.ticks(), 0

    def passing() -> None:
        nonlocal seconds
        seconds += 1
        # From the second tick on its store does not answer, while everybody else's does.
        world.store.held = seconds < SECONDS
        if seconds == SECONDS:
            for zone_id in LIVE_IDS:
                if zone_id != BUSY:
                    assert world.operate("POST", f"/zones/{zone_id}/control", {"control": "end"}).status == 200
            during.update(world.ticks())
            world.store.free.set()
        if seconds == SECONDS + 1:
            assert world.operate("POST", f"/zones/{BUSY}/control", {"control": "end"}).status == 200

    during: dict[str, int] = {}
    world.each_second = passing
    world.run_started()
    assert [line for line in world.log.lines if "stack" in line] == []
    assert not world.store.waited_for
    others = {during[zone_id] - before[zone_id] for zone_id in LIVE_IDS if zone_id != BUSY}
    # An operator's change counts as a tick of its own.
    assert others == {SECONDS + 1}
    assert during[BUSY] - before[BUSY] == 1
    after = world.ticks()
    assert after[BUSY] > during[BUSY], "it goes on where it stopped"
    assert all(after[zone_id] == before[zone_id] for zone_id in IDS if zone_id not in LIVE_IDS)
    world.each_second = lambda: None
    world.clock.advance(60)
    world.functions.started.clear()
    world.run("dispatcher")
    assert world.started() == [], "when all is over none is started any more"
