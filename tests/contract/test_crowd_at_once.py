"""Many at once on real engines, from threads and processes: nobody shares a place, moves, or gets in over the cap."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

from tests.contract.engines import Dynamo, client
from tests.support.fakes import FakeFunctions
from waiting_room.adapters.clock import RandomIds, SystemClock
from waiting_room.adapters.dynamodb import Clients
from waiting_room.composition import Stores, visitor_verbs
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.line.places import Session
from waiting_room.domain.zone.zones import Zone
from waiting_room.use_cases.wake import Wake

JOINERS = 5_000 if os.environ.get("CI") == "true" else 1_000
REPEATS = JOINERS // 5
THREADS, PROCESSES = 16, 2
CLAIMANTS, MAX_ACTIVE = 500, 120
ZONE = Zone.from_document({"zone_id": "z", "mode": "queueing", "rules": [{"paths": ["/"]}], "max_active": MAX_ACTIVE})


class Bouncer:
    """The verbs of a visitor, in a process of their own."""

    def __init__(self, clients: Clients, prefix: str) -> None:
        clock, ids = SystemClock(), RandomIds()
        self.stores = Stores(clients, *(prefix + name for name in ("protected_zones", "counters", "joins", "queue")))
        wake = Wake(self.stores.locks, FakeFunctions(), "exchanger", clock)
        verbs = visitor_verbs(self.stores, wake, clock, ids)
        self.join, self.claim = verbs.join, verbs.claim

    def positions(self, visitors: Iterable[str]) -> list[tuple[str, int | None]]:
        """Join from many threads; what each was told."""
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(lambda visitor: (visitor, self.join(ZONE, visitor).position), visitors))


def in_a_process(endpoint: str, prefix: str, visitors: Sequence[str]) -> list[tuple[str, int | None]]:
    clients = Clients(client(endpoint, attempts=4), client(endpoint, attempts=1))
    return Bouncer(clients, prefix).positions(visitors)


def told(dynamo: Dynamo, requests: Sequence[str]) -> list[tuple[str, int | None]]:
    """All answers; from several processes where the engine is a server."""
    if dynamo.engine == "memory":
        return Bouncer(dynamo.clients, dynamo.prefix).positions(requests)
    endpoint = dynamo.clients.once.meta.endpoint_url
    parts = [requests[start::PROCESSES] for start in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(in_a_process, endpoint, dynamo.prefix, part) for part in parts]
        return [answer for job in jobs for answer in job.result()]


def open_zone(dynamo: Dynamo, called: int = 0, limit: int = 0) -> Bouncer:
    bouncer = Bouncer(dynamo.clients, dynamo.prefix)
    lanes = {"general": Watermarks(serving=called)}
    bouncer.stores.gates.create(GateItem("z", 1, ZONE.bucket_width_sec, limit=limit, lanes=lanes))
    return bouncer


def test_thousands_who_join_at_once_and_again_keep_their_own_place(exact_dynamo: Dynamo) -> None:
    bouncer = open_zone(exact_dynamo)
    visitors = [f"v{number:021d}" for number in range(JOINERS)]
    requests = visitors + random.Random(1).sample(visitors, REPEATS)
    random.Random(2).shuffle(requests)
    answers = told(exact_dynamo, requests)

    places = dict(answers)
    assert all(places[visitor] == position for visitor, position in answers), "a retry was told another place"
    assert len(set(places.values())) == len(places) == JOINERS, "two share a place"
    taken = bouncer.stores.joins.tail("z", 1, "general", 0)
    assert {position for position in places.values() if position is not None} <= set(range(taken))
    # Whoever asks twice at the same time may burn a number; nothing else does.
    assert taken - JOINERS <= REPEATS


def test_of_500_visitors_who_claim_at_once_exactly_max_active_get_in(exact_dynamo: Dynamo) -> None:
    bouncer = open_zone(exact_dynamo, called=CLAIMANTS, limit=MAX_ACTIVE)
    visitors = [f"v{number:021d}" for number in range(CLAIMANTS)]
    bouncer.positions(visitors)
    with ThreadPoolExecutor(64) as pool:
        sessions = [
            answer
            for answer in pool.map(lambda visitor: bouncer.claim(ZONE, visitor, 0), visitors)
            if isinstance(answer, Session)
        ]
    gate = bouncer.stores.gates.read("z", 1)
    assert gate is not None
    assert (len(sessions), len({session.sid for session in sessions})) == (MAX_ACTIVE, MAX_ACTIVE)
    assert (gate.claimed, gate.active) == (MAX_ACTIVE, MAX_ACTIVE)
