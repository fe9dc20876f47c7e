"""The arguments of `wr`, and what it ends with: 0 done, 1 refused or a check failed, 2 wrong input, 3 no answer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import httpx

from ..deployment.installed import version
from ..operator_api.api import OperatorApi
from ..operator_api.connection import find_target
from ..operator_api.errors import OperatorError
from . import (
    afterwards,
    commands,
    completion,
    examine,
    gate_commands,
    key_commands,
    metrics_commands,
    rehearse,
    zone_commands,
)
from .answers import Answer
from .arguments import Command, Commands, add_options, whole_number
from .draws import verify_draw

EXAMPLES = """\
Without --api-url, `wr` talks to the demo running on this machine (`make demo`).
On AWS it signs with your own credentials, found as the AWS command line finds them.

examples:
  wr zones apply zones.json --dry-run
  wr control midnight-sun pause
  wr control midnight-sun restore --to 20m
  wr set midnight-sun rate_per_min=60 max_active=200 "message=Doors are open."
  wr set winter-gala starts_at=2027-03-01T18:00:00+01:00 session.idle_sec=120
  wr bypass midnight-sun --for "Box office" --minutes 30
  wr invite midnight-sun --lane vip --for "Ada Lovelace"
  wr watch midnight-sun
  wr dashboard --deployment foyer
  wr preflight 10000 --site-url https://tickets.example.com
  wr verify-deploy https://tickets.example.com
  wr rehearse practice --host tickets.example.com --visitors 300 --arrival two-waves
  wr page preview midnight-sun
  wr history midnight-sun --run 2
  wr report midnight-sun 2 --export build/midnight-sun

exit codes: 0 done, 1 the service refused or a check failed, 2 an argument or a file is wrong, 3 no service answered
"""


def main(argv: Sequence[str] | None = None, transport: httpx.BaseTransport | None = None) -> int:
    """Run one command and return the exit code; errors go to stderr as one line each."""
    arguments = _parser().parse_args(argv)
    # What the environment says does not name a host: some commands only go where they were sent.
    named = arguments.api_url if arguments.api_url != os.environ.get("FOYER_API_URL") else None
    arguments.named_api_url = named
    try:
        answer = _run(arguments, transport)
        if answer is None:
            return 0
        answer.show(as_json=arguments.json)
        return answer.code
    except OperatorError as error:
        print(f"wr: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader went away (`wr zones list | head`); stdout is closed so that Python does not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: argparse.Namespace, transport: httpx.BaseTransport | None) -> Answer | None:
    """The answer of a command that needs no service, or of one with the service it finds; None: all is said."""
    if arguments.alone is not None:
        told: Answer | None = arguments.alone(arguments)
        return told
    target = find_target(arguments.api_url, arguments.site_url, arguments.profile, arguments.region)
    api = OperatorApi(target, transport)
    try:
        answer: Answer | None = arguments.command(api, target, arguments)
    finally:
        api.close()
    return answer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wr",
        description="Operate a waiting room: its zones, its line, its visitors.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.add_argument("--version", action="version", version=f"wr {version()}")
    parser.set_defaults(alone=None)
    found: Commands[Command] = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Command
    )
    zone_commands.add_commands(found)
    _live_commands(found)
    _visitor_commands(found)
    key_commands.add_commands(found)
    gate_commands.add_commands(found)
    examine.add_commands(found)
    rehearse.add_command(found)
    _page(found)
    afterwards.add_commands(found)
    metrics_commands.add_command(found)
    completion.add_commands(found, parser)
    return parser


def _live_commands(found: Commands[Command]) -> None:
    meanings = "\n".join(f"  {state:<6} {meaning}" for state, meaning in commands.CONTROL_MEANS.items())
    control = found.add_parser(
        "control",
        help="switch a zone: " + ", ".join(commands.CONTROL_MEANS) + f"; {commands.RESTORE} lapsed places",
        description=f"Switch a zone, live within seconds:\n{meanings}\n\n"
        "restore is no state: it gives places back that have lapsed through no fault of their visitors, by letting\n"
        "the line fall back to where it stood at a moment. It says first whom that affects, and does it with --yes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    control.add_argument("zone", metavar="ZONE")
    control.add_argument("state", metavar="STATE", choices=[*commands.CONTROL_MEANS, commands.RESTORE])
    control.add_argument(
        "--to",
        metavar="TIME",
        help="restore: the moment, as 20m (ago) or in ISO 8601; without it, when people came in for the last time "
        "before places lapsed and nobody came any more",
    )
    control.add_argument("--yes", action="store_true", help="restore: do it")
    control.add_argument("--reason", metavar="TEXT", help="why, for the audit")
    control.set_defaults(command=commands.control)
    settings = found.add_parser(
        "set",
        help="change settings of a zone, live",
        description="Change settings of a zone, live: any field of the zone schema that may change during a run. "
        "PART.KEY changes one field of an object, `none` unsets a field, starts_at takes ISO 8601 or +60s.",
    )
    settings.add_argument("zone", metavar="ZONE")
    settings.add_argument("settings", metavar="KEY=VALUE", nargs="+")
    settings.add_argument("--reason", metavar="TEXT", help="why, for the audit")
    settings.set_defaults(command=commands.set_values)
    settings.add_argument("--yes", action="store_true", help="do it although it is far more than before")
    watch = found.add_parser("watch", help="a live view of a zone's line")
    watch.add_argument("zone", metavar="ZONE")
    watch.add_argument("--once", action="store_true", help="print it once and end")
    watch.set_defaults(command=commands.watch_zone)
    dashboard = found.add_parser(
        "dashboard",
        help="all zones on one page, in your browser",
        description="Serve a page on 127.0.0.1, behind a random address, that shows every zone and changes one after "
        "you have read what that will do. It calls the operator routes with your credentials, until Ctrl-C.",
    )
    dashboard.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    dashboard.add_argument(
        "--deployment",
        metavar="NAME",
        help="`name` of the Terraform module: show its errors, throttles and exempt passes too",
    )
    dashboard.set_defaults(command=commands.dashboard)


def _visitor_commands(found: Commands[Command]) -> None:
    bypass = found.add_parser("bypass", help="make a link that lets one named person past the line")
    bypass.add_argument("zone", metavar="ZONE")
    bypass.add_argument("--for", dest="name", metavar="NAME", required=True, help="who it is for, for the audit")
    bypass.add_argument(
        "--minutes",
        type=whole_number(1, 1440, "whole minutes"),
        default=60,
        help="how long it is valid (1 to 1440, default 60)",
    )
    bypass.set_defaults(command=commands.bypass)
    invite = found.add_parser("invite", help="make a link into a lane, for one visitor")
    invite.add_argument("zone", metavar="ZONE")
    invite.add_argument("--lane", metavar="LANE", required=True, help="one of the zone's lanes")
    invite.add_argument("--for", dest="name", metavar="NAME", required=True, help="who it is for, for the audit")
    invite.add_argument(
        "--hours",
        type=whole_number(1, 720, "whole hours"),
        default=24,
        help="how long it is valid (1 to 720, default 24)",
    )
    invite.set_defaults(command=commands.invite)
    revoke = found.add_parser("revoke", help="revoke a session, a visitor or a bypass token")
    revoke.add_argument("zone", metavar="ZONE")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("--session", metavar="SID")
    which.add_argument("--visitor", metavar="ID")
    which.add_argument("--bypass", metavar="ID")
    revoke.add_argument("--reason", help="why, for the audit")
    revoke.set_defaults(command=commands.revoke)
    look_up = found.add_parser("look-up", help="what is known about one visitor")
    look_up.add_argument("zone", metavar="ZONE")
    look_up.add_argument("visitor", metavar="VISITOR")
    look_up.set_defaults(command=commands.look_up)
    verify = found.add_parser(
        "verify-draw",
        help="recompute a draw from what was published",
        description="Check that the published secret is the one committed to, and work out places from it: one "
        "visitor's by the number told before the start, or all of them.",
    )
    verify.add_argument("zone", metavar="ZONE")
    verify.add_argument("--run", type=whole_number(1, 2**53 - 1), default=1, help="the run of the zone (default 1)")
    verify.add_argument("--lane", default="general", help="the visitor's lane (default general)")
    verify.add_argument("--arrival", type=whole_number(1, 2**53 - 1), metavar="N", help="the visitor's number, from 1")
    verify.add_argument("--beacon", action="store_true", help="also ask drand whether it signed the beacon's value")
    verify.set_defaults(command=verify_draw)
    erase = found.add_parser(
        "erase",
        help="erase everything stored of one visitor",
        description="End the visitor's place and delete all that is stored of it. A session ends within its lease; "
        "revoke the visitor first to end it at the gate too. A visitor who comes again is a new one.",
    )
    erase.add_argument("zone", metavar="ZONE")
    erase.add_argument("visitor", metavar="VISITOR")
    erase.set_defaults(command=commands.erase)


def _page(found: Commands[Command]) -> None:
    page = found.add_parser("page", help="look at a zone's waiting page")
    actions = page.add_subparsers(title="actions", metavar="ACTION", required=True)
    preview = actions.add_parser(
        "preview",
        help="every state of it in every language, on this machine",
        description="Serve the waiting page of a zone on this machine, in every state and language, until Ctrl-C.",
    )
    preview.add_argument("zone", metavar="ZONE")
    preview.add_argument("--file", metavar="FILE", help="show the zone as this file has it, before it is applied")
    preview.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    preview.set_defaults(command=commands.page_preview)
