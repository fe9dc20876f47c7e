"""The token service is gone in the middle of a sale, for three times as long as a place is held: nobody who stays loses
the place."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import sleep
from typing import Any

import pytest

from scripts.visitors.check import check
from scripts.visitors.crowd import HASTY, Arrivals, run_crowd
from scripts.visitors.event_log import Event, EventLog, parse_events
from scripts.visitors.guest import Errand
from tests.integration.running import Foyer, running_foyer, wait_until
from tests.integration.zones import open_zones, path_of, sample_site, status_of, zone
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.gates import Gates

ZONE_ID = "shut"
CAP = 3
CROWD = 24
PRESENT = replace(HASTY, absent_share=0, give_up_share=0, silent_share=0, stay_sec=(0.5, 1.0))
CLAIM = {"window_sec": 10, "grace_sec": 10}
SHUT_SEC = 60
IN_BEFORE = 3
NOTICED_SEC, SALE_SEC = 30.0, 240.0


@dataclass(frozen=True)
class Sale:
    """What is known when the last has gone; `when_shut` and `when_opened` are status documents of those moments."""

    events: list[Event]
    when_shut: dict[str, Any]
    when_opened: dict[str, Any]

    def count(self, event: str) -> int:
        """How many events there are of one kind."""
        return sum(found["event"] == event for found in self.events)


@pytest.fixture(scope="module")
def own_foyer() -> Iterator[Foyer]:
    """A deployment of its own: its exchangers look at the door, which no busy neighbour is to shut."""
    with running_foyer() as foyer:
        foyer.stack.serve_at(foyer.url)
        yield foyer


@pytest.fixture(scope="module")
def sale(own_foyer: Foyer) -> Sale:
    """Let a crowd come, and take the token service away from it while most of it waits."""
    foyer = own_foyer
    open_zones(foyer, zone(ZONE_ID, max_active=CAP, claim=CLAIM))
    functions, bouncer = foyer.client("lambda"), foyer.stack.names.function("bouncer")
    written = io.StringIO()
    log = EventLog(written)
    errand = Errand(ZONE_ID, path_of(ZONE_ID), f"{path_of(ZONE_ID)}/checkout", look_around_sec=(0.25, 0.5))
    with sample_site(foyer, ZONE_ID) as edge, ThreadPoolExecutor(1) as pool:
        arrivals = Arrivals(flash=CROWD, flash_sec=2.0)
        crowd = pool.submit(asyncio.run, run_crowd(edge.url, errand, arrivals, PRESENT, log, seed=1))
        wait_until(lambda: log.counts.get("inside", 0) >= IN_BEFORE or crowd.done(), SALE_SEC, "some have come in")
        wait_until(lambda: _was_seen_open(foyer), SALE_SEC, "a look got through")
        # The operator's kill switch: AWS and the engine refuse every invocation.
        functions.put_function_concurrency(FunctionName=bouncer, ReservedConcurrentExecutions=0)
        try:
            shut = wait_until(lambda: _says(foyer, "shut"), NOTICED_SEC, "the status document says that it is shut")
            sleep(SHUT_SEC)
            opened = status_of(foyer, ZONE_ID)
        finally:
            functions.delete_function_concurrency(FunctionName=bouncer)
        wait_until(lambda: _says(foyer, "open"), NOTICED_SEC, "the status document says that it is open again")
        crowd.result(SALE_SEC)
    return Sale(list(parse_events(written.getvalue().splitlines())), shut, opened)


def _was_seen_open(foyer: Foyer) -> bool:
    client = foyer.client("dynamodb")
    gate = Gates(Clients(client, client), foyer.stack.tables["counters"]).read(ZONE_ID, 1)
    return gate is not None and gate.state.door.proven


def _says(foyer: Foyer, door: str) -> dict[str, Any] | None:
    status = status_of(foyer, ZONE_ID)
    return status if status.get("door") == door else None


def test_nobody_who_stays_loses_the_place(sale: Sale) -> None:
    assert sale.count("lapsed") == 0
    assert {found["joined"] for found in sale.events if found["event"] == "joined"} == {1}, "nobody had to join again"
    assert sale.count("fault") == 0
    assert {found["visitor"] for found in sale.events if found["event"] == "inside"} == {
        found["visitor"] for found in sale.events if found["event"] == "arrived"
    }


def test_hardly_anybody_is_called_meanwhile_and_nobody_lapses(sale: Sale) -> None:
    before, after = (status["lanes"]["general"] for status in (sale.when_shut, sale.when_opened))
    assert sale.when_opened["door"] == "shut"
    assert after["serving"] - before["serving"] <= CAP
    assert after["floor"] == before["floor"]
    assert sale.when_opened["tick"] - sale.when_shut["tick"] > SHUT_SEC / 3, "ticks went on"


def test_the_cap_holds_before_and_after(sale: Sale) -> None:
    assert check(sale.events, CAP).faults == []
