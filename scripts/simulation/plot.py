"""A picture of one run: the line, the room against its cap, waits by arrival, estimates against the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.simulation.kernel import START_MS
from scripts.simulation.order import line
from scripts.simulation.simulation import Simulation

MOST_POINTS = 4_000


class MissingMatplotlib(Exception):
    """Raised where matplotlib is not installed: it is an extra."""


def plot(simulation: Simulation, path: Path) -> None:
    """Draw a finished run into a PNG (or whatever the file's name says)."""
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise MissingMatplotlib from error
    figure, axes = plt.subplots(2, 2, figsize=(14, 9), constrained_layout=True)
    figure.suptitle(f"{simulation.scenario.name} (seed {simulation.seed})")
    _line(axes[0][0], simulation)
    _room(axes[0][1], simulation)
    _waits(axes[1][0], simulation)
    _estimates(axes[1][1], simulation)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _line(axis: Any, simulation: Simulation) -> None:
    moments = simulation.watch.moments
    seconds = [moment.sec for moment in moments]
    axis.plot(seconds, [sum(moment.tail.values()) for moment in moments], label="joined")
    axis.plot(seconds, [sum(moment.serving.values()) for moment in moments], label="called")
    axis.plot(seconds, [moment.waiting for moment in moments], label="waiting at the page")
    axis.set(title="Line", xlabel="seconds", ylabel="visitors")
    axis.legend()


def _room(axis: Any, simulation: Simulation) -> None:
    moments = simulation.watch.moments
    seconds = [moment.sec for moment in moments]
    axis.plot(seconds, [moment.inside for moment in moments], label="really there")
    axis.plot(seconds, [moment.live for moment in moments], label="live sessions")
    axis.plot(seconds, [moment.cap for moment in moments], "k--", label="cap")
    axis.set(title="In the zone", xlabel="seconds", ylabel="visitors")
    axis.legend()


def _waits(axis: Any, simulation: Simulation) -> None:
    lines = [(number, lane) for number, run in sorted(simulation.watch.runs.items()) for lane in run.lines]
    for number, lane in lines:
        called = simulation.watch.runs[number].line(lane).called_ms
        waits = [
            ((joined_ms - START_MS) / 1000, max(0, called_ms - joined_ms) / 1000)
            for joined_ms, called_ms in zip(line(simulation, number, lane).taken_ms, called, strict=False)
        ]
        step = max(1, len(waits) // MOST_POINTS)
        label = f"run {number}, {lane}"
        axis.plot(*zip(*waits[::step], strict=True) if waits else ([], []), ".", markersize=2, label=label)
    axis.set(title="Wait by time of arrival", xlabel="arrived at, seconds", ylabel="seconds until called")


def _estimates(axis: Any, simulation: Simulation) -> None:
    watch = simulation.watch
    points = [
        ((called_ms[position] - shown_ms) / 1000, (low + high) / 2)
        for run, lane, position, shown_ms, low, high in watch.estimates
        if position < len(called_ms := watch.runs[run].line(lane).called_ms)
    ]
    step = max(1, len(points) // MOST_POINTS)
    longest = max((true for true, _ in points), default=1.0)
    axis.plot(*zip(*points[::step], strict=True) if points else ([], []), ".", markersize=2)
    axis.plot([0, longest], [0, longest], "k--")
    axis.set(
        title="Estimate against the truth", xlabel="seconds it took", ylabel="seconds estimated", ylim=(0, 2 * longest)
    )
