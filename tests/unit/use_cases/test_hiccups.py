"""A service that does not answer for a moment costs one run of one zone: never the others, never the rest of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.fakes import FakeIds
from tests.support.sale import Sale
from tests.unit.record.test_record import SALE, Recorder
from tests.unit.use_cases.test_exchange import exchange
from tests.unit.use_cases.test_publish import PAGE_KEY, SNAPSHOT_KEY, World
from waiting_room.domain.admission.status import status_key
from waiting_room.domain.errors import Overloaded
from waiting_room.use_cases.exchange import Exchange
from waiting_room.use_cases.publish import ASSETS_PREFIX, JWKS_KEY


@pytest.fixture
def sale() -> Sale:
    return Sale()


def test_ticks_go_on_at_their_pace_while_no_status_document_can_be_written(sale: Sale) -> None:
    sale.join("a")
    sale.objects.down = lambda key: key == status_key("z")
    assert exchange(sale)(["z"], run_sec=5) == 5
    assert sale.minutes.latest("z", 1, 1), "operators are told all the same"


def test_ticks_go_on_while_no_minute_row_can_be_written(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: Any) -> None:
        raise Overloaded

    sale.join("a")
    monkeypatch.setattr(sale.minutes, "put", throttled)
    assert exchange(sale)(["z"], run_sec=5) == 5


def test_lines_are_sealed_four_times_a_second_while_no_status_document_can_be_written() -> None:
    sale = Sale(expected_joins_per_sec=1_500)
    sale.join("v0")
    names = iter(f"v{number}" for number in range(1, 1_000))
    sale.objects.down = lambda _: True

    def sleep(seconds: float) -> None:
        sale.join(next(names))
        sale.clock.advance(seconds)

    Exchange(sale.ticker, sale.locks, sale.clock, FakeIds("sealing"), sleep)(["z"], run_sec=5)
    epoch = sale.joins.latest_epoch("z", 1, "general")
    assert epoch is not None
    assert epoch.number >= 20


def test_a_page_that_cannot_be_written_keeps_no_change_from_the_gate() -> None:
    world = World()
    publish = world.publisher()
    world.objects.down = lambda key: key in (PAGE_KEY, ASSETS_PREFIX + "waiting.js")
    with pytest.raises(Overloaded, match="but for"):
        publish()
    assert [zone["zone_id"] for zone in world.document()["zones"]] == ["midnight-sun"]
    world.objects.down = lambda _: False
    assert set(publish().written) == {PAGE_KEY, ASSETS_PREFIX + "waiting.js"}, "the next run writes what was left out"


def test_the_gate_learns_of_no_key_before_the_sites_can() -> None:
    world = World()
    world.objects.down = lambda key: key == JWKS_KEY
    with pytest.raises(Overloaded):
        world.publisher()()
    assert SNAPSHOT_KEY not in world.objects.objects


def test_a_zone_whose_minute_cannot_be_summed_up_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    other = [json.loads(json.dumps(record).replace('"z#', '"y#')) for record in SALE]
    sums = recorder.tallies.sums

    def throttled(zone_id: str, run: int, minute: int) -> Any:
        if zone_id == "y":
            raise Overloaded
        return sums(zone_id, run, minute)

    monkeypatch.setattr(recorder.tallies, "sums", throttled)
    assert recorder([*SALE, *other]) == [], "every change is archived and counted"
    assert {zone_id for zone_id, *_ in recorder.metrics.points} == {"z"}
