"""Exchanger and dispatcher: who ticks what, who takes over, who is started when."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.fakes import FakeIds
from tests.support.sale import Sale
from waiting_room.domain.errors import Overloaded
from waiting_room.use_cases.dispatch import ZONES_PER_EXCHANGER, Dispatch
from waiting_room.use_cases.exchange import IDLE_TICKS, Exchange
from waiting_room.use_cases.tick import Ticked

SNAPSHOT = ".waiting-room/gate-0.json"


@pytest.fixture
def sale() -> Sale:
    return Sale()


def exchange(sale: Sale, name: str = "first", **changes: Any) -> Exchange:
    parts = {"tick": sale.ticker, "locks": sale.locks, "clock": sale.clock, "ids": FakeIds(name)} | changes
    return Exchange(sleep=sale.clock.advance, **parts)


def dispatch(sale: Sale) -> Dispatch:
    return Dispatch(
        sale.zones,
        sale.gates,
        sale.sales,
        sale.ticker,
        sale.objects,
        sale.functions,
        sale.clock,
        exchanger="exchanger",
        publisher="publisher",
        snapshot_key=SNAPSHOT,
    )


def put_snapshot(sale: Sale, published_at_ms: object) -> None:
    body = json.dumps({"published_at_ms": published_at_ms}).encode()
    sale.objects.put(SNAPSHOT, body, "application/json", "max-age=5")


def test_a_run_ticks_every_second_until_its_time_is_up(sale: Sale) -> None:
    for number in range(5):
        sale.join(f"v{number}")
    assert exchange(sale)(["z"], run_sec=20) == 20
    assert sale.gate().tick == 20


def test_an_idle_zone_is_left_alone(sale: Sale) -> None:
    assert exchange(sale)(["z"], run_sec=90) <= IDLE_TICKS + 1
    assert exchange(sale, "second")(["z"], run_sec=2) > 0, "the lock was given up"


def test_somebody_who_joins_as_the_exchanger_leaves_is_seen_by_its_last_look(sale: Sale) -> None:
    leaves: list[int] = []
    release = sale.locks.release

    def let_go(zone_id: str, owner: str) -> None:
        if not leaves:
            # Between the last tick and this: the lock is still held, so that nobody is woken.
            for number in range(sale.zone.max_active + 1):
                sale.join(f"v{number}")
            assert sale.functions.started == []
        leaves.append(sale.gate().tick)
        release(zone_id, owner)

    sale.locks.release = let_go  # type: ignore[method-assign]
    assert exchange(sale)(["z"], run_sec=20) > leaves[0] + 10
    assert sale.gate().lane("general").serving >= sale.zone.max_active


def test_somebody_who_joins_right_after_the_exchanger_left_wakes_another(sale: Sale) -> None:
    exchange(sale)(["z"], run_sec=90)
    assert sale.functions.started == []
    sale.join("a")
    assert [name for name, _ in sale.functions.started] == ["exchanger"]
    sale.join("b")
    assert len(sale.functions.started) == 1


def test_a_second_exchanger_waits_and_takes_over_within_seconds(sale: Sale) -> None:
    sale.join("a")
    sale.join("b")
    sale.join("c")
    assert sale.locks.hold("z", "a dead exchanger", sale.clock.now_ms())
    won = exchange(sale, "second")(["z"], run_sec=30)
    assert 20 <= won < 30


def test_one_broken_zone_does_not_stop_the_others(sale: Sale, caplog: pytest.LogCaptureFixture) -> None:
    sale.join("a")

    def tick(zone_id: str) -> Any:
        if zone_id == "broken":
            raise Overloaded
        return sale.ticker(zone_id)

    assert exchange(sale, tick=tick)(["broken", "z"], run_sec=5) == 5
    assert "tick failed" in caplog.text


def test_a_slow_zone_misses_its_own_ticks_and_delays_nobody_elses(sale: Sale) -> None:
    sale.join("a")
    over_ms = sale.clock.ms + 5_000
    stuck, ticks, jobs = threading.Event(), {"slow": 0, "z": 0}, list[Future[None]]()

    def tick(zone_id: str) -> Any:
        ticks[zone_id] += 1
        if zone_id == "slow":
            stuck.wait(60)
        return sale.ticker(zone_id) if zone_id == "z" else Ticked(won=True, idle=False)

    def sleep(seconds: float) -> None:
        # The first job is the slow one; all others are through before the clock moves on.
        for job in jobs[1:]:
            job.result(60)
        sale.clock.advance(seconds)
        if sale.clock.ms >= over_ms:
            stuck.set()
            jobs[0].result(60)

    with ThreadPoolExecutor(2) as threads:
        run = Exchange(
            tick,  # type: ignore[arg-type]
            sale.locks,
            sale.clock,
            FakeIds(),
            sleep,
            lambda job: jobs.append(threads.submit(job)),
        )
        run(["slow", "z"], run_sec=5)
    assert ticks == {"slow": 1, "z": 5}


def test_a_tick_under_way_is_waited_for_before_its_lock_is_given_up(sale: Sale) -> None:
    jobs: list[Any] = []

    def sleep(seconds: float) -> None:
        sale.clock.advance(seconds)
        if sale.clock.ms >= over_ms and jobs:
            assert not sale.locks.hold("z", "somebody else", sale.clock.now_ms())
            jobs.pop()()

    sale.join("a")
    over_ms = sale.clock.ms + 2_000
    run = Exchange(sale.ticker, sale.locks, sale.clock, FakeIds(), sleep, jobs.append)
    sale.locks.hold("z", FakeIds().attempt_id(), sale.clock.now_ms())
    assert run(["z"], run_sec=2) == 1


def test_a_deleted_zone_is_dropped(sale: Sale) -> None:
    sale.zones.delete("z")
    assert exchange(sale)(["z"], run_sec=30) == 0


def test_a_reset_run_is_followed(sale: Sale) -> None:
    sale.tick()
    new_run = sale.zone.with_changes(run=2, version=1)
    assert sale.zones.save(new_run, 0)
    gate = sale.gate()
    sale.gates.create(type(gate)("z", 2, gate.width_sec, lanes={"general": type(gate.lane("general"))()}))
    assert sale.ticker("z").won
    second = sale.gates.read("z", 2)
    assert second is not None
    assert second.tick == 1


def test_the_dispatcher_starts_only_what_is_needed(sale: Sale) -> None:
    put_snapshot(sale, sale.clock.now_ms())
    assert dispatch(sale)().started_for == ["z"], "a zone nobody ever ticked needs its first ticks"
    exchange(sale)(["z"])
    sale.functions.started.clear()
    assert dispatch(sale)().started_for == []
    sale.join("a")
    for name in "bcd":
        sale.join(name)
    sale.functions.started.clear()
    assert dispatch(sale)().started_for == ["z"]
    assert sale.functions.started == [("exchanger", {"zones": ["z"]})]


def test_zones_are_shared_out_in_batches(sale: Sale) -> None:
    put_snapshot(sale, sale.clock.now_ms())
    gate = sale.gate()
    for number in range(ZONES_PER_EXCHANGER + 4):
        zone = sale.zone.with_changes(zone_id=f"zone-{number:02d}")
        sale.zones.save(zone, None)
        sale.gates.create(type(gate)(zone.zone_id, 1, gate.width_sec, lanes=gate.lanes))
    dispatch(sale)()
    assert [len(payload["zones"]) for _, payload in sale.functions.started] == [ZONES_PER_EXCHANGER, 5]


def test_a_bucket_that_does_not_answer_holds_up_no_line(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    def get(_: str) -> None:
        raise Overloaded

    monkeypatch.setattr(sale.objects, "get", get)
    assert dispatch(sale)().started_for == ["z"]
    assert sale.functions.started == [("exchanger", {"zones": ["z"]}), ("publisher", {"refresh": True})]


def test_a_function_that_does_not_start_holds_up_no_other(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def start(name: str, _: object) -> None:
        asked.append(name)
        raise Overloaded

    monkeypatch.setattr(sale.functions, "start", start)
    assert dispatch(sale)().failed == 2
    assert asked == ["exchanger", "publisher"]


def test_a_zone_that_cannot_be_read_is_given_an_exchanger_and_holds_up_no_other(
    sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale.zones.save(sale.zone.with_changes(zone_id="a"), None)
    read = sale.gates.read

    def some(zone_id: str, *run: int, **how: bool) -> object:
        if zone_id == "a":
            raise Overloaded
        return read(zone_id, *run, **how)

    monkeypatch.setattr(sale.gates, "read", some)
    assert dispatch(sale)().started_for == ["a", "z"]


@pytest.mark.parametrize("published", ["none", "old", "torn"])
def test_a_stale_snapshot_is_healed(sale: Sale, published: str) -> None:
    if published == "old":
        put_snapshot(sale, sale.clock.now_ms() - 120_000)
    if published == "torn":
        sale.objects.put(SNAPSHOT, b'{"published_at', "application/json", "max-age=5")
    dispatch(sale)()
    assert ("publisher", {"refresh": True}) in sale.functions.started


def test_lanes_of_several_counters_are_sealed_between_the_ticks_without_missing_one() -> None:
    sale = Sale(expected_joins_per_sec=1_500)
    sale.join("v0")
    names = iter(f"v{number}" for number in range(1, 1_000))
    joined: list[str] = []

    def sleep(seconds: float) -> None:
        joined.append(next(names))
        sale.join(joined[-1])
        sale.clock.advance(seconds)

    exchange = Exchange(sale.ticker, sale.locks, sale.clock, FakeIds("sealing"), sleep)
    assert exchange(["z"], run_sec=5) == 5
    epoch = sale.joins.latest_epoch("z", 1, "general")
    assert epoch is not None
    assert (epoch.number, epoch.tail) == (35, 35), "five a second, and ten more without the lock"


def test_a_slow_seal_gives_way_to_the_next_tick() -> None:
    sale = Sale(expected_joins_per_sec=1_500)
    sale.join("a")
    sealed: list[int] = []

    class Slow:
        def __call__(self, zone_id: str) -> Ticked:
            return sale.ticker(zone_id)

        def seal(self, zone_id: str) -> int:
            sealed.append(sale.clock.ms)
            sale.clock.advance(0.6)
            return 1

    slow: Any = Slow()
    assert Exchange(slow, sale.locks, sale.clock, FakeIds("slow"), sale.clock.advance)(["z"], run_sec=5) == 5
    assert len(sealed) == 5 + 3, "and after it gave the lock up, for two seconds"


def test_whoever_joins_just_as_an_exchanger_rests_is_sealed_and_keeps_it_at_work() -> None:
    sale = Sale(expected_joins_per_sec=1_500)
    late = iter(["late"])

    def sleep(seconds: float) -> None:
        # The lock is free and nobody is woken yet: visitors' copies of the gate item say that somebody is at work.
        sale.clock.advance(seconds)
        if sale.gate().state.resting and next(late, None):
            sale.joins.next("z", 1, "general", 3)

    exchange = Exchange(sale.ticker, sale.locks, sale.clock, FakeIds("resting"), sleep)
    assert exchange(["z"], run_sec=20) > IDLE_TICKS + 2
    epoch = sale.joins.latest_epoch("z", 1, "general")
    assert epoch is not None
    assert epoch.tail == 1
