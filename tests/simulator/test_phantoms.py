"""Positions that nobody stands at delay an honest visitor in an empty room by no more than one claim window."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest

from scripts.simulation.phantoms import PHANTOMS
from scripts.simulation.run import run
from scripts.simulation.scenarios import SCENARIOS
from waiting_room.domain.admission.show_up import ShowUp
from waiting_room.domain.line import again
from waiting_room.domain.zone.zones import ClaimRules

LIVELY, NEW, ONE_ACCOUNT = (scenario.name for scenario in PHANTOMS)
WINDOW_SEC = ClaimRules.window_sec
_learn = ShowUp._learn


def forgets(show_up: ShowUp, *learnt: object) -> ShowUp:
    """What is learnt, but for how many in a row did not come."""
    return replace(_learn(show_up, *learnt), silent=0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [LIVELY, NEW])
def test_a_thousand_phantoms_cost_an_empty_room_no_more_than_a_window(name: str) -> None:
    row, _ = run(SCENARIOS[name], seed=1)
    assert not row.broken
    assert row.values["wait_max_sec"] <= WINDOW_SEC


@pytest.mark.parametrize("name", [LIVELY, NEW])
def test_without_the_count_of_the_silent_they_cost_more(name: str) -> None:
    with mock.patch.object(ShowUp, "_learn", forgets):
        row, _ = run(SCENARIOS[name], seed=1)
    assert row.values["wait_max_sec"] > WINDOW_SEC


def test_one_account_gets_a_handful_of_positions_and_delays_nobody() -> None:
    row, _ = run(SCENARIOS[ONE_ACCOUNT], seed=1)
    assert not row.broken
    assert row.values["positions_of_account"] <= 8
    assert row.values["wait_max_sec"] <= 5


def test_without_the_back_off_it_gets_hundreds() -> None:
    with mock.patch.object(again, "FREE", 2**60):
        row, _ = run(SCENARIOS[ONE_ACCOUNT], seed=1)
    assert row.values["positions_of_account"] > 500
