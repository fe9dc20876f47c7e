"""The cap at the gate, in the simulator: what gives room away before gates know of an exit is noticed."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest

from scripts.simulation import gates
from scripts.simulation.run import run
from scripts.simulation.scenarios import SCENARIOS
from waiting_room.edge import exit_lists
from waiting_room.edge.exit_lists import ExitLists
from waiting_room.use_cases import list_exits

LOOPS = replace(SCENARIOS["claim, leave and claim again"], seconds=90)
CAP = 5


def let_in() -> tuple[float, bool]:
    row, _ = run(LOOPS, seed=1)
    return row.values["let_in_max"], any("rule 1: the gate let" in broken for broken in row.broken)


def test_every_token_is_tried_and_no_more_are_let_in_than_the_cap() -> None:
    assert let_in() == (CAP, False)


def test_exits_make_room() -> None:
    row, simulation = run(LOOPS, seed=1)
    assert row.values["admitted"] > 3 * CAP
    assert not row.broken
    (asking,) = simulation.also_measured
    assert isinstance(asking, gates.EveryToken)
    assert len(asking.tokens) == row.values["admitted"], "one that is not tried would not be counted"


@pytest.mark.parametrize("missing", ["the list is not waited for", "no gate reads it", "gates keep it for a minute"])
def test_room_given_away_before_gates_know_is_noticed(missing: str) -> None:
    with (
        mock.patch.object(list_exits, "EXIT_LISTED_MS", 0)
        if missing == "the list is not waited for"
        else mock.patch.object(ExitLists, "__call__", return_value=False)
        if missing == "no gate reads it"
        else mock.patch.object(exit_lists, "KEEP_SEC", 60)
    ):
        most, broken = let_in()
    assert most > CAP
    assert broken
