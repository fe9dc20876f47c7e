"""Copies of the gate item: about a second old, at half the price, and never older than what was seen before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.sale import Sale
from waiting_room.domain.errors import NotReady


@pytest.fixture
def sale() -> Sale:
    return Sale(max_active=5)


def gate_reads(sale: Sale) -> list[bool]:
    """Whether each read of a gate item from now on was consistent."""
    seen: list[bool] = []

    def watch(method: str, request: dict[str, Any], phase: str) -> None:
        if phase == "before" and method == "get_item" and "gate#" in str(request):
            seen.append(request["ConsistentRead"])

    sale.store.on_call = watch
    return seen


def behind(sale: Sale, answer: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads that need not be consistent meet a replica that answers this."""
    current = sale.store.get_item

    def get_item(**request: Any) -> dict[str, Any]:
        return current(**request) if request["ConsistentRead"] else answer()

    monkeypatch.setattr(sale.store, "get_item", get_item)


def test_a_copy_is_read_once_a_second_and_for_half_the_price(sale: Sale) -> None:
    seen = gate_reads(sale)
    for _ in range(30):
        sale.copies.recent(sale.zone)
        sale.clock.advance(0.1)
    assert seen == [False] * 3
    sale.copies.current(sale.zone)
    assert seen == [False] * 3 + [True]


def test_a_replica_that_is_behind_does_not_turn_the_line_back(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    key = {"counter": {"S": "gate#z#1"}, "slot": {"N": "0"}}
    old = sale.store.get_item(TableName="counters", Key=key, ConsistentRead=True)
    sale.tick()
    newest = sale.copies.current(sale.zone)
    behind(sale, lambda: old, monkeypatch)
    sale.clock.advance(5)
    assert sale.copies.recent(sale.zone) == newest


def test_a_run_that_no_replica_knows_yet_is_looked_for_where_it_was_written(
    sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind(sale, dict, monkeypatch)
    assert sale.copies.recent(sale.zone) == sale.gate()
    sale.store.delete_item(TableName="counters", Key={"counter": {"S": "gate#z#1"}, "slot": {"N": "0"}})
    with pytest.raises(NotReady):
        sale.copies.current(sale.zone)
