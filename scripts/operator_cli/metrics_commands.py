"""`wr metrics`: what the business metrics in Timestream say of a zone, for deployments that keep them there."""

from __future__ import annotations

import argparse
import time

from ..operator_api.connection import environment_region
from .answers import Answer
from .arguments import Command, Commands, whole_number
from .timestream import Timestream, questions, timestream_client
from .words.tables import table

DAYS = 30
DAY_MS = 86_400_000


def add_command(found: Commands[Command]) -> None:
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
    metrics.add_argument("--run", type=whole_number(1, 10**9 - 1), metavar="N", help="which run; `runs` lists them")
    metrics.add_argument(
        "--days", type=whole_number(1, 36500), default=DAYS, metavar="N", help=f"how far back (default {DAYS})"
    )
    metrics.add_argument("--name", default="foyer", help="name of the deployment in Terraform (default foyer)")
    metrics.set_defaults(alone=ask_timestream)


def ask_timestream(arguments: argparse.Namespace) -> Answer:
    """Ask one question."""
    client = timestream_client(arguments.region or environment_region(), arguments.profile)
    since_ms = int(time.time() * 1000) - arguments.days * DAY_MS
    try:
        rows = Timestream(client, arguments.name).ask(arguments.question, arguments.zone, arguments.run, since_ms)
    finally:
        client.close()
    if not rows:
        return Answer({"rows": []}, [f"Nothing is known of {arguments.zone} in the last {arguments.days} days."])
    return Answer({"rows": rows}, table(list(rows[0]), [list(row.values()) for row in rows]))
