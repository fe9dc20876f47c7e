"""`wr history` and `wr report`: what was done to a zone, and what a run of it was like."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import boto3

from ..operator_api.api import OperatorApi
from ..operator_api.connection import Target
from ..operator_api.errors import BadInput, OperatorError
from ..report.export import export
from ..report.files import archive_folder
from ..report.numbers import count
from ..report.page import page
from ..report.questions import Answers
from .answers import Answer
from .arguments import Command, Commands, whole_number
from .draws import read_draw
from .words.entries import lines
from .words.moments import show_moment

MOST_MINUTES = 1440
MOST = 10**9 - 1
"""Runs, as in schemas/zone.json."""

Json = dict[str, Any]


def add_commands(found: Commands[Command]) -> None:
    """Add both commands to the parser."""
    past = found.add_parser(
        "history",
        help="who changed what, when, from what to what",
        description="The audit log of a zone, kept for 400 days, also for a zone that was deleted. "
        "What was done to the signing keys is under _keys.",
    )
    past.add_argument("zone", metavar="ZONE")
    past.add_argument("--run", type=whole_number(1, MOST), help="only this run")
    past.add_argument(
        "--entries",
        type=whole_number(1, 1000),
        default=100,
        metavar="N",
        help="the newest N, up to 1000 (default 100)",
    )
    past.set_defaults(command=history)
    made = found.add_parser(
        "report",
        help="what a run was like: one HTML file with plots",
        description="Make one HTML file about a run from its archived changes and its minute rows: arrivals, line, "
        "admissions, occupancy, waits, drop-off, estimates, fairness. Needs DuckDB (the extra `report`).",
    )
    made.add_argument("zone", metavar="ZONE")
    made.add_argument("run", metavar="RUN", type=whole_number(1, MOST))
    made.add_argument(
        "--archive",
        metavar="WHERE",
        help="s3://BUCKET (Terraform's output archive), or a folder it was copied to; without it, the demo's",
    )
    made.add_argument("--output", metavar="FILE", help="where to write it (default ZONE-RUN.html)")
    made.add_argument("--export", metavar="FOLDER", help="write all numbers as JSON and CSV there too")
    made.set_defaults(command=report)


def history(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """The audit log, oldest first."""
    entries = api.history(arguments.zone, arguments.entries, arguments.run)
    of_run = f" in run {arguments.run}" if arguments.run else ""
    said = [] if entries else [f"Nothing is noted of {arguments.zone}{of_run}."]
    for entry in entries:
        run = f", run {entry['run']}" if "run" in entry else ""
        said.append(f"{show_moment(entry['at_ms'])}  {entry['action']}{run}  by {entry['by']}")
        said += [f"    {line}" for line in lines(entry)]
    return Answer({"entries": entries}, said)


def report(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> Answer:
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
    wrong = [check for check in numbers.checks if not check.agrees]
    exported = [str(path) for path in export(numbers, Path(arguments.export))] if arguments.export else []
    counts = {name: numbers.totals[name] for name in ("visitors", "admitted")}
    said = [
        f"{output}: {counts['visitors']} visitors, {counts['admitted']} admitted",
        *(f"{each.what}: {each.archive} in the archive, {each.counters} counted ({each.meaning})" for each in wrong),
        *exported,
    ]
    differing = [{"what": each.what, "archive": each.archive, "counters": each.counters} for each in wrong]
    return Answer({"file": str(output), **counts, "differing": differing, "exported": exported}, said)


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
