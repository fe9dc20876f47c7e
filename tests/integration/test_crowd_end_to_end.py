"""A crowd on the whole stack, its exchanger killed in the middle: cap, order and everybody's place, counted afresh."""

from __future__ import annotations

import asyncio
import io
import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from boto3.dynamodb.types import TypeDeserializer

from scripts.visitors.check import check
from scripts.visitors.crowd import HASTY, Arrivals, run_crowd
from scripts.visitors.event_log import Event, EventLog, parse_events
from scripts.visitors.guest import Errand
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import open_zones, path_of, sample_site, status_of, zone
from tests.support.serving import read_while
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.gates import Gates
from waiting_room.domain.lanes import GENERAL

ZONE_ID = "crowded"
CAP = 3
ARRIVALS = Arrivals(flash=20, flash_sec=2.0, trickle=6, trickle_every_sec=4.0)
"""Those who come late wake the exchanger that was killed; without them the dispatcher would, within a minute."""

SIZE = ARRIVALS.flash + ARRIVALS.trickle
PRESENT = replace(HASTY, absent_share=0, give_up_share=0, silent_share=0, stay_sec=(0.5, 1.0))
KILLED_AFTER = 6
"""How many have come in when the exchanger is killed."""

SALE_SEC = 240.0
READERS, READS_EACH = 250, 8


@dataclass(frozen=True)
class Sale:
    """What is known when the last has gone: the crowd's own log, the stored places, and how far the killed one was."""

    events: list[Event]
    places: list[dict[str, Any]]
    serving_when_killed: int
    marks: list[tuple[int, int]]
    """How far the line may come in, read over and over: the moment a reading began, and the first position it bars."""

    def of(self, event: str) -> list[Event]:
        """The events of one kind."""
        return [found for found in self.events if found["event"] == event]


@pytest.fixture(scope="module")
def sale(foyer: Foyer) -> Sale:
    """Let a crowd through the zone and kill the exchanger while most of it waits."""
    open_zones(foyer, zone(ZONE_ID, max_active=CAP))
    written = io.StringIO()
    log = EventLog(written)
    errand = Errand(ZONE_ID, path_of(ZONE_ID), f"{path_of(ZONE_ID)}/checkout", look_around_sec=(0.25, 0.5))
    with sample_site(foyer, ZONE_ID) as edge, ThreadPoolExecutor(2) as pool:
        crowd = pool.submit(asyncio.run, run_crowd(edge.url, errand, ARRIVALS, PRESENT, log, seed=1))
        marks = pool.submit(lambda: list(watermarks(foyer, crowd.done)))
        wait_until(lambda: log.counts.get("inside", 0) >= KILLED_AFTER or crowd.done(), SALE_SEC, "some have come in")
        assert foyer.kill("exchanger") >= 1
        serving = status_of(foyer, ZONE_ID)["lanes"]["general"]["serving"]
        crowd.result(SALE_SEC)
    return Sale(list(parse_events(written.getvalue().splitlines())), stored_places(foyer), serving, marks.result(10))


def watermarks(foyer: Foyer, over: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    """The gate item's watermark of who may come in, with the moment each reading began; once more when all is over."""
    client = foyer.client("dynamodb")
    gates = Gates(Clients(client, client), foyer.stack.tables["counters"])
    last = False
    while not last:
        last, began_ms = over(), round(time.time() * 1000)
        gate = gates.read(ZONE_ID, 1)
        if gate is not None:
            lane = gate.lane(GENERAL)
            yield began_ms, max(lane.serving, lane.ahead)
        time.sleep(0.02)


def stored_places(foyer: Foyer) -> list[dict[str, Any]]:
    """Every place of the zone's run as the database has it, in the order of the line."""
    status, read = status_of(foyer, ZONE_ID), TypeDeserializer().deserialize
    table, partition = foyer.stack.tables["queue"], schemas.table("queue")["partition_key"]["name"]
    pages = foyer.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    items = [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]
    ours = [item for item in items if item[partition].startswith(f"{ZONE_ID}#{status['run']}#")]
    return sorted(ours, key=lambda item: item["seq"])


def test_everybody_gets_in_though_the_exchanger_was_killed(sale: Sale) -> None:
    assert sale.of("fault") == []
    assert sale.serving_when_killed < SIZE, "everybody had been called before the exchanger was killed"
    assert (len(sale.of("inside")), len(sale.of("ended"))) == (SIZE, SIZE)
    assert [place["status"] for place in sale.places].count("waiting") == 0


def test_never_more_are_in_than_the_cap_counted_from_their_tokens(sale: Sale) -> None:
    report = check(sale.events, CAP)
    assert report.faults == []
    assert (report.sessions, report.certain_peak) == (SIZE, CAP)


def test_nobody_loses_a_place_or_shares_one(sale: Sale) -> None:
    assert [place["seq"] for place in sale.places] == list(range(1, SIZE + 1))
    assert {place.get("rejoined", "") for place in sale.places} == {""}
    positions: dict[str, set[int]] = {}
    for event in (*sale.of("joined"), *sale.of("line")):
        positions.setdefault(event["visitor"], set()).add(event["position"])
    assert all(len(held) == 1 for held in positions.values()), positions


def test_who_came_first_stands_first(sale: Sale) -> None:
    by_session = {place["sid"]: place["seq"] for place in sale.places}
    seq = {event["visitor"]: by_session[event["sid"]] for event in sale.of("token")}
    came = {event["visitor"]: event["at_ms"] for event in sale.of("arrived")}
    had_a_place: dict[str, int] = {}
    for event in sale.events:
        if event["event"] in ("line", "token"):
            had_a_place.setdefault(event["visitor"], event["at_ms"])
    orders = [(seq[one], seq[other]) for one, other in itertools.permutations(seq, 2) if had_a_place[one] < came[other]]
    assert orders
    assert all(earlier < later for earlier, later in orders)


def test_nobody_is_called_before_somebody_ahead(sale: Sale) -> None:
    """One watermark lets in everybody ahead of whom it lets in, so nobody may have come in from beyond it."""
    assert len({mark for _, mark in sale.marks}) > CAP, "the line was seen moving"
    for place in sale.places:
        mark = next(mark for began_ms, mark in sale.marks if began_ms >= place["admitted_at_ms"])
        assert place["seq"] - 1 < mark, place["seq"]


def test_however_many_read_the_status_the_origin_is_read_once_a_second(foyer: Foyer, sale: Sale) -> None:
    path = f"/.waiting-room/status/{ZONE_ID}.json"

    def counted() -> Iterator[int]:
        counters = httpx.get(f"{foyer.url}/.waiting-room/dev/counters").json()
        return (counters[kind].get(path, 0) for kind in ("requests", "origin_reads"))

    async def read() -> list[list[int]]:
        reading = (read_while(foyer.url, path, lambda read: read < READS_EACH) for _ in range(READERS))
        return await asyncio.gather(*reading)

    requests_before, reads_before = counted()
    began = time.monotonic()
    assert asyncio.run(read()) == [[200] * READS_EACH] * READERS
    elapsed_sec = time.monotonic() - began
    requests, reads = counted()
    assert requests - requests_before == READERS * READS_EACH
    assert reads - reads_before <= elapsed_sec + 2
