"""What ticks leave for others to read: the status document, minute rows, and a gate item of one write unit."""

from __future__ import annotations

import json

import pytest

from tests.support.sale import EXITS_SEC, Sale
from waiting_room.domain.line.places import Session


@pytest.fixture
def sale() -> Sale:
    sale = Sale()
    sale.tick()
    return sale


def test_the_status_document_tells_the_line(sale: Sale) -> None:
    for number in range(7):
        sale.join(f"visitor-{number}")
    sale.tick(2)
    document = json.loads(sale.objects.objects[".waiting-room/status/z.json"].body)
    assert document["phase"] == "open"
    assert document["lanes"]["general"]["tail"] == 7
    assert document["lanes"]["general"]["serving"] == 2
    assert document["tick"] == sale.gate().tick
    assert sale.objects.objects[".waiting-room/status/z.json"].cache_control == "public, max-age=1"


def test_minute_rows_are_cumulative(sale: Sale) -> None:
    sale.enter("a")
    sale.tick(70)
    rows = sale.minutes.latest("z", 1, 5)
    assert [row["minute"] for row in rows] == sorted(row["minute"] for row in rows)
    assert rows[-1]["tokens_issued"] == 1
    assert rows[-1]["joined"] == 1


def test_the_last_that_happens_before_the_end_is_in_the_last_minute_row(sale: Sale) -> None:
    sale.tick(10 - sale.clock.ms // 1000 % 10)
    session = sale.enter("a")
    sale.tick(2)
    sale.confirm(session, "order-1")
    sale.change(control="end")
    sale.tick(EXITS_SEC)
    row = sale.minutes.latest("z", 1, 1)[0]
    assert (row["phase"], row["tokens_issued"], row["active"]) == ("ended", 1, 0)


def test_the_gate_item_stays_within_one_write_unit(sale: Sale) -> None:
    for number in range(400):
        sale.join(f"v{number}")
    sessions = []
    for step in range(200):
        sale.tick()
        answer = sale.claim(f"v{step % 40}") if sale.item(f"v{step % 40}").status == "waiting" else None
        if isinstance(answer, Session):
            sessions.append(answer)
    record = sale.store.tables["counters"].records["gate#z#1", 0]
    assert record.size < 1024


def test_departures_and_returns_are_counted_by_lane_with_their_waits(sale: Sale) -> None:
    for name in "abc":
        sale.join(name)
    sale.clock.advance(40)
    for name in "aab":
        sale.mark_away(name)
    assert sale.departures.totals("z", 1, "general") == {"away": 2, "back": 0, "wait_sec": 80}
    sale.clock.advance(30)
    sale.mark_back("a")
    sale.mark_back("a")
    sale.mark_back("c")
    sale.mark_back("nobody")
    assert sale.departures.totals("z", 1, "general") == {"away": 2, "back": 1, "wait_sec": 40}
    sale.mark_away("a")
    sale.tick(12)
    row = sale.minutes.latest("z", 1, 1)[0]
    assert row["departures"] == {"general": {"away": 3, "back": 1, "wait_sec": 110}}
