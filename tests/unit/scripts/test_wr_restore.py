"""`wr control ZONE restore`: it says whom it affects, and does it only with --yes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api_world import ZONE_ID, lapse
from tests.unit.scripts.test_wr_commands import service, wr

__all__ = ["service", "wr"]


@pytest.fixture
def lapsed(service: Any) -> Any:
    """Ten in line of a room for three; one came in, the others lapsed."""
    lapse(service.world)
    return service


def floor(service: Any) -> int:
    gate = service.world.stores.gates.read(ZONE_ID, 1)
    return int(gate.lane("general").floor)


def test_it_says_whom_it_affects_and_changes_nothing(wr: Any, lapsed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = floor(lapsed)
    assert wr("control", ZONE_ID, "restore") == 2
    said = capsys.readouterr().out
    assert f"up to {before} lapsed places come back (floor {before} -> 0)" in said
    assert "Nobody who is inside is touched. Whoever has joined again meanwhile keeps the new place." in said
    assert "when people came in for the last time before places lapsed" in said
    assert f"Nothing was changed. If this is what you mean: wr control {ZONE_ID} restore --to 20" in said
    assert floor(lapsed) == before
    again = said.rpartition("wr ")[2].split()
    assert wr(*again) == 0
    assert "Done." in capsys.readouterr().out
    assert floor(lapsed) == 0


def test_with_yes_it_is_done_with_its_reason(wr: Any, lapsed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert wr("control", ZONE_ID, "restore", "--yes", "--reason", "the API was down", "--json") == 0
    told = json.loads(capsys.readouterr().out)["restored"]
    assert (told["done"], told["lanes"]["general"]["floor"][1]) == (True, 0)
    assert json.loads(lapsed.sent("POST")[-1].content) == {"reason": "the API was down"}
    assert wr("control", ZONE_ID, "restore", "--to", "2027-03-01T18:00:00Z", "--yes") == 2, "that is yet to come"


def test_where_nothing_has_lapsed_there_is_nothing_to_do(
    wr: Any, lapsed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wr("control", ZONE_ID, "restore", "--yes") == 0
    moment = json.loads(lapsed.world.operate("POST", f"/zones/{ZONE_ID}/restorations", {"dry_run": True}).body)
    assert moment["type"].endswith("invalid-input"), "what was given back is not given back twice by itself"
    capsys.readouterr()
    assert wr("control", ZONE_ID, "restore", "--to", "0s") == 0
    assert "There is nothing to give back" in capsys.readouterr().out


@pytest.mark.parametrize("extra", [("--to", "5m"), ("--yes",)])
def test_a_switch_takes_neither_time_nor_yes(wr: Any, lapsed: Any, extra: tuple[str, ...]) -> None:
    assert wr("control", ZONE_ID, "pause", *extra) == 2
    assert lapsed.zone()["control"] == "auto"


@pytest.mark.parametrize("text", ["yesterday", "+5m", "2026-01-01T00:00:00"])
def test_a_moment_that_cannot_be_meant_is_refused(
    wr: Any, lapsed: Any, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wr("control", ZONE_ID, "restore", "--to", text) == 2
    assert lapsed.sent("POST") == []
    assert text in capsys.readouterr().err
