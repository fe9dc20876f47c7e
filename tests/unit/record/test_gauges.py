"""What is told of a whole zone: once in every minute in which an exchanger ticks it, whoever ticks it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.support.deployment import Deployment
from tests.support.sale import Sale
from waiting_room import schemas
from waiting_room.domain.admission.controller import decide
from waiting_room.domain.admission.door import Door
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import MetricPoint
from waiting_room.use_cases.gauges import MINUTE_MS, BackgroundMetrics


class Told:
    """Keeps every point, however often it is told; `down` refuses all."""

    def __init__(self, *, down: bool = False) -> None:
        self.points: list[MetricPoint] = []
        self.down = down

    def put(self, points: Sequence[MetricPoint]) -> None:
        if self.down:
            raise Overloaded
        self.points += points


def busy_sale(told: Told, visitors: int = 9) -> Sale:
    sale = Sale(max_active=2)
    sale.ticker = sale.exchanger(metrics=told)
    for number in range(visitors):
        sale.join(f"v{number}")
    return sale


def test_a_busy_zone_is_told_once_a_minute_though_nobody_is_admitted_or_leaves() -> None:
    told = Told()
    sale = busy_sale(told)
    sale.clock.advance((MINUTE_MS - sale.clock.ms % MINUTE_MS) / 1000 - 30)
    first = sale.clock.ms // MINUTE_MS
    sale.tick(20 + 3 * 60)
    minutes = Counter(point.minute_at_ms // MINUTE_MS - first for point in told.points)
    assert minutes == {0: 1, 1: 1, 2: 1, 3: 1}
    assert {point.lane for point in told.points} == {None}


def test_two_exchangers_tell_a_minute_once_between_them() -> None:
    told = Told()
    sale = busy_sale(told)
    other = sale.exchanger(metrics=told)
    for second in range(150):
        sale.clock.advance(1)
        (sale.ticker if second % 2 else other)("z")
        (other if second % 2 else sale.ticker)("z")
    minutes = Counter(point.minute_at_ms for point in told.points)
    assert set(minutes.values()) == {1}
    assert len(minutes) in (3, 4)


def test_gauges_are_what_the_minute_row_says_at_that_moment() -> None:
    told = Told()
    sale = busy_sale(told)
    sale.mark_away("v7")
    sale.tick()
    (point,) = told.points
    row = sale.minutes.latest("z", 1, 1)[0]
    assert point.version == row["updated_at_ms"]
    assert point.minute_at_ms == row["minute"] * MINUTE_MS
    assert point.values["in_zone"] == row["active"]
    assert point.values["queue_length"] == row["joined"] - row["called"] > 0
    assert point.values["gone"] == 1
    measures = schemas.load("metrics")["measures"]
    assert point.values.keys() == {name for name, measure in measures.items() if measure["of"] == "zone"}


def shut(sale: Sale, told: Told, monkeypatch: pytest.MonkeyPatch, is_shut: bool) -> list[float]:
    """What one tick tells of the door once it is shut, or open again."""

    def decided(*asked: Any) -> Any:
        tick = decide(*asked)
        return replace(tick, gate=replace(tick.gate, state=replace(tick.gate.state, door=Door(shut=is_shut))))

    monkeypatch.setattr("waiting_room.use_cases.tick.decide", decided)
    known = len(told.points)
    sale.tick()
    return [point.values["door_shut"] for point in told.points[known:]]


def test_a_door_that_shuts_or_opens_is_told_at_once_and_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    sale = busy_sale(told)
    sale.clock.advance((MINUTE_MS - sale.clock.ms % MINUTE_MS) / 1000 + 5)
    sale.tick()
    assert shut(sale, told, monkeypatch, True) == [1]
    assert told.points[-1].version == sale.clock.ms
    assert sale.minutes.latest("z", 1, 1)[0]["door_shut"] == 1
    assert sale.status()["door"] == "shut"
    assert shut(sale, told, monkeypatch, True) == []
    sale.tick(60)
    assert [point.values["door_shut"] for point in told.points[-1:]] == [1]
    assert shut(sale, told, monkeypatch, False) == [0]


def test_a_backend_is_told_beside_the_tick_and_may_be_down(caplog: pytest.LogCaptureFixture) -> None:
    later: list[Callable[[], None]] = []
    down = Told(down=True)
    sale = busy_sale(down)
    sale.ticker = sale.exchanger(metrics=BackgroundMetrics(down, later.append))
    sale.tick(2)
    assert len(later) == 1
    later.pop()()
    assert "gauges could not be told" in caplog.text
    assert sale.minutes.latest("z", 1, 1)


def test_a_zone_whose_backend_hangs_is_ticked_all_the_same() -> None:
    free, told = threading.Event(), Told()

    class Hanging:
        def put(self, points: Sequence[MetricPoint]) -> None:
            assert free.wait(30)
            told.put(points)

    threads: list[threading.Thread] = []

    def start(job: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=job))
        threads[-1].start()

    sale = busy_sale(told)
    sale.ticker = sale.exchanger(metrics=BackgroundMetrics(Hanging(), start))
    sale.tick(70)
    assert told.points == []
    free.set()
    for thread in threads:
        thread.join()
    assert len(told.points) in (2, 3)


def test_the_exchanger_prints_one_line_that_cloudwatch_reads(capsys: pytest.CaptureFixture[str]) -> None:
    world = Deployment()
    world.put_zone(max_active=2)
    world.visit("POST", "/visitors")
    capsys.readouterr()
    world.run_started()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines
    assert {(line["lane"], line["_aws"]["CloudWatchMetrics"][0]["Namespace"]) for line in lines} == {("all", "foyer")}
    dimensions = [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for line in lines]
    assert dimensions[0] == [["lane"]], "what the alarm on a shut door watches"
    zones = [line for line in lines if line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] != [["lane"]]]
    assert len({line["_aws"]["Timestamp"] for line in zones}) == len(zones) == len(lines) / 2
