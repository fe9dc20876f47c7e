"""Orders of events too rare for chance, played on purpose: each holds, and breaks without its safeguard."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.faults.mutations import (
    ClosesNothing,
    KeepsRefused,
    NotesAgain,
    PutsAnyway,
    ReadsSalesFirst,
    RepeatsDecrements,
    SellsUnpinned,
    frees_closing_buckets,
)
from tests.support.fakes import FakeObjectStore
from tests.support.sale import EXITS_SEC, Sale
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.exits import Exits
from waiting_room.adapters.gates import Gates
from waiting_room.domain.admission import controller
from waiting_room.domain.errors import Overloaded, SoldOut
from waiting_room.domain.gate.exit_list import object_key, read_exit_list
from waiting_room.domain.leases import MARGIN_SEC
from waiting_room.domain.line.places import Session
from waiting_room.use_cases.confirm import Confirm
from waiting_room.use_cases.tick import TickZone

SLOW_SEC = 90
"""Well past the end of the lease and the margin, well before the end of the pin."""


def once_at(sale: Sale, operation: str, phase: str, act: Callable[[], None], about: str = "") -> list[str]:
    """Do something in the middle of the first call of a kind; returns a list that is filled when it has happened."""
    happened: list[str] = []

    def watch(called: str, request: dict[str, Any], at: str) -> None:
        if not happened and (called, at) == (operation, phase) and about in str(request):
            happened.append(called)
            act()

    sale.store.on_call = watch
    return happened


def gets_in(sale: Sale, visitor: str) -> bool:
    with contextlib.suppress(SoldOut):
        return isinstance(sale.claim(visitor), Session)
    return False


def last_ticket() -> tuple[Sale, Session]:
    """One ticket, one buyer holding it, one visitor hoping."""
    sale = Sale(inventory=1)
    sale.tick()
    buyer = sale.enter("buyer")
    sale.join("hoping")
    sale.tick()
    return sale, buyer


@pytest.mark.parametrize(("confirm", "promised"), [(Confirm, 1), (SellsUnpinned, 2)])
def test_a_sale_recorded_long_after_the_lease_has_ended(confirm: type[Confirm], promised: int) -> None:
    sale, buyer = last_ticket()
    let_in: list[bool] = []

    def meanwhile() -> None:
        sale.tick(SLOW_SEC)
        let_in.append(gets_in(sale, "hoping"))

    assert not once_at(sale, "transact_write_items", "before", meanwhile)
    parts = (sale.gates, sale.stores.exits, sale.queue, sale.copies, sale.clock, sale.ids)
    confirm(*parts)(sale.zone, "buyer", buyer.sid, buyer.expires_at_ms // 1000, "order-1", checkout=True)
    assert len(let_in) == 1
    assert sale.sales.sold("z", 1) + sum(let_in) == promised


def test_a_lease_as_long_as_a_pin_is_counted_while_its_sale_is_recorded() -> None:
    sale = Sale(inventory=1, session={"idle_sec": 300, "max_sec": 600})
    sale.tick()
    buyer = sale.enter("buyer")
    sale.join("hoping")
    let_in: list[bool] = []

    def meanwhile() -> None:
        sale.tick(SLOW_SEC)
        let_in.append(gets_in(sale, "hoping"))

    once_at(sale, "transact_write_items", "before", meanwhile)
    leases = sale.gate().active
    sale.confirm(buyer, "order-1")
    assert (leases, let_in, sale.sales.sold("z", 1)) == (1, [False], 1)


@pytest.mark.parametrize(("tick", "promised"), [(TickZone, 1), (ReadsSalesFirst, 2)])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_sale_while_a_tick_reads(tick: type[TickZone], promised: int, phase: str) -> None:
    """The lease of the sale ends just then too: another exchanger closes its bucket."""
    sale, buyer = last_ticket()
    ticker = sale.exchanger(tick)
    ticker("z")

    def meanwhile() -> None:
        sale.confirm(buyer, "order-1")
        sale.tick(SLOW_SEC)

    happened = once_at(sale, "query", phase, meanwhile, about="sold#")
    ticker("z")
    assert happened
    sale.clock.advance(2)
    promises = sale.sales.sold("z", 1) + gets_in(sale, "hoping")
    assert promises == (promised if phase == "after" else 1)


@pytest.mark.parametrize(("decide", "live"), [(controller.decide, 1), (frees_closing_buckets, 2)])
def test_a_renewal_at_the_moment_its_bucket_is_closed(decide: Callable[..., Any], live: int) -> None:
    sale = Sale(max_active=1)
    sale.tick()
    session = sale.enter("inside")
    sale.join("outside")
    while sale.clock.now_ms() + 1_000 < session.expires_at_ms + MARGIN_SEC * 1_000:
        sale.tick()
    before = sale.gate().closed_to
    renewed: list[Session] = []
    # The tick's own write is the only update that names the memory.
    once_at(sale, "update_item", "before", lambda: renewed.append(sale.renew(session)), about="#state")
    with mock.patch("waiting_room.use_cases.tick.decide", decide):
        sale.tick()
    assert sale.gate().closed_to > before, "the tick closed the bucket the lease was in"
    assert renewed, "the renewal came between the tick's read and its write"
    sale.clock.advance(2)
    assert 1 + gets_in(sale, "outside") == live


class LosesOneAnswer:
    """A client whose next update is applied without an answer; `repeats` is what the SDK would do about it."""

    def __init__(self, sale: Sale, *, repeats: bool) -> None:
        self._store = sale.store
        self._repeats = repeats
        self._lost = False

    def update_item(self, **request: Any) -> Any:
        answer = self._store.update_item(**request)
        if self._lost:
            return answer
        self._lost = True
        if self._repeats:
            return self._store.update_item(**request)
        raise ReadTimeoutError(endpoint_url="lost answer")


@pytest.mark.parametrize(("gates", "counted"), [(Gates, 1), (RepeatsDecrements, 0)])
def test_a_decrement_whose_answer_is_lost_takes_nobody_elses_lease(gates: type[Gates], counted: int) -> None:
    sale = Sale()
    sale.tick()
    leaving, staying = sale.enter("leaving"), sale.enter("staying")
    assert leaving.bucket == staying.bucket
    clients = Clients(LosesOneAnswer(sale, repeats=True), LosesOneAnswer(sale, repeats=False))
    gates(clients, "counters").release("z", 1, leaving.bucket)
    assert sale.gate().active == counted


THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "throttled"}}, "UpdateItem")


def refused(sale: Sale, verb: str) -> Callable[[], object]:
    """Brings the sale to where `verb` counts a lease next; returns what does it."""
    if verb == "claim":
        sale.join("inside")
        return lambda: sale.claim("inside")
    session = sale.enter("inside")
    if verb == "complete":
        return lambda: sale.confirm(session, "order-1")
    if verb == "renew":
        sale.tick(20)
        return lambda: sale.renew(session)
    while session.bucket > sale.gate().closed_to:
        sale.tick()
    return lambda: sale.claim("inside")


@pytest.mark.parametrize("verb", ["claim", "readmit", "renew", "complete"])
@pytest.mark.parametrize("safe", [True, False])
def test_a_definite_refusal_leaves_no_lease_counted(verb: str, *, safe: bool) -> None:
    sale = Sale(max_active=5, inventory=5)
    sale.tick()
    act = refused(sale, verb)
    if not safe:
        sale.gates.__class__ = KeepsRefused
    before = sale.gate()

    def refuse(called: str, request: dict[str, Any], at: str) -> None:
        writes = called in ("update_item", "transact_write_items") and "'TableName': 'queue'" in str(request)
        if at == "before" and writes:
            raise THROTTLED

    sale.store.on_call = refuse
    with pytest.raises(Overloaded):
        act()
    assert sale.gate().active == before.active + (0 if safe else 1)


def test_a_lease_that_ends_during_a_sale_leaves_no_pin() -> None:
    sale = Sale(max_active=5, inventory=5)
    sale.tick()
    session = sale.enter("buyer")
    once_at(sale, "transact_write_items", "before", lambda: sale.tick(SLOW_SEC) and None)
    sale.confirm(session, "order-1")
    assert sale.gate().closed_to >= session.bucket
    assert sale.gate().active == 0


def listed(sale: Sale, session: Session) -> bool:
    return read_exit_list(sale.objects.objects[object_key("z")].body).has(session.sid)


@pytest.mark.parametrize(("exits", "counted"), [(Exits, 1), (NotesAgain, 0)])
def test_an_exit_whose_record_got_no_answer_takes_nobody_elses_lease(exits: type[Exits], counted: int) -> None:
    sale = Sale()
    sale.tick()
    leaving, staying = sale.enter("leaving"), sale.enter("staying")
    assert leaving.bucket == staying.bucket
    clients = Clients(sale.store, LosesOneAnswer(sale, repeats=False))
    exits(clients, "counters", sale.gates).add("z", 1, leaving.sid, leaving.bucket, sale.clock.now_ms(), "leave")
    sale.tick(EXITS_SEC)
    assert listed(sale, leaving)
    assert sale.gate().active == counted


@pytest.mark.parametrize(("exits", "counted"), [(Exits, 1), (ClosesNothing, 0)])
def test_an_exit_that_comes_while_its_generation_is_listed(exits: type[Exits], counted: int) -> None:
    sale = Sale()
    sale.tick()
    first, late = sale.enter("first"), sale.enter("late")
    sale.stores.exits.__class__ = exits
    sale.leave("first")
    sale.tick()
    sale.leave("late")
    another = sale.exchanger()
    assert listed(sale, first)
    assert not listed(sale, late)
    with mock.patch.object(FakeObjectStore, "put", return_value=False):
        for _ in range(EXITS_SEC):
            sale.clock.advance(1)
            assert another("z").won
    assert sale.gate().active == counted, "whoever is not on the list is counted"


@pytest.mark.parametrize(("objects", "kept"), [(FakeObjectStore, True), (PutsAnyway, False)])
def test_a_list_that_is_put_late(objects: type[FakeObjectStore], *, kept: bool) -> None:
    sale = Sale()
    sale.objects.__class__ = objects
    slow, quick = sale.exchanger(), sale.exchanger()
    sale.tick()
    first, late = sale.enter("first"), sale.enter("late")
    sale.leave("first")
    happened: list[bool] = []

    def meanwhile(key: str) -> None:
        if key == object_key("z") and not happened:
            happened.append(True)
            sale.leave("late")
            quick("z")

    sale.objects.before_put = meanwhile
    sale.clock.advance(2)
    slow("z")
    for _ in range(EXITS_SEC):
        sale.clock.advance(1)
        quick("z")
    assert happened
    assert listed(sale, first)
    assert sale.gate().active == 0
    assert listed(sale, late) is kept
