"""`wr history` and `wr report`: what was done to a zone, and what a run of it was like."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import boto3

from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import Target
from scripts.operator_api.errors import BadInput, OperatorError
from scripts.operator_cli.draws import read_draw
from scripts.operator_cli.words.entries import lines
from scripts.operator_cli.words.moments import show_moment
from scripts.report.export import export
from scripts.report.files import archive_folder
from scripts.report.numbers import count
from scripts.report.page import page
from scripts.report.questions import Answers

MOST_MINUTES = 1440

Json = dict[str, Any]


def add_commands(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to the parser."""
    past = found.add_parser(
        "history",
        help="who changed what, when, from what to what",
        description="The audit log of a zone, kept for 400 days, also for a zone that was deleted. "
        "What was done to the signing keys is under _keys.",
    )
    past.add_argument("zone", metavar="ZONE")
    past.add_argument("--run", type=_number, help="only this run")
    past.add_argument(
        "--entries", type=_number, default=100, metavar="N", help="the newest N (default 100, at most 1000)"
    )
    past.add_argument("--json", action="store_true", help="as JSON, with every setting")
    past.set_defaults(command=history)
    made = found.add_parser(
        "report",
        help="what a run was like: one HTML file with plots",
        description="Make one HTML file about a run from its archived changes and its minute rows: arrivals, line, "
        "admissions, occupancy, waits, drop-off, estimates, fairness. Needs DuckDB (`pip install duckdb`).",
    )
    made.add_argument("zone", metavar="ZONE")
    made.add_argument("run", metavar="RUN", type=_number)
    made.add_argument(
        "--archive",
        metavar="WHERE",
        help="s3://BUCKET (Terraform's output archive), or a folder it was copied to; without it, the demo's",
    )
    made.add_argument("--output", metavar="FILE", help="where to write it (default ZONE-RUN.html)")
    made.add_argument("--export", metavar="FOLDER", help="write all numbers as JSON and CSV there too")
    made.set_defaults(command=report)


def history(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """The audit log, oldest first."""
    entries = api.history(arguments.zone, arguments.entries, arguments.run)
    if arguments.json:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
        return
    if not entries:
        of_run = f" in run {arguments.run}" if arguments.run else ""
        print(f"Nothing is noted of {arguments.zone}{of_run}.")
    for entry in entries:
        run = f", run {entry['run']}" if "run" in entry else ""
        print(f"{show_moment(entry['at_ms'])}  {entry['action']}{run}  by {entry['by']}")
        print("".join(f"    {line}\n" for line in lines(entry)), end="")


def report(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> None:
    """Make the report of a run."""
    where = arguments.archive or target.archive
    if not where:
        raise BadInput("Say where the archive is: --archive s3://BUCKET (Terraform's output archive) or a folder.")
    zone_id, run = arguments.zone, arguments.run
    rows = api.metrics(zone_id, MOST_MINUTES, run)["minutes"]
    client = _store(target) if where.startswith("s3://") else None
    try:
        with archive_folder(where, zone_id, client) as folder, Answers.of(folder, zone_id) as answers:
            numbers = count(answers, zone_id, run, rows, api.find_zone(zone_id), _draw(target, zone_id, run))
    finally:
        if client is not None:
            client.close()
    if not numbers.totals["places"] and not rows:
        raise BadInput(f"Nobody joined {zone_id} in run {run}, or it is too new: there is nothing to report.")
    output = Path(arguments.output or f"{zone_id}-{run}.html")
    output.write_text(page(numbers), encoding="utf-8")
    print(f"{output}: {numbers.totals['visitors']} visitors, {numbers.totals['admitted']} admitted")
    for check in numbers.checks:
        if not check.agrees:
            print(f"{check.what}: {check.archive} in the archive, {check.counters} counted ({check.meaning})")
    if arguments.export:
        print("\n".join(str(path) for path in export(numbers, Path(arguments.export))))


def _draw(target: Target, zone_id: str, run: int) -> Json | None:
    """The record of the draw, where one was held and can be read."""
    try:
        draw = read_draw(target, zone_id, run)
    except OperatorError:
        return None
    return {
        "commitment": draw.commitment,
        "early joiners": dict(draw.early or {}),
        "beacon round": draw.beacon_round,
        "beacon value": draw.beacon_value,
    }


def _store(target: Target) -> Any:
    frozen = target.credentials.get_frozen_credentials()
    return boto3.client(
        "s3",
        region_name=target.region,
        endpoint_url=target.endpoint,
        aws_access_key_id=frozen.access_key,
        aws_secret_access_key=frozen.secret_key,
        aws_session_token=frozen.token,
    )


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 10**9:
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return int(text)
