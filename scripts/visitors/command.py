"""Send scripted visitors to a running waiting room, or check the log of such a run.

python -m scripts.visitors --visitors 60 --seed 7 --log build/crowd.jsonl
python -m scripts.visitors --verify build/crowd.jsonl --max-active 5
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from ..deployment.local import DESCRIPTION
from .check import Report, check
from .crowd import HASTY, LOOK_AROUND_SEC, Arrivals, run_crowd
from .event_log import EventLog, read_events
from .guest import Errand


def main(argv: Sequence[str]) -> int:
    """0: done, or the log proves no fault; 1: faults; 2: wrong arguments."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.verify:
        try:
            report = check(read_events(arguments.verify), arguments.max_active)
        except (OSError, ValueError, KeyError) as error:
            parser.error(f"{arguments.verify} cannot be checked: {error}")
        print("\n".join(report_lines(report, arguments.max_active)))
        return 1 if report.faults else 0
    return _send(arguments, arguments.edge_url or _demo_url(parser))


def report_lines(report: Report, max_active: int) -> list[str]:
    """A report as a person reads it."""
    counts = ", ".join(f"{name} {count}" for name, count in sorted(report.counts.items()))
    return [
        f"events: {counts}",
        f"sessions, counted from issued tokens: {report.sessions}",
        f"live at once: {report.certain_peak} for certain, {report.possible_peak} with every request's time added, "
        f"{max_active} are allowed",
        *(f"FAULT: {fault}" for fault in report.faults),
        "no rule was broken" if not report.faults else f"{len(report.faults)} faults",
    ]


def _send(arguments: argparse.Namespace, edge_url: str) -> int:
    errand = Errand(arguments.zone, arguments.path, f"{arguments.path}/checkout", look_around_sec=LOOK_AROUND_SEC)
    habits = replace(
        HASTY,
        absent_share=arguments.absent,
        give_up_share=arguments.give_up,
        silent_share=arguments.silent,
        stay_sec=(arguments.stay[0], arguments.stay[1]),
    )
    arrivals = Arrivals(flash=arguments.visitors, flash_sec=arguments.over)
    with arguments.log.open("w", encoding="utf-8") if arguments.log else nullcontext() as file:
        log = EventLog(file)
        try:
            asyncio.run(run_crowd(edge_url, errand, arrivals, habits, log, arguments.seed))
        except KeyboardInterrupt:
            print("Everybody was sent home.", file=sys.stderr)
            return 130
        finally:
            print(", ".join(f"{name} {count}" for name, count in sorted(log.counts.items())))
    return 1 if log.counts.get("fault") else 0


def _demo_url(parser: argparse.ArgumentParser) -> str:
    try:
        return str(json.loads(DESCRIPTION.read_text(encoding="utf-8"))["edge_url"])
    except FileNotFoundError:
        parser.error("no demo is running: start it with `make demo`, or give --edge-url")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.visitors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edge-url", metavar="URL", help="the site's address; without it, the demo's")
    parser.add_argument("--zone", default="midnight-sun", help="zone id (default %(default)s)")
    parser.add_argument("--path", default="/events/midnight-sun", help="guarded page (default %(default)s)")
    parser.add_argument("--visitors", type=int, default=60, metavar="N", help="how many (default %(default)s)")
    parser.add_argument("--over", type=float, default=5.0, metavar="SEC", help="arrive within (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of everybody's plans and times (default %(default)s)")
    parser.add_argument(
        "--absent", type=float, default=HASTY.absent_share, metavar="SHARE", help="do not come when called"
    )
    parser.add_argument(
        "--give-up", type=float, default=HASTY.give_up_share, metavar="SHARE", help="leave the line (%(default)s)"
    )
    parser.add_argument(
        "--silent", type=float, default=HASTY.silent_share, metavar="SHARE", help="go without a word once in"
    )
    parser.add_argument(
        "--stay",
        type=float,
        nargs=2,
        default=HASTY.stay_sec,
        metavar="SEC",
        help="stay once in, from to (%(default)s)",
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="write what happens, one JSON object a line")
    parser.add_argument("--verify", type=Path, metavar="FILE", help="send nobody; check this log instead")
    parser.add_argument("--max-active", type=int, default=5, help="cap to check against (default %(default)s)")
    return parser
