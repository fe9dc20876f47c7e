"""The visitors' verbs on the in-memory store: join, claim, renew, leave, confirm, locate."""

from __future__ import annotations

import pytest

from tests.support.sale import EXITS_SEC, Sale
from waiting_room.domain.errors import (
    AlreadyCompleted,
    Forbidden,
    HardEnd,
    Lapsed,
    Moved,
    NotReady,
    Overloaded,
    ReferenceUsed,
    RunOver,
    SoldOut,
    UnknownVisitor,
)
from waiting_room.domain.line.places import Session
from waiting_room.use_cases.claim import Waiting


@pytest.fixture
def sale() -> Sale:
    sale = Sale()
    sale.tick()
    return sale


def crowd(sale: Sale, count: int) -> list[str]:
    names = [f"visitor-{number}" for number in range(count)]
    for name in names:
        sale.join(name)
    return names


def test_positions_follow_the_order_of_joining(sale: Sale) -> None:
    assert [sale.join(name).position for name in "abc"] == [0, 1, 2]


def test_before_the_start_everybody_waits_alike() -> None:
    sale = Sale(mode="combined", starts_at_ms=Sale().clock.now_ms() + 60_000)
    sale.tick()
    crowd(sale, 3)
    early = sale.locate("visitor-2")
    assert (early.phase, early.ahead, early.estimate) == ("before", None, None)
    sale.clock.advance(61)
    assert sale.locate("visitor-2").ahead == 2


def test_a_repeated_join_keeps_the_place_and_burns_nothing(sale: Sale) -> None:
    first = sale.join("a")
    again = sale.join("a")
    assert (first.new, again.new) == (True, False)
    assert first.position == again.position == 0
    assert sale.join("b").position == 1


def test_joining_costs_two_write_units(sale: Sale) -> None:
    sale.join("the one who wakes the exchanger")
    before = sale.store.units.write
    sale.join("a")
    assert sale.store.units.write - before == 2


def test_the_first_visitor_walks_in_and_the_third_waits(sale: Sale) -> None:
    for name in "ab":
        sale.enter(name)
    sale.join("c")
    answer = sale.claim("c")
    assert isinstance(answer, Waiting)
    assert answer.position == 2
    assert answer.retry_after_sec >= 1


def test_a_claim_is_answered_the_same_again(sale: Sale) -> None:
    session = sale.enter("a")
    assert sale.claim("a") == session
    assert sale.gate().claimed == 1


def test_a_useless_claim_writes_nothing(sale: Sale) -> None:
    for name in crowd(sale, 5):
        sale.claim(name)
    before = sale.store.units.write
    for _ in range(10):
        assert isinstance(sale.claim("visitor-4"), Waiting)
    assert sale.store.units.write == before


def test_the_slot_of_one_who_leaves_goes_to_the_next(sale: Sale) -> None:
    names = crowd(sale, 3)
    sale.enter(names[0])
    sale.enter(names[1])
    sale.leave(names[0])
    sale.leave(names[0])
    sale.tick(EXITS_SEC)
    assert isinstance(sale.claim(names[2]), Session)
    assert sale.gate().active == 2


def test_leaving_needs_the_right_session(sale: Sale) -> None:
    session = sale.enter("a")
    sale.leave("a", "another session")
    assert sale.item("a").status == "admitted"
    sale.leave("a", session.sid)
    assert sale.item("a").status == "left"


def test_renewing_lengthens_and_never_shortens(sale: Sale) -> None:
    session = sale.enter("a")
    sale.clock.advance(30)
    longer = sale.renew(session)
    assert longer.expires_at_ms > session.expires_at_ms
    assert sale.renew(session) == longer
    assert sale.gate().active == 1
    sale.change(session=type(sale.zone.session)(idle_sec=30, max_sec=600))
    assert sale.renew(session).expires_at_ms >= longer.expires_at_ms


def test_renewing_costs_three_write_units(sale: Sale) -> None:
    session = sale.enter("a")
    sale.clock.advance(30)
    before = sale.store.units.write
    sale.renew(session)
    assert sale.store.units.write - before <= 3


def test_nothing_lasts_longer_than_the_hard_end(sale: Sale) -> None:
    session = sale.enter("a")
    for _ in range(59):
        sale.tick(10)
        session = sale.renew(session)
    assert session.expires_at_ms == session.hard_end_at_ms
    sale.tick(20)
    with pytest.raises(HardEnd):
        sale.renew(session)


def test_a_lapsed_lease_is_not_renewed_but_claimed_again_within_the_grace(sale: Sale) -> None:
    session = sale.enter("a")
    sale.tick(85)
    with pytest.raises(Lapsed):
        sale.renew(session)
    again = sale.claim("a")
    assert isinstance(again, Session)
    assert again.sid == session.sid
    assert again.hard_end_at_ms == session.hard_end_at_ms
    assert again.expires_at_ms > session.expires_at_ms
    assert sale.gate().active == 1


def test_after_the_grace_a_visitor_joins_anew_and_is_told_why(sale: Sale) -> None:
    sale.enter("a")
    sale.tick(130)
    with pytest.raises(Lapsed):
        sale.claim("a")
    place = sale.join("a")
    assert place.rejoined == "lapsed"
    assert place.position == 1


def test_an_absentee_lapses_and_joins_anew(sale: Sale) -> None:
    sale.join("absent")
    sale.tick(70)
    assert sale.locate("absent").status == "lapsed"
    with pytest.raises(Lapsed):
        sale.claim("absent")
    assert sale.join("absent").position == 1


def test_a_whole_called_batch_walks_away_and_the_line_moves_on(sale: Sale) -> None:
    names = crowd(sale, 6)
    for _ in range(300):
        sale.tick()
        if isinstance(sale.claim(names[5]), Session):
            return
    pytest.fail("the line stalled on people who left")


def test_a_purchase_is_confirmed_once(sale: Sale) -> None:
    session = sale.enter("a")
    tied = sale.confirm(session, "order-1", checkout=False)
    assert tied.status == "admitted"
    assert sale.confirm(session, "order-1", checkout=False) == tied
    with pytest.raises(ReferenceUsed):
        sale.confirm(session, "order-2", checkout=False)
    done = sale.confirm(session, "order-1")
    assert done.status == "completed"
    assert sale.confirm(session, "order-1") == done
    with pytest.raises(ReferenceUsed):
        sale.confirm(session, "order-2")
    sale.tick(EXITS_SEC)
    assert sale.gate().active == 0


def test_a_confirmation_is_repeated_even_after_the_token_expired(sale: Sale) -> None:
    session = sale.enter("a")
    done = sale.confirm(session, "order-1")
    sale.clock.advance(3_600)
    assert sale.confirm(session, "order-1") == done


def test_an_expired_or_ended_session_cannot_buy(sale: Sale) -> None:
    session = sale.enter("a")
    sale.clock.advance(100)
    with pytest.raises(Lapsed):
        sale.confirm(session, "order-1")
    other = sale.enter("b")
    sale.leave("b")
    with pytest.raises(Lapsed):
        sale.confirm(other, "order-2")


def test_who_has_bought_cannot_join_again_unless_the_zone_allows(sale: Sale) -> None:
    sale.confirm(sale.enter("a"), "order-1")
    with pytest.raises(AlreadyCompleted):
        sale.join("a")
    with pytest.raises(AlreadyCompleted):
        sale.claim("a")
    sale.change(purchases_per_visitor=2)
    sale.tick(2)
    second = sale.enter("a")
    sale.confirm(second, "order-2")
    with pytest.raises(AlreadyCompleted):
        sale.join("a")


def test_sold_and_live_never_exceed_the_stock_and_sold_out_is_said() -> None:
    sale = Sale(inventory=2)
    sale.tick()
    first, second = sale.enter("a"), sale.enter("b")
    sale.join("c")
    sale.confirm(first, "order-1")
    sale.tick(3)
    assert isinstance(sale.claim("c"), Waiting), "all held by others is not sold out"
    sale.confirm(second, "order-2")
    sale.tick(2)
    assert sale.sales.sold("z", 1) == 2
    with pytest.raises(SoldOut):
        sale.claim("c")
    assert sale.locate("c").phase == "sold_out"


def test_stock_is_freed_when_somebody_leaves_without_buying() -> None:
    sale = Sale(inventory=1)
    sale.tick()
    sale.enter("a")
    sale.join("b")
    sale.tick(2)
    assert isinstance(sale.claim("b"), Waiting)
    sale.leave("a")
    sale.tick(EXITS_SEC)
    assert isinstance(sale.claim("b"), Session)


def test_units_of_a_visit_from_joining_to_buying() -> None:
    for stock, most in ((None, 6), (10, 11)):
        sale = Sale() if stock is None else Sale(inventory=stock)
        sale.join("the one who wakes the exchanger")
        sale.tick()
        before = sale.store.units.write
        sale.confirm(sale.enter("a"), "order-1")
        assert sale.store.units.write - before <= most


def test_a_barred_visitor_is_out_and_stays_out(sale: Sale) -> None:
    session = sale.enter("a")
    sale.bar("a")
    sale.tick(EXITS_SEC)
    assert sale.gate().active == 0
    for attempt in (lambda: sale.join("a"), lambda: sale.claim("a"), lambda: sale.renew(session)):
        with pytest.raises(Forbidden):
            attempt()
    with pytest.raises(Forbidden):
        sale.confirm(session, "order-1")
    with pytest.raises(UnknownVisitor):
        sale.bar("nobody")


def test_an_older_device_is_refused(sale: Sale) -> None:
    sale.join("a")
    item = sale.item("a")
    moved = type(item)(**{**vars(item), "gen": 1})
    sale.queue.add(moved, replacing=item)
    with pytest.raises(Moved):
        sale.claim("a", gen=0)
    assert isinstance(sale.claim("a", gen=1), Session)


def test_pausing_holds_newcomers_and_keeps_those_inside(sale: Sale) -> None:
    session = sale.enter("a")
    sale.change(control="pause")
    sale.join("b")
    assert isinstance(sale.claim("b"), Waiting)
    sale.clock.advance(30)
    assert sale.renew(session).expires_at_ms > session.expires_at_ms
    sale.change(control="auto")
    sale.tick(2)
    assert isinstance(sale.claim("b"), Session)


def test_a_lock_outlasting_the_lease_costs_nobody_the_session(sale: Sale) -> None:
    session = sale.enter("a")
    sale.change(control="lock")
    sale.tick(300)
    sale.change(control="auto")
    sale.tick(2)
    assert sale.renew(session).sid == session.sid


def test_after_the_end_nobody_joins(sale: Sale) -> None:
    sale.join("early")
    sale.change(control="end")
    sale.tick()
    assert sale.join("early").phase == "ended"
    with pytest.raises(RunOver):
        sale.join("late")
    with pytest.raises(RunOver):
        sale.claim("early")


def test_a_run_without_a_gate_item_is_not_ready() -> None:
    sale = Sale()
    sale.zone = sale.zone.with_changes(run=2)
    with pytest.raises(NotReady):
        sale.join("a")


def test_the_first_visitor_into_an_idle_zone_wakes_one_exchanger(sale: Sale) -> None:
    sale.clock.advance(3_600)
    sale.enter("a")
    sale.join("b")
    assert sale.functions.started == [("exchanger", {"zones": ["z"]})]


def test_a_crowd_whose_clock_is_ahead_does_not_besiege_the_lock(sale: Sale) -> None:
    """The exchanger takes that lock as well: asked for at every request, it would be throttled out of its own zone."""
    sale.clock.advance(3_600)
    asked: list[str] = []
    sale.store.on_call = lambda _, request, phase: (
        asked.append(phase) if phase == "before" and "lock#z" in str(request) else None
    )
    for number in range(200):
        sale.join(f"v{number}")
        sale.clock.advance(0.02)
    assert len(asked) == 1
    sale.clock.advance(5)
    sale.join("later")
    assert len(asked) == 2


def test_a_visitor_gets_the_place_even_if_no_exchanger_can_be_started(sale: Sale) -> None:
    def refuse(*_: object) -> None:
        raise Overloaded

    sale.functions.start = refuse  # type: ignore[method-assign]
    sale.clock.advance(3_600)
    assert sale.join("a").position == 0


def test_a_hidden_page_is_noted_while_waiting_only(sale: Sale) -> None:
    sale.join("a")
    sale.mark_away("a")
    assert sale.item("a").away_at_ms == sale.clock.now_ms()
    sale.enter("b")
    sale.mark_away("b")
    assert sale.item("b").away_at_ms is None
    sale.mark_away("nobody")
