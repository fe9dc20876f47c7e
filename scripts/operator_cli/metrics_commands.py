"""`wr metrics`: what the business metrics in Timestream say of a zone, for deployments that keep them there."""

from __future__ import annotations

import argparse
import json
import time

from scripts.operator_api.connection import environment_region
from scripts.operator_cli.timestream import Timestream, questions, timestream_client
from scripts.operator_cli.words.tables import table

DAYS = 30
DAY_MS = 86_400_000


def add_command(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The arguments of the command."""
    listed = "\n".join(f"  {name:<12}{asked['description']}" for name, asked in questions().items())
    metrics = found.add_parser(
        "metrics",
        help="ask Timestream about a zone, where it keeps the business metrics",
        description='Ask the table of a deployment with metrics = { backend = "timestream" }, with your own AWS '
        "credentials. The minute rows behind `wr watch` and `wr report` are there without it.",
        epilog=f"questions:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    metrics.add_argument("zone", metavar="ZONE")
    metrics.add_argument("question", metavar="QUESTION", choices=list(questions()), help="one of those below")
    metrics.add_argument("--run", type=_number, metavar="N", help="which run; `runs` lists them")
    metrics.add_argument("--days", type=_number, default=DAYS, metavar="N", help=f"how far back (default {DAYS})")
    metrics.add_argument("--name", default="foyer", help="name of the deployment in Terraform (default foyer)")
    metrics.add_argument("--json", action="store_true", help="as JSON, for programs")
    metrics.set_defaults(alone=ask_timestream)


def ask_timestream(arguments: argparse.Namespace) -> int:
    """Ask one question and print the answer; returns the exit code 0."""
    client = timestream_client(arguments.region or environment_region(), arguments.profile)
    since_ms = int(time.time() * 1000) - arguments.days * DAY_MS
    try:
        rows = Timestream(client, arguments.name).ask(arguments.question, arguments.zone, arguments.run, since_ms)
    finally:
        client.close()
    if arguments.json:
        print(json.dumps(rows, indent=2))
    elif not rows:
        print(f"Nothing is known of {arguments.zone} in the last {arguments.days} days.")
    else:
        print("\n".join(table(list(rows[0]), [list(row.values()) for row in rows])))
    return 0


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 10**9:
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return int(text)
