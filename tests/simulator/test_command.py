"""The simulator's command line and what it leaves behind."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest

from scripts.simulation import command as simulate
from scripts.simulation.figures import Figures
from scripts.simulation.report import progress_bar, table, write

NAME = "idle zone, first joiner"


def row(scenario: str, seed: int = 1, **values: float) -> Figures:
    return Figures(scenario, seed, values, ())


def test_figures_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "build" / "simulation.json"
    assert simulate.main([NAME, "--seed", "3", "--out", str(out)]) == 0
    (written,) = json.loads(out.read_text())
    assert (written["scenario"], written["seed"], written["broken"]) == (NAME, 3, [])
    assert written["figures"]["lost"] == 0
    assert "kept" in capsys.readouterr().out


def test_a_run_again_replaces_its_figures_and_keeps_the_others(tmp_path: Path) -> None:
    out = tmp_path / "simulation.json"
    write([row("a", lost=1), row("b", lost=2)], out)
    write([row("b", lost=3), row("b", seed=2, lost=4)], out)
    assert [(each["scenario"], each["seed"], each["figures"]["lost"]) for each in json.loads(out.read_text())] == [
        ("a", 1, 1),
        ("b", 1, 3),
        ("b", 2, 4),
    ]


def test_the_table_has_the_columns_that_apply() -> None:
    text = table([row("a", lost=0, occupancy_mean=0.91234), row("baseline b", lost=0)])
    assert "occupancy" in text
    assert "0.9123" in text
    assert "recovery" not in text


def test_a_broken_rule_is_said_and_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = Figures(NAME, 1, {"lost": 1}, ("12.0 s: rule 1: 3 live sessions, 2 allowed",))
    with mock.patch.object(simulate, "run", return_value=(broken, None)):
        assert simulate.main([NAME, "--out", str(tmp_path / "out.json")]) == 1
    said = capsys.readouterr().out
    assert "BROKEN" in said
    assert "3 live sessions" in said


def test_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--list"]) == 0
    assert NAME in capsys.readouterr().out


def test_an_unknown_scenario_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate.main(["no such thing"])
    assert ended.value.code == 2
    assert "--list" in capsys.readouterr().err


def test_without_matplotlib_the_figures_come_without_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # type: ignore[arg-type]
    assert simulate.main([NAME, "--plot", str(tmp_path / "plot.png"), "--out", str(tmp_path / "out.json")]) == 0
    assert "requirements-plot.lock" in capsys.readouterr().err


def test_a_picture_is_drawn_of_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas, pyplot, library = mock.MagicMock(), ModuleType("matplotlib.pyplot"), ModuleType("matplotlib")
    axes = [[mock.MagicMock(), mock.MagicMock()], [mock.MagicMock(), mock.MagicMock()]]
    pyplot.subplots = lambda *_, **__: (canvas, axes)  # type: ignore[attr-defined]
    pyplot.close = lambda *_: None  # type: ignore[attr-defined]
    library.use, library.pyplot = lambda *_: None, pyplot  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "matplotlib", library)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    out = tmp_path / "plot.png"
    assert simulate.main([NAME, "--plot", str(out), "--out", str(tmp_path / "out.json")]) == 0
    assert canvas.savefig.call_args.args == (out,)
    assert all(axis.plot.called for row in axes for axis in row)


def test_no_progress_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    progress_bar("a")(0.5)
    assert capsys.readouterr().err == ""


def test_progress_is_drawn_once_a_percent(capsys: pytest.CaptureFixture[str]) -> None:
    with mock.patch("sys.stderr.isatty", return_value=True):
        show = progress_bar("a")
    for part in (0.5, 0.501, 0.51, 1.0):
        show(part)
    drawn = capsys.readouterr().err
    assert drawn.count("50 %") == 1
    assert drawn.endswith("\r")
