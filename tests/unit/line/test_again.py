"""When a visitor whose place is over may have another one: sooner the first times, then ever later."""

from __future__ import annotations

import pytest

from tests.support.sale import Sale
from waiting_room.domain.errors import RunOver, TooSoon
from waiting_room.domain.line.again import FIRST_WAIT_SEC, FREE, LONGEST_WAIT_SEC, may_join_at_ms
from waiting_room.domain.line.places import QueueItem, Session


def wait_sec(times: int) -> float:
    item = QueueItem("z", 1, "v", "general", 0, 1, joined_at_ms=1_000, times=times)
    return (may_join_at_ms(item) - 1_000) / 1_000


def test_each_wait_is_twice_the_last_up_to_the_longest() -> None:
    assert [wait_sec(times) for times in range(1, FREE)] == [0]
    assert [wait_sec(FREE + more) for more in range(4)] == [FIRST_WAIT_SEC * factor for factor in (1, 2, 4, 8)]
    assert wait_sec(10**9) == LONGEST_WAIT_SEC


def buys(sale: Sale, name: str) -> None:
    sale.tick(2)
    session = sale.claim(name)
    assert isinstance(session, Session)
    sale.confirm(session, f"order-{session.sid}")


def test_a_purchase_counts_like_any_other_end() -> None:
    sale = Sale(max_active=FREE, purchases_per_visitor=9)
    for _ in range(FREE):
        sale.join("a")
        buys(sale, "a")
    with pytest.raises(TooSoon) as refused:
        sale.join("a")
    sale.tick(refused.value.retry_after_sec)
    assert sale.join("a").rejoined == "completed"


def test_a_place_that_lapsed_counts_too_and_one_that_stands_never() -> None:
    sale = Sale(max_active=1, claim={"window_sec": 10, "grace_sec": 0})
    sale.join("a")
    sale.leave("a")
    sale.join("a")
    for _ in range(3):
        assert sale.join("a").rejoined == "left"
    sale.leave("a")
    with pytest.raises(TooSoon):
        sale.join("a")


def test_after_the_end_nobody_is_told_to_come_again() -> None:
    sale = Sale()
    for _ in range(FREE):
        sale.join("a")
        sale.leave("a")
    sale.change(control="end")
    with pytest.raises(RunOver):
        sale.join("a")
