"""How often pages look while the last of the stock is being sold, and what that may cost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from waiting_room.domain.admission.controller import Tick, decide
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.admission.last_tickets import MOST_LOOKS, LastTickets, soonest_sec
from waiting_room.domain.admission.status import status_document
from waiting_room.domain.zone.zones import PollRules, Zone

NOW = 1_780_315_200_000
USUAL = PollRules()
ZONE: dict[str, Any] = {"zone_id": "z", "mode": "queueing", "rules": [{"paths": ["/sale"]}], "max_active": 100}


def ticked(sold: int, *, inside: int = 50, seconds: int = 1, **changes: Any) -> tuple[Zone, Tick]:
    """A zone with 1,000 tickets in which some are in and many wait."""
    zone = Zone.from_document({**ZONE, "inventory": 1_000, **changes})
    bucket = NOW // 1000 // zone.bucket_width_sec + 100
    gate = GateItem("z", 1, zone.bucket_width_sec, claimed=inside, buckets={bucket: inside}, lanes={})
    gate = replace(gate, lanes={"general": Watermarks(serving=inside, ahead=inside)})
    for second in range(seconds + 1):
        tick = decide(zone, gate, sold, {"general": 50_000}, NOW + second * 1_000)
        gate = tick.gate
    return zone, tick


def test_while_there_is_stock_pages_look_as_the_zone_says() -> None:
    zone, tick = ticked(sold=100)
    assert status_document(zone, tick, {}, NOW)["poll"] == vars(USUAL)
    assert tick.gate.state.last_tickets.extra_looks == 0


def test_before_the_last_ticket_everybody_looks_every_second() -> None:
    zone, tick = ticked(sold=999)
    assert status_document(zone, tick, {}, NOW)["poll"] == {"near_sec": 1, "far_sec": 1, "near_ahead": 200}
    assert tick.gate.state.last_tickets.extra_looks == pytest.approx(50_000, rel=0.01)


@pytest.mark.parametrize("control", ["lock", "end"])
def test_where_nothing_can_be_sold_nobody_hurries(control: str) -> None:
    assert ticked(sold=999, control=control)[1].poll == USUAL
    assert ticked(sold=999, inside=0)[1].poll == USUAL
    assert ticked(sold=1_000)[1].poll == USUAL, "sold out is the last word"


def test_a_page_looks_again_within_half_of_the_time_that_is_left() -> None:
    for left in (1, 10, 30, 60, 90, 150):
        soonest = soonest_sec(2.0, left, active=100)
        assert soonest < left / 2 or left == 1
        told = LastTickets().looks(USUAL, soonest)
        assert 2 * told.far_sec <= max(2.0, soonest / 2)
        assert told.near_sec <= min(2, told.far_sec)
    assert LastTickets().looks(USUAL, math.inf) == USUAL


def test_however_long_it_lasts_it_never_costs_more_than_its_bound() -> None:
    last_tickets, looks = LastTickets(), []
    for _ in range(7_200):
        told = last_tickets.looks(USUAL, 0.0)
        looks.append(told.far_sec)
        last_tickets = last_tickets.count(USUAL, told, 100_000, 1.0)
    assert looks[0] == 1
    assert looks == sorted(looks)
    assert looks[-1] == USUAL.far_sec
    assert MOST_LOOKS * 0.9 < last_tickets.extra_looks <= MOST_LOOKS
