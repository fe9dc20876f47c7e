"""What operations cost at DynamoDB, counted from the calls that are made; the figures of PROTOCOL.md are the limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sale import Sale
from waiting_room.adapters.dynamodb import encode
from waiting_room.domain.line.places import Session


def sale_with(waiting: int = 0, **changes: Any) -> Sale:
    """A sale, with a line of so many in front."""
    sale = Sale(max_active=5, **changes)
    # Somebody else has come before, and woken the exchanger: that write is nobody's own.
    sale.join("the first")
    if waiting:
        key = {"counter": "join#z#1#general#0", "slot": 0}
        sale.store.put_item(TableName="joins", Item=encode({**key, "seq": waiting}))
    return sale


def written(sale: Sale, act: Any) -> float:
    before = sale.store.units.write
    act()
    return sale.store.units.write - before


def test_a_visit_costs_no_more_than_the_protocol_says() -> None:
    sale = sale_with()
    sale.tick()
    join = written(sale, lambda: sale.join("a"))
    claim = written(sale, lambda: sale.claim("a"))
    session = sale.claim("a")
    assert isinstance(session, Session)
    complete = written(sale, lambda: sale.confirm(session, "order-1"))
    assert join <= 2
    assert join + claim + complete <= 6


@pytest.mark.parametrize(("idle_sec", "most"), [(60, 11), (300, 9)])
def test_a_visit_with_inventory_costs_no_more_than_the_protocol_says(idle_sec: int, most: int) -> None:
    """Where the lease is about to end, it is pinned while the sale is recorded."""
    sale = sale_with(inventory=10, session={"idle_sec": idle_sec, "max_sec": 600})
    sale.tick()
    units = written(sale, lambda: sale.confirm(sale.enter("a"), "order-1"))
    assert units <= most


def test_a_renewal_costs_what_the_protocol_says() -> None:
    sale = sale_with(session={"kind": "script", "heartbeat_sec": 15})
    sale.tick()
    session = sale.enter("a")
    sale.clock.advance(55)
    assert written(sale, lambda: sale.renew(session)) == 3


def test_a_lease_that_is_long_enough_is_renewed_for_nothing() -> None:
    sale = sale_with(session={"kind": "script", "heartbeat_sec": 15})
    sale.tick()
    session = sale.enter("a")
    assert written(sale, lambda: sale.renew(session)) == 0


@pytest.mark.parametrize("answer", ["join", "locate", "claim"])
def test_asking_again_costs_nothing(answer: str) -> None:
    sale = sale_with(waiting=50)
    sale.tick()
    sale.join("a")
    sale.claim("a")
    assert written(sale, lambda: getattr(sale, answer)("a")) == 0


def test_whoever_leaves_without_a_word_costs_no_write() -> None:
    sale = sale_with()
    sale.tick()
    sale.enter("a")
    ticked = written(sale, lambda: sale.tick(1))
    for _ in range(200):
        assert written(sale, lambda: sale.tick(1)) <= ticked + 2
    assert sale.gate().active == 0


def calls_of_a_tick(waiting: int) -> tuple[list[str], float, float]:
    """The calls of one tick and the units they cost, with so many waiting."""
    sale = sale_with(waiting)
    sale.tick(3)
    calls: list[str] = []
    sale.store.on_call = lambda method, request, phase: calls.append(method) if phase == "before" else None
    read, wrote = sale.store.units.read, sale.store.units.write
    sale.tick()
    return calls, sale.store.units.read - read, sale.store.units.write - wrote


def test_a_tick_costs_the_same_whoever_waits() -> None:
    assert calls_of_a_tick(10_000) == calls_of_a_tick(1_000_000)


def test_the_gate_item_of_a_busy_zone_stays_within_one_write_unit() -> None:
    """Heartbeats make more buckets than page views do, and sales pin some far ahead."""
    sale = Sale(max_active=30, inventory=1_000, session={"kind": "script", "heartbeat_sec": 15})
    sizes = []
    sessions: list[Session] = []
    for second in range(300):
        sale.tick()
        sale.join(f"v{second}")
        answer = sale.claim(f"v{second}")
        if isinstance(answer, Session):
            sessions.append(answer)
        if len(sessions) > 20:
            sale.confirm(sale.renew(sessions[-1]), f"order-{second}")
            sessions = sessions[1:-1]
        sizes.append(sale.store.tables["counters"].records["gate#z#1", 0].size)
    assert max(sizes) < 1024
