"""Exactly as many claims win as there are grants, whatever claims, leaves and ticks at the same time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.engines import Dynamo
from tests.contract.runs import LANE, RUN, ZONE_ID, gate, gates
from waiting_room.domain.admission.gate_item import Watermarks
from waiting_room.domain.answers import Answer

CLAIMANTS = 500
MAX_ACTIVE = 120


@pytest.fixture(autouse=True)
def restless_threads() -> Iterator[None]:
    """Makes Python switch threads every few steps: at its usual 5 ms a missing lock would hardly ever show."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def test_500_threads_win_exactly_max_active_claims(exact_dynamo: Dynamo) -> None:
    store = gates(exact_dynamo)
    everybody_called = {LANE: Watermarks(serving=CLAIMANTS)}
    store.create(gate(claimed=0, limit=MAX_ACTIVE, lanes=everybody_called))
    all_there = threading.Barrier(CLAIMANTS)

    def claim(position: int) -> Answer:
        all_there.wait()
        return store.claim(ZONE_ID, RUN, 10 + position % 3, LANE, position)

    with ThreadPoolExecutor(CLAIMANTS) as pool:
        answers = list(pool.map(claim, range(CLAIMANTS)))

    assert (answers.count(Answer.YES), answers.count(Answer.NO)) == (MAX_ACTIVE, CLAIMANTS - MAX_ACTIVE)
    item = store.read(ZONE_ID, RUN)
    assert item is not None
    assert (item.claimed, item.active) == (MAX_ACTIVE, MAX_ACTIVE)
    won = [10 + position % 3 for position, answer in enumerate(answers) if answer is Answer.YES]
    assert dict(item.buckets) == {bucket: won.count(bucket) for bucket in set(won)}


def test_every_release_under_threads_is_counted_and_none_twice(exact_dynamo: Dynamo) -> None:
    store = gates(exact_dynamo)
    store.create(gate(claimed=40, limit=40, buckets={}))
    for _ in range(40):
        store.hold(ZONE_ID, RUN, 10, while_open=10, verb="renew")
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda _: store.release(ZONE_ID, RUN, 10), range(60)))
    item = store.read(ZONE_ID, RUN)
    assert item is not None
    assert dict(item.buckets) == {10: 0}
