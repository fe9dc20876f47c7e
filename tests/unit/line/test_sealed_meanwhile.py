"""Whoever wakes an exchanger seals a line of several counters until it ticks: a cold start lasts several epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.memory_dynamo.errors import client_error
from tests.support.sale import Sale
from waiting_room.domain.line.epochs import SEAL_MS
from waiting_room.use_cases.seal import COLD_START_MS, SealMeanwhile


def sealing(sale: Sale, sleep: Callable[[float], None]) -> SealMeanwhile:
    return SealMeanwhile(sale.joins, sale.gates, sale.clock, sleep)


def epochs(sale: Sale) -> int:
    last = sale.joins.latest_epoch("z", 1, "general")
    return last.number if last else 0


def test_it_is_sealed_until_the_exchanger_ticks_and_no_longer() -> None:
    sale, pauses = Sale(expected_joins_per_sec=600), list[float]()
    sale.joins.next("z", 1, "general", 0)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        sale.clock.advance(seconds)
        sale.joins.next("z", 1, "general", len(pauses) % 6)
        if len(pauses) == 4:
            sale.tick()

    sealing(sale, sleep)(sale.zone)
    assert pauses == [SEAL_MS / 1000] * 4
    assert epochs(sale) == 4 + 1, "and the exchanger's own"


def test_one_who_never_ticks_is_not_waited_for() -> None:
    sale, pauses = Sale(expected_joins_per_sec=600), list[float]()
    sealing(sale, pauses.append)(sale.zone)
    assert sum(pauses) * 1000 == pytest.approx(COLD_START_MS)


def test_a_slow_table_is_not_waited_for() -> None:
    sale, pauses = Sale(expected_joins_per_sec=600), list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        sale.clock.advance(COLD_START_MS / 1000)

    sealing(sale, sleep)(sale.zone)
    assert len(pauses) == 1


def test_the_first_into_an_idle_zone_has_a_place_although_sealing_fails() -> None:
    sale = Sale(expected_joins_per_sec=600)

    def on_call(method: str, _: dict[str, Any], phase: str) -> None:
        if method == "batch_get_item" and phase == "before":
            raise client_error("InternalServerError", "", "BatchGetItem")

    sale.store.on_call = on_call
    assert sale.join("first").seq == 1
    assert epochs(sale) == 0


def test_a_join_that_wakes_an_exchanger_is_sealed_at_once() -> None:
    sale = Sale(expected_joins_per_sec=600)
    sale.join("first")
    assert ("exchanger", {"zones": ["z"]}) in sale.functions.started
    assert epochs(sale) == 1
    sale.join("second")
    assert epochs(sale) == 1, "somebody is on the way"


def test_before_a_draw_nobody_needs_it() -> None:
    sale = Sale(expected_joins_per_sec=600, order="lottery", mode="combined", starts_at_ms=1_780_315_200_000 + 600_000)
    sale.join("early")
    assert epochs(sale) == 0
