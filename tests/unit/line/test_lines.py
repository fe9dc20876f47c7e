"""Positions in a line of several counters: unknown until sealed, then from three reads at most, then from none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.sale import Sale
from waiting_room.adapters.counters import EPOCH_BLOCK
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.line.epochs import Epoch, before_all, next_epoch, shards_of
from waiting_room.domain.line.places import Known, QueueItem, Session
from waiting_room.use_cases.claim import Waiting
from waiting_room.use_cases.lines import COPIES, LOOK_MS, WINDOW, Lines
from waiting_room.use_cases.seal import SealMeanwhile

SHARDS = 6


@pytest.fixture
def sale(monkeypatch: pytest.MonkeyPatch) -> Sale:
    """Nobody seals but the ticks of the tests."""
    monkeypatch.setattr(SealMeanwhile, "__call__", lambda *_: None)
    return Sale(expected_joins_per_sec=600, max_active=100)


def reads(sale: Sale) -> list[str]:
    """What is asked of the store from now on, writes apart."""
    seen: list[str] = []

    def watch(method: str, request: dict[str, Any], phase: str) -> None:
        if phase == "before" and method in ("query", "get_item", "batch_get_item") and "epoch#" in str(request):
            seen.append(method)

    sale.store.on_call = watch
    return seen


def seal(sale: Sale, lines: list[dict[int, int]]) -> list[Epoch]:
    """Seal epochs with these cuts, as if somebody had joined."""
    epochs = [before_all(SHARDS)]
    for taken in lines:
        epoch = next_epoch(epochs[-1], taken)
        assert epoch is not None
        sale.joins.seal("z", 1, "general", epochs[-1], epoch)
        epochs.append(epoch)
    return epochs


def item(shard: int, seq: int, epoch: int) -> QueueItem:
    return QueueItem("z", 1, "v", "general", shard, seq, joined_at_ms=0, epoch=epoch)


def placed(sale: Sale, *number: int, lines: Lines | None = None, known: Known | None = None) -> int | None:
    gate = GateItem("z", 1, 10, shards=SHARDS)
    return (lines or Lines(sale.joins, sale.zones, sale.clock)).placed(item(*number), gate, known).position


def test_a_place_is_known_from_the_first_tick_after_joining(sale: Sale) -> None:
    joined = [sale.join(f"v{number}") for number in range(9)]
    assert [place.position for place in joined] == [None] * 9
    assert [place.status for place in joined] == ["waiting"] * 9
    sale.tick()
    sale.clock.advance(1)
    assert sorted(sale.locate(f"v{number}").position for number in range(9)) == list(range(9))
    assert sale.gate().state.epochs == {"general": 1}


def test_a_rush_does_not_look_for_places_that_cannot_be_sealed_yet(sale: Sale) -> None:
    sale.tick()
    queries: list[str] = []
    sale.store.on_call = lambda method, *_: queries.append(method) if method == "query" else None
    for number in range(50):
        sale.join(f"v{number}")
        sale.clock.advance(0.6)
    assert not queries


def test_a_claim_before_the_place_is_known_is_told_to_wait(sale: Sale) -> None:
    sale.tick()
    sale.join("v")
    answer = sale.claim("v")
    assert isinstance(answer, Waiting)
    assert (answer.status, answer.position) == ("waiting", None)
    sale.tick(2)
    assert isinstance(sale.claim("v"), Session)


def test_a_join_costs_two_writes_however_many_counters_there_are(sale: Sale) -> None:
    sale.join("the one who wakes the exchanger")
    sale.tick()
    before = sale.store.units.write
    sale.join("v")
    assert sale.store.units.write - before == 2


def test_everybody_gets_in_in_turn(sale: Sale) -> None:
    sale.change(max_active=2)
    names = [f"v{number}" for number in range(20)]
    for name in names:
        sale.join(name)
    inside: list[str] = []
    for _ in range(60):
        sale.tick(2)
        for name in set(names) - set(inside):
            if isinstance(sale.claim(name), Session):
                inside.append(name)
                sale.leave(name)
    assert sorted(inside) == sorted(names)


def test_seals_between_ticks_are_exact_with_two_exchangers(sale: Sale) -> None:
    other = sale.exchanger()
    for number in range(40):
        sale.join(f"v{number}")
        (sale.ticker if number % 2 else other)("z")
        sale.clock.advance(0.25)
        sale.join(f"w{number}")
        (other if number % 3 else sale.ticker).seal("z")
    sale.tick()
    sale.clock.advance(1)
    everybody = [f"{kind}{number}" for kind in "vw" for number in range(40)]
    assert sorted(sale.locate(name).position for name in everybody) == list(range(80))


def test_an_epoch_that_lost_the_race_is_sealed_by_what_is_stored(sale: Sale) -> None:
    for number in range(6):
        sale.join(f"v{number}")
    raced: list[int] = []

    def race(method: str, request: dict[str, Any], phase: str) -> None:
        if not raced and method == "put_item" and phase == "before" and "epoch#" in str(request):
            raced.append(1)
            sale.join("late")
            sale.exchanger()("z")

    sale.store.on_call = race
    sale.clock.advance(1)
    sale.ticker("z")
    assert raced
    stored = sale.joins.latest_epoch("z", 1, "general")
    assert stored is not None
    assert (stored.number, stored.tail) == (1, 7), "the other's epoch, with the one who joined meanwhile"


def test_a_counter_left_out_of_a_batch_waits_for_the_next_epoch(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waiting_room.adapters.dynamodb.time.sleep", lambda _: None)
    names = [f"v{number}" for number in range(12)]
    assert {shards_of(name, SHARDS)[0] for name in names} == set(range(SHARDS))
    for name in names:
        sale.join(name)
    sale.store.batch_limit = 0
    sale.tick()
    assert sale.joins.latest_epoch("z", 1, "general") is None, "nothing was read, so nobody joined as far as is known"
    sale.store.batch_limit = 2
    sale.tick()
    epoch = sale.joins.latest_epoch("z", 1, "general")
    assert epoch is not None
    assert epoch.tail == 12, "what was left out is asked for again"


def test_three_reads_find_any_number(sale: Sale) -> None:
    epochs = seal(sale, [{number % SHARDS: 10 * (number + 1)} for number in range(3 * EPOCH_BLOCK + 40)])
    seen = reads(sale)
    for hint in (0, 1, 5, EPOCH_BLOCK - 1, EPOCH_BLOCK, EPOCH_BLOCK + 1, 2 * EPOCH_BLOCK + 3, 3 * EPOCH_BLOCK + 30):
        for later in (1, 2, WINDOW, WINDOW + 1, EPOCH_BLOCK, EPOCH_BLOCK + 1, 2 * EPOCH_BLOCK, 3 * EPOCH_BLOCK):
            if hint + later >= len(epochs):
                continue
            epoch, before = epochs[hint + later], epochs[hint + later - 1]
            (shard,) = [shard for shard in range(SHARDS) if epoch.cuts[shard] > before.cuts[shard]]
            seen.clear()
            for seq in (before.cuts[shard] + 1, epoch.cuts[shard]):
                expected = epoch.base + seq - before.cuts[shard] - 1
                lines = Lines(sale.joins, sale.zones, sale.clock)
                seen.clear()
                assert placed(sale, shard, seq, hint, lines=lines) == expected
                assert len(seen) <= (1 if later <= WINDOW else 3), (hint, later)
                seen.clear()
                assert placed(sale, shard, seq, hint + later - 1, lines=lines) == expected
                assert not seen, "epochs never change: a copy is good for ever"


def test_what_is_not_sealed_is_looked_for_twice_a_second_at_most(sale: Sale) -> None:
    lines = Lines(sale.joins, sale.zones, sale.clock)
    seen = reads(sale)
    assert placed(sale, 1, 1, 0, lines=lines) is None
    assert placed(sale, 2, 1, 0, lines=lines) is None
    assert len(seen) == 1
    seal(sale, [{1: 1}])
    assert placed(sale, 1, 1, 0, lines=lines) is None
    sale.clock.advance(LOOK_MS / 1000)
    assert placed(sale, 1, 1, 0, lines=lines) == 0
    assert placed(sale, 1, 2, 0, lines=lines) is None
    assert len(seen) == 2


def test_a_position_the_token_proves_needs_no_read(sale: Sale) -> None:
    seen = reads(sale)
    assert placed(sale, 1, 7, 0, known=Known("general", 1, 7, 99)) == 99
    assert not seen
    assert placed(sale, 1, 8, 0, known=Known("general", 1, 7, 99)) is None, "another place by now"


def test_copies_are_forgotten_before_they_fill_the_memory(sale: Sale) -> None:
    epochs = seal(sale, [{0: number} for number in range(1, COPIES + 100)])
    lines = Lines(sale.joins, sale.zones, sale.clock)
    for epoch in epochs[1::7]:
        assert placed(sale, 0, epoch.number, epoch.number - 1, lines=lines) == epoch.number - 1
    (copies,) = lines._copies.values()
    assert len(copies.epochs) <= COPIES


def test_shards_are_those_of_the_run_whatever_becomes_of_the_zone(sale: Sale) -> None:
    sale.join("a")
    sale.tick()
    sale.change(expected_joins_per_sec=100)
    sale.join("b")
    sale.tick(2)
    assert sorted(sale.locate(name).position for name in "ab") == [0, 1]
    assert replace(sale.gate()).shards == SHARDS


def test_looking_for_a_place_among_two_hundred_counters_reads_little() -> None:
    """What a cold instance asks of the one partition that all instances ask: 3,000 of these units a second."""
    sale = Sale(expected_joins_per_sec=100_000, max_active=100)
    last = before_all(200)
    for number in range(1, WINDOW + 2):
        epoch = Epoch(number, last.tail, tuple(100 * number + shard for shard in range(200)))
        sale.joins.seal("z", 1, "general", last, epoch)
        last = epoch
    before = sale.store.units.read
    Lines(sale.joins, sale.zones, sale.clock).placed(item(7, 101, 0), GateItem("z", 1, 10, shards=200))
    assert sale.store.units.read - before <= 1.5
