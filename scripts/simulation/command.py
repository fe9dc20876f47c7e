"""Simulate sales on a virtual clock, with the product's own code over a model of DynamoDB, and print what came of it.

python -m scripts.simulation                                    every scenario; some minutes
python -m scripts.simulation occupancy --seed 7 --plot build/occupancy.png
python -m scripts.simulation --list
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.simulation.figures import Figures
from scripts.simulation.plot import MissingMatplotlib, plot
from scripts.simulation.report import MISSING_MATPLOTLIB, progress_bar, table, write
from scripts.simulation.run import run
from scripts.simulation.scenarios import BY_NAME_ONLY, QUICK, SCENARIOS

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str]) -> int:
    """0: every rule was kept; 1: one was broken; 2: wrong arguments."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.list:
        width = max(map(len, SCENARIOS))
        print("\n".join(f"{name:<{width}}  {scenario.about}" for name, scenario in SCENARIOS.items()))
        return 0
    unknown = [name for name in arguments.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"no scenario is called {unknown[0]!r}; --list names all of them")
    names = arguments.scenarios or (
        QUICK if arguments.quick else [name for name in SCENARIOS if name not in BY_NAME_ONLY]
    )
    with _quiet():
        rows = [row for name in names for row in _runs(name, arguments)]
    print(table(rows))
    for row in rows:
        for what in row.broken:
            print(f"BROKEN in {row.scenario!r}, seed {row.seed}: {what}")
    print(f"\nWritten to {arguments.out}")
    return 1 if any(row.broken for row in rows) else 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing meanwhile: what the product would log of a simulated bad day is no news."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _runs(name: str, arguments: argparse.Namespace) -> list[Figures]:
    rows = []
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        began = time.perf_counter()
        row, simulation = run(SCENARIOS[name], seed, progress_bar(name))
        rows.append(row)
        # At once, for a later run may take long or be broken off.
        write([row], arguments.out)
        print(f"{name}, seed {seed}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        if arguments.plot:
            try:
                plot(simulation, arguments.plot)
            except MissingMatplotlib:
                print(MISSING_MATPLOTLIB, file=sys.stderr)
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="which to run; all when none is named")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("--quick", action="store_true", help="only those the tests run")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same run (default 1)")
    parser.add_argument("--count", type=int, default=1, help="how many seeds from there (default 1)")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the last run (needs the extra `plot`)")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "simulation.json", help="where figures go")
    return parser
