"""Queue on every engine: each compare-and-set won, lost and repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.engines import Dynamo
from tests.contract.runs import LANE, NOW_MS, RUN, VISITOR, ZONE_ID, place, queue
from waiting_room.adapters.counters import Sales
from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.domain.line.places import QueueItem

_SESSION: dict[str, Any] = {
    "status": "admitted",
    "sid": "session-0123456789abcd",
    "bucket": 10,
    "hard_end_at_ms": NOW_MS + 3_600_000,
    "lease_kind": "script",
    "admitted_at_ms": NOW_MS + 1,
}


@pytest.fixture
def store(dynamo: Dynamo) -> Queue:
    adapter = queue(dynamo)
    assert adapter.add(place()) is Answer.YES
    return adapter


def _now(store: Queue) -> QueueItem:
    item = store.get(ZONE_ID, RUN, VISITOR)
    assert item is not None
    return item


def _attempt() -> str:
    """A new attempt id: DynamoDB takes the one of a sale as its token, which it knows in every table."""
    return uuid4().hex


def _admit(store: Queue, item: QueueItem, attempt: str = "claiming", **changes: Any) -> Answer:
    session = {**_SESSION, **changes}
    return store.admit(
        item,
        sid=session["sid"],
        bucket=session["bucket"],
        hard_end_at_ms=session["hard_end_at_ms"],
        kind=session["lease_kind"],
        attempt=attempt,
        now_ms=session["admitted_at_ms"],
    )


def _admitted(store: Queue) -> QueueItem:
    assert _admit(store, _now(store)) is Answer.YES
    return _now(store)


def test_a_place_reads_as_it_was_written(store: Queue) -> None:
    assert _now(store) == place()
    assert store.get(ZONE_ID, RUN + 1, VISITOR) is None
    assert store.get(ZONE_ID, RUN, "somebody-else") is None


def test_a_second_join_does_not_move_the_place(store: Queue) -> None:
    assert store.add(place(seq=8, attempt="again")) is Answer.NO
    assert _now(store) == place()


def test_a_rejoin_replaces_exactly_the_place_that_was_read(store: Queue) -> None:
    read = _now(store)
    assert store.leave(read, attempt="leaving", now_ms=NOW_MS) is Answer.YES
    again = place(seq=9, attempt="again", rejoined="left")
    assert store.add(again, replacing=read) is Answer.NO
    assert store.add(again, replacing=_now(store)) is Answer.YES
    assert _now(store) == again
    assert store.add(replace(again, seq=10), replacing=replace(read, status="left", attempt="leaving")) is Answer.NO


def test_an_admission_is_won_once(store: Queue) -> None:
    waiting = _now(store)
    assert _admit(store, waiting) is Answer.YES
    assert _admit(store, waiting) is Answer.NO
    assert _admit(store, waiting, attempt="other", sid="session-of-another-tab", bucket=12) is Answer.NO
    assert _now(store) == place(attempt="claiming", **_SESSION)


@pytest.mark.parametrize("changes", [{"seq": 8}, {"gen": 1}])
def test_no_admission_for_another_place_than_was_read(store: Queue, changes: dict[str, int]) -> None:
    assert _admit(store, place(**changes)) is Answer.NO
    assert _now(store) == place()


def test_no_admission_without_a_place(store: Queue) -> None:
    assert _admit(store, place(visitor_id="nobody")) is Answer.NO
    assert store.get(ZONE_ID, RUN, "nobody") is None


Act = Callable[[Queue, QueueItem, str], Answer]
_ACTS: dict[str, tuple[Act, dict[str, Any]]] = {
    "readmit": (lambda s, i, a: s.readmit(i, bucket=14, attempt=a, now_ms=NOW_MS), {"bucket": 14}),
    "move_lease": (lambda s, i, a: s.move_lease(i, bucket=14, attempt=a, now_ms=NOW_MS), {"bucket": 14}),
    "leave": (lambda s, i, a: s.leave(i, attempt=a, now_ms=NOW_MS), {"status": "left"}),
    "revoke": (lambda s, i, a: s.revoke(i, attempt=a, now_ms=NOW_MS), {"status": "revoked"}),
    "complete": (
        lambda s, i, a: s.complete(i, reference="order-1", attempt=a, now_ms=NOW_MS + 5),
        {"status": "completed", "reference": "order-1", "completed_at_ms": NOW_MS + 5, "purchases": 1},
    ),
    "complete_with_sale": (
        lambda s, i, a: s.complete_with_sale(i, reference="order-1", slot=2, attempt=a, now_ms=NOW_MS + 5),
        {"status": "completed", "reference": "order-1", "completed_at_ms": NOW_MS + 5, "purchases": 1},
    ),
}


@pytest.mark.parametrize("name", _ACTS)
def test_a_change_of_a_session_is_won_once(store: Queue, name: str) -> None:
    act, changes = _ACTS[name]
    session = _admitted(store)
    first = _attempt()
    assert act(store, session, first) is Answer.YES
    assert _now(store) == replace(session, attempt=first, **changes)
    assert act(store, session, _attempt()) is Answer.NO
    assert _now(store).attempt == first


@pytest.mark.parametrize("name", _ACTS)
@pytest.mark.parametrize("other", [{"sid": "another-session"}, {"bucket": 9}, {"seq": 99}])
def test_no_change_of_another_session_than_was_read(store: Queue, name: str, other: dict[str, Any]) -> None:
    act, _ = _ACTS[name]
    session = _admitted(store)
    assert act(store, replace(session, **other), _attempt()) is Answer.NO
    assert _now(store) == session


@pytest.mark.parametrize("name", ["leave", "revoke"])
def test_a_waiting_place_ends_once_and_not_after_an_admission(store: Queue, name: str) -> None:
    act, changes = _ACTS[name]
    waiting = _now(store)
    _admitted(store)
    assert act(store, waiting, "late") is Answer.NO
    assert store.add(place(visitor_id="other", attempt="joining")) is Answer.YES
    other = store.get(ZONE_ID, RUN, "other")
    assert other is not None
    assert act(store, other, "first") is Answer.YES
    assert store.get(ZONE_ID, RUN, "other") == replace(other, attempt="first", **changes)


def test_away_is_noted_while_waiting_only(store: Queue) -> None:
    waiting = _now(store)
    assert store.mark_away(waiting, NOW_MS + 7) is Answer.YES
    assert store.mark_away(waiting, NOW_MS + 8) is Answer.YES
    assert _now(store) == place(away_at_ms=NOW_MS + 8)
    _admitted(store)
    assert store.mark_away(waiting, NOW_MS + 9) is Answer.NO


def test_a_session_is_tied_to_one_reference(store: Queue) -> None:
    session = _admitted(store)

    def confirm(reference: str) -> Answer:
        return store.confirm(session, reference=reference, attempt=f"for {reference}", now_ms=NOW_MS)

    assert confirm("order-1") is Answer.YES
    assert confirm("order-1") is Answer.YES
    assert confirm("order-2") is Answer.NO
    assert _now(store) == replace(session, reference="order-1", attempt="for order-1")


@pytest.mark.parametrize("name", ["complete", "complete_with_sale"])
def test_no_purchase_under_another_reference(store: Queue, name: str) -> None:
    act, _ = _ACTS[name]
    session = _admitted(store)
    store.confirm(session, reference="order-0", attempt="confirming", now_ms=NOW_MS)
    assert act(store, session, _attempt()) is Answer.NO
    assert _now(store).status == "admitted"


def test_a_sale_is_counted_with_its_purchase_and_only_then(dynamo: Dynamo, store: Queue) -> None:
    sales = Sales(dynamo.clients, dynamo.table("counters"))
    session = _admitted(store)
    assert sales.sold(ZONE_ID, RUN) == 0

    def buy(item: QueueItem, slot: int) -> Answer:
        return store.complete_with_sale(item, reference="order-1", slot=slot, attempt=_attempt(), now_ms=NOW_MS)

    assert buy(session, 2) is Answer.YES
    assert buy(session, 5) is Answer.NO
    assert sales.sold(ZONE_ID, RUN) == 1
    other = place(visitor_id="other", status="admitted", sid="s", bucket=10, hard_end_at_ms=NOW_MS, lane=LANE)
    assert store.add(other) is Answer.YES
    assert buy(other, 5) is Answer.YES
    assert sales.sold(ZONE_ID, RUN) == 2
    assert sales.sold(ZONE_ID, RUN + 1) == 0


def test_the_same_sale_sent_again_by_its_attempt_is_counted_once(exact_dynamo: Dynamo) -> None:
    """Not on moto 5.2.5, which ignores ClientRequestToken (findings/moto_transaction_token.sh)."""
    store = queue(exact_dynamo)
    assert store.add(place()) is Answer.YES
    session, attempt = _admitted(store), _attempt()
    for _ in range(2):
        sent = store.complete_with_sale(session, reference="order-1", slot=2, attempt=attempt, now_ms=NOW_MS)
        assert sent is Answer.YES
    assert Sales(exact_dynamo.clients, exact_dynamo.table("counters")).sold(ZONE_ID, RUN) == 1


def test_a_place_is_erased_exactly_as_it_was_read(store: Queue) -> None:
    read = _now(store)
    assert store.mark_away(read, NOW_MS + 5) is Answer.YES
    assert _admit(store, read) is Answer.YES
    assert store.erase(read) is Answer.NO
    current = _now(store)
    assert store.erase(current) is Answer.YES
    assert store.get(ZONE_ID, RUN, VISITOR) is None
    assert store.erase(current) is Answer.NO
