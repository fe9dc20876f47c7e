"""Two hundred zones, twenty of them live: exchangers run for those alone, and a busy zone holds nobody up."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.api_world import ROOT, SCRIPT
from tests.support.deployment import Deployment
from tests.support.fakes import FakeIds
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.object_store import S3ObjectStore
from waiting_room.composition import Stores, tick_zone
from waiting_room.use_cases.dispatch import ZONES_PER_EXCHANGER
from waiting_room.use_cases.exchange import Exchange

ZONES, LIVE = 200, 20
IDS = [f"event-{number:03}" for number in range(ZONES)]
LIVE_IDS = IDS[:: ZONES // LIVE]


@pytest.fixture
def world() -> Deployment:
    """All zones made and at rest, then five visitors in each of the live ones."""
    world = Deployment()
    for number, zone_id in enumerate(IDS):
        rules = [{"paths": [f"/events/{number}"]}]
        made = world.put_zone(zone_id=zone_id, rules=rules, landing_path=f"/events/{number}", max_active=2)
        assert made.status == 201
    world.run_started()
    world.clock.advance(60)
    for zone_id in LIVE_IDS:
        join(world, zone_id, 5)
    world.functions.started.clear()
    return world


def join(world: Deployment, zone_id: str, count: int) -> None:
    for _ in range(count):
        assert world.visit("POST", f"{ROOT}/zones/{zone_id}/visitors", headers=SCRIPT).status == 201


def started(world: Deployment) -> list[list[str]]:
    return [given["zones"] for name, given in world.functions.started if name == world.names.function("exchanger")]


def test_exchangers_run_for_the_zones_that_need_one_and_for_no_other(world: Deployment) -> None:
    world.run("dispatcher")
    assert [zone_id for batch in started(world) for zone_id in batch] == LIVE_IDS
    assert max(map(len, started(world))) == ZONES_PER_EXCHANGER
    world.functions.started.clear()
    world.run("exchanger", zones=LIVE_IDS)
    for zone_id in IDS:
        rows = world.operate("GET", f"/zones/{zone_id}/metrics").json["minutes"]
        joined = rows[-1]["joined"] if rows else 0
        assert joined == (5 if zone_id in LIVE_IDS else 0), zone_id


def test_when_all_is_over_none_is_started_any_more(world: Deployment) -> None:
    for zone_id in LIVE_IDS:
        world.operate("POST", f"/zones/{zone_id}/control", {"control": "end"})
    each_minute = []
    for _ in range(4):
        world.run("dispatcher")
        each_minute.append(sum(map(len, started(world))))
        world.run_started()
        world.clock.advance(60)
    assert each_minute == [LIVE, 0, 0, 0], "their last ticks tell everybody, then there is nothing to do"


def test_a_busy_zone_slows_nobody_elses_ticks(world: Deployment) -> None:
    """The busy zone's store hangs from its second tick on; the other nineteen tick every second all the same."""
    busy, seconds = LIVE_IDS[7], 30
    names = (world.names.table(name) for name in ("protected_zones", "counters", "joins", "queue"))
    stores = Stores(Clients(world.dynamo, world.dynamo), *names)
    real = tick_zone(stores, S3ObjectStore(world.bucket, world.names.bucket), world.clock)
    ticks, jobs, held, over = Counter[str](), list[Future[None]](), threading.Event(), world.clock.ms + seconds * 1000
    working: set[Future[None]] = set()

    def tick(zone_id: str) -> Any:
        if zone_id == busy and ticks[busy] == 1:
            held.wait(60)
        ticked = real(zone_id)
        ticks[zone_id] += ticked.won
        return ticked

    def start(job: Any) -> None:
        future = threads.submit(job)
        jobs.append(future)
        if job.__self__.zone_id != busy or ticks[busy] == 0:
            working.add(future)

    def sleep(passing: float) -> None:
        for future in working:
            future.result(60)
        working.clear()
        world.clock.advance(passing)
        if world.clock.ms >= over:
            held.set()
            for future in jobs:
                future.result(60)

    with ThreadPoolExecutor(LIVE) as threads:
        Exchange(tick, stores.locks, world.clock, FakeIds("run"), sleep, start)(LIVE_IDS, run_sec=seconds)  # type: ignore[arg-type]
    others = {ticks[zone_id] for zone_id in LIVE_IDS if zone_id != busy}
    assert others == {seconds}
    assert ticks[busy] <= 2
