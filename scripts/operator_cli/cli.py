"""The arguments of `wr`, and what it ends with: 0 done, 1 refused by the service, 2 wrong input, 3 no answer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import httpx

from scripts.operator_cli import commands
from scripts.operator_cli.api import OperatorApi
from scripts.operator_cli.connection import find_target
from scripts.operator_cli.errors import OperatorError

EXAMPLES = """\
Without --api-url, `wr` talks to the demo running on this machine (`make demo`).
On AWS it signs with your own credentials, found as the AWS command line finds them.

examples:
  wr zones apply zones.json --dry-run
  wr control midnight-sun pause
  wr set midnight-sun rate_per_min=60 max_active=200 "message=Doors are open."
  wr set winter-gala starts_at=2027-03-01T18:00:00+01:00 session.idle_sec=120
  wr bypass midnight-sun --for "Box office" --minutes 30
  wr watch midnight-sun
  wr page preview midnight-sun

exit codes: 0 done, 1 the service refused, 2 an argument or a file is wrong, 3 no service answered
"""


def main(argv: Sequence[str], transport: httpx.BaseTransport | None = None) -> int:
    """Run one command and return the exit code; errors go to stderr as one line each."""
    arguments = _parser().parse_args(argv)
    try:
        target = find_target(arguments.api_url, arguments.site_url, arguments.profile, arguments.region)
        api = OperatorApi(target, transport)
        try:
            arguments.run(api, target, arguments)
        finally:
            api.close()
    except OperatorError as error:
        print(f"wr: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader went away (`wr zones list | head`); stdout is closed so that Python does not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wr",
        description="Operate a waiting room: its zones, its line, its visitors.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--api-url",
        metavar="URL",
        default=os.environ.get("FOYER_API_URL"),
        help="execute-api address of the deployment (or FOYER_API_URL); without it, the demo on this machine",
    )
    parser.add_argument(
        "--site-url",
        metavar="URL",
        default=os.environ.get("FOYER_SITE_URL"),
        help="address of the guarded site (or FOYER_SITE_URL), for links and the public status document",
    )
    parser.add_argument("--profile", help="profile of your AWS configuration")
    parser.add_argument("--region", help="AWS region, if it cannot be told from --api-url")
    found = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _zones(found)
    _live_commands(found)
    _visitor_commands(found)
    _page(found)
    return parser


def _zones(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    zones = found.add_parser("zones", help="make, list and show zones")
    actions = zones.add_subparsers(title="actions", metavar="ACTION", required=True)
    apply = actions.add_parser(
        "apply",
        help="make the zones what a file says",
        description="Create or replace the zones of a JSON file: one zone, a list of zones, or "
        '{"defaults": {...}, "zones": [...]}. A file with a mistake is refused whole. A zone that is already so '
        "stays untouched; `control` stays as it is unless the file names it.",
    )
    apply.add_argument("file", metavar="FILE")
    apply.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    apply.set_defaults(run=commands.zones_apply)
    listing = actions.add_parser("list", help="a table of all zones")
    listing.set_defaults(run=commands.zones_list)
    show = actions.add_parser("show", help="one zone as JSON that `zones apply` takes")
    show.add_argument("zone", metavar="ZONE")
    show.set_defaults(run=commands.zones_show)


def _live_commands(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    meanings = "\n".join(f"  {state:<6} {meaning}" for state, meaning in commands.CONTROL_MEANS.items())
    control = found.add_parser(
        "control",
        help="switch a zone: " + ", ".join(commands.CONTROL_MEANS),
        description=f"Switch a zone, live within seconds:\n{meanings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    control.add_argument("zone", metavar="ZONE")
    control.add_argument("state", metavar="STATE", choices=commands.CONTROL_MEANS)
    control.set_defaults(run=commands.control)
    settings = found.add_parser(
        "set",
        help="change settings of a zone, live",
        description="Change settings of a zone, live: any field of the zone schema that may change during a run. "
        "PART.KEY changes one field of an object, `none` unsets a field, starts_at takes ISO 8601 or +60s.",
    )
    settings.add_argument("zone", metavar="ZONE")
    settings.add_argument("settings", metavar="KEY=VALUE", nargs="+")
    settings.set_defaults(run=commands.set_values)
    watch = found.add_parser("watch", help="a live view of a zone's line")
    watch.add_argument("zone", metavar="ZONE")
    watch.add_argument("--once", action="store_true", help="print it once and end")
    watch.set_defaults(run=commands.watch_zone)


def _visitor_commands(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bypass = found.add_parser("bypass", help="make a link that lets one named person past the line")
    bypass.add_argument("zone", metavar="ZONE")
    bypass.add_argument("--for", dest="name", metavar="NAME", required=True, help="who it is for, for the audit")
    bypass.add_argument("--minutes", type=_minutes, default=60, help="how long it is valid (1 to 1440, default 60)")
    bypass.set_defaults(run=commands.bypass)
    revoke = found.add_parser("revoke", help="revoke a session, a visitor or a bypass token")
    revoke.add_argument("zone", metavar="ZONE")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("--session", metavar="SID")
    which.add_argument("--visitor", metavar="ID")
    which.add_argument("--bypass", metavar="ID")
    revoke.add_argument("--reason", help="why, for the audit")
    revoke.set_defaults(run=commands.revoke)
    look_up = found.add_parser("look-up", help="what is known about one visitor")
    look_up.add_argument("zone", metavar="ZONE")
    look_up.add_argument("visitor", metavar="VISITOR")
    look_up.set_defaults(run=commands.look_up)
    keys = found.add_parser("keys", help="list the signing keys, public parts only")
    keys.set_defaults(run=commands.keys)


def _page(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    preview.set_defaults(run=commands.page_preview)


def _minutes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1440:
        raise argparse.ArgumentTypeError("give whole minutes from 1 to 1440")
    return int(text)
