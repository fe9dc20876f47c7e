"""Whose room is free after an exit, and when: the sale's own tick, its bucket and its clock."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from tests.support.fakes import Written
from tests.support.sale import EXITS_SEC, Sale
from waiting_room.domain.admission.exits import Exit, Generation, let_go
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.gate.exit_list import ExitList, exit_id, list_exits, object_key, read_exit_list
from waiting_room.domain.leases import MARGIN_SEC
from waiting_room.domain.line.places import Session
from waiting_room.use_cases.list_exits import EXIT_LISTED_MS, LIST_MS

KEY = object_key("z")


def sale_of(*names: str, **changes: Any) -> tuple[Sale, list[Session]]:
    """Everybody inside a room for as many."""
    sale = Sale(max_active=len(names), **changes)
    sale.tick()
    return sale, [sale.enter(name) for name in names]


def stored(sale: Sale) -> ExitList:
    return read_exit_list(sale.objects.objects[KEY].body)


def puts(sale: Sale) -> int:
    return sale.objects.puts.count(KEY)


@pytest.mark.parametrize("ending", ["leave", "bar", "buy"])
def test_a_slot_is_free_ten_seconds_after_every_gate_could_read_of_it(ending: str) -> None:
    sale, (session, _) = sale_of("a", "b")
    ends: dict[str, Any] = {"buy": lambda: sale.confirm(session, "order-1")}
    ends.get(ending, lambda: getattr(sale, ending)("a"))()
    listed_at_ms = None
    for _ in range(EXITS_SEC):
        sale.tick()
        if listed_at_ms is None and KEY in sale.objects.objects:
            assert stored(sale).has(session.sid)
            listed_at_ms = sale.clock.now_ms()
        if sale.gate().active == 1:
            break
    assert listed_at_ms is not None
    assert sale.clock.now_ms() - listed_at_ms == EXIT_LISTED_MS
    sale.tick(60)
    assert (puts(sale), len(stored(sale))) == (1, 1)


def test_where_nobody_leaves_nothing_is_put_and_nothing_read() -> None:
    sale, (session, _) = sale_of("a", "b")
    sale.tick(30)
    sale.renew(session)
    sale.tick(30)
    assert KEY not in [*sale.objects.puts, *sale.objects.gets]


def test_without_a_list_the_slot_waits_for_the_end_of_the_token() -> None:
    sale, (session,) = sale_of("a")
    sale.objects.down = lambda key: key == KEY
    sale.leave("a")
    while sale.clock.now_ms() < session.expires_at_ms + MARGIN_SEC * 1000 - 1_000:
        assert sale.tick().active == 1
    assert sale.tick(3).active == 0


def test_who_finds_no_room_on_a_full_list_waits_and_everything_else_goes_on() -> None:
    with (
        mock.patch("waiting_room.use_cases.list_exits.MOST_EXITS", 2),
        mock.patch("waiting_room.domain.gate.exit_list.MOST_EXITS", 2),
    ):
        sale, sessions = sale_of("a", "b", "c")
        for name in "abc":
            sale.leave(name)
            sale.tick(int(LIST_MS / 1000))
        assert sale.tick(EXITS_SEC).active == 1
        assert [stored(sale).has(session.sid) for session in sessions] == [True, True, False]
        while sale.clock.now_ms() < sessions[2].expires_at_ms + MARGIN_SEC * 1000:
            sale.tick()
        assert sale.tick(2).active == 0


def test_whoever_takes_over_waits_anew() -> None:
    """Clocks of two exchangers differ: how long the list has been there is known only to who saw it."""
    sale, _ = sale_of("a")
    sale.leave("a")
    sale.tick(EXIT_LISTED_MS // 1000)
    sale.ticker = sale.exchanger()
    for _ in range(EXIT_LISTED_MS // 1000):
        assert sale.tick().active == 1
    assert sale.tick().active == 0
    assert puts(sale) == 1


@pytest.mark.parametrize("at_work_before", [False, True])
def test_a_list_tells_whoever_takes_over_how_long_earlier_exits_have_been_on_it(*, at_work_before: bool) -> None:
    sale, _ = sale_of("a", "b", "first")
    another = sale.exchanger()
    sale.leave("first")
    sale.tick(EXITS_SEC)
    if at_work_before:
        sale.clock.advance(1)
        assert another("z").won
    sale.leave("a")
    sale.tick(4)
    sale.leave("b")
    sale.tick(2)
    assert stored(sale).listed[-1] == (2, 4_000)
    if not at_work_before:
        # A clock of its own.
        sale.clock.advance(-3_600)
    sale.ticker = another
    began_at_ms = sale.clock.now_ms()
    left = {}
    for _ in range(EXIT_LISTED_MS // 1000 + 1):
        active = sale.tick().active
        left[active] = (sale.clock.now_ms() - began_at_ms) // 1000
    assert left == {2: 6, 1: 10, 0: 11}, "one for six seconds from when it was read, the other for ten"


def test_tokens_that_have_ended_are_not_listed_any_longer() -> None:
    sale, (_, session) = sale_of("a", "b")
    sale.leave("a")
    sale.tick(50)
    sale.renew(session)
    sale.tick(40)
    sale.leave("b")
    sale.tick(3)
    assert (stored(sale).generation, len(stored(sale))) == (2, 1)


@pytest.mark.parametrize("body", [b"torn", ExitList("z", 0, 99, 1, list_exits([exit_id("of an older run")])).encode()])
def test_a_list_that_is_torn_or_of_an_older_run_is_replaced(body: bytes) -> None:
    sale, (session,) = sale_of("a")
    sale.objects.objects[KEY] = Written(body, "application/json", "")
    sale.leave("a")
    assert sale.tick(EXITS_SEC).active == 0
    assert (stored(sale).run, stored(sale).has(session.sid), len(stored(sale))) == (1, True, 1)


def test_an_exchanger_of_an_older_run_leaves_the_list_alone() -> None:
    sale, _ = sale_of("a")
    newer = ExitList("z", 2, 1, 1, list_exits([exit_id("of the next run")]))
    sale.objects.objects[KEY] = Written(newer.encode(), "application/json", "")
    sale.leave("a")
    assert sale.tick(EXITS_SEC).active == 1
    assert stored(sale) == newer


def test_a_lock_keeps_no_slot_of_one_who_left() -> None:
    """No bucket closes meanwhile, but a token that has run out opens nothing."""
    sale, _ = sale_of("a", "b")
    sale.change(control="lock")
    sale.objects.down = lambda key: key == KEY
    sale.leave("a")
    assert sale.tick(120).active == 1


GATE = GateItem("z", 1, 10, closed_to=9, buckets={10: 2, 11: 1}, released_to=1)
ONE, TWO, THREE = Exit(b"1" * 6, 10), Exit(b"2" * 6, 10), Exit(b"3" * 6, 11)


def test_generations_are_let_go_in_order_each_once() -> None:
    generations = [
        Generation(3, frozenset({THREE}), final=True),
        Generation(1, frozenset({TWO}), final=True),
        Generation(2, frozenset({ONE}), final=True),
        Generation(4, frozenset({TWO})),
    ]
    assert let_go(GATE, generations, listed_to=2, ended=9).released_to == 2
    gone = let_go(GATE, generations, listed_to=9, ended=9)
    assert (gone.released_to, gone.buckets, gone.leaving) == (3, {10: 1, 11: 0}, {10: 1, 11: 1})
    assert let_go(gone, generations, listed_to=9, ended=9).released_to == 3


def test_one_that_is_not_listed_holds_up_all_behind_it_until_its_tokens_end() -> None:
    generations = [Generation(2, frozenset({ONE}), final=True), Generation(3, frozenset({THREE}), final=True)]
    assert let_go(GATE, generations, listed_to=0, ended=9) == GATE
    assert let_go(GATE, generations, listed_to=0, ended=10).leaving == {10: 1}


def test_no_bucket_counts_fewer_than_nothing_and_none_is_opened_again() -> None:
    many = frozenset(Exit(bytes([number] * 6), 11) for number in range(5)) | {Exit(b"closed", 9), Exit(b"gone..", 12)}
    gone = let_go(GATE, [Generation(2, many, final=True)], listed_to=2, ended=9)
    assert (gone.buckets, gone.leaving) == ({10: 2, 11: 0}, {11: 1})
