"""The arguments of `wr`, and what it ends with: 0 done, 1 refused or a check failed, 2 wrong input, 3 no answer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import httpx

from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import find_target
from scripts.operator_api.errors import OperatorError
from scripts.operator_cli import afterwards, commands, examine, gate_commands, key_commands, metrics_commands, rehearse
from scripts.operator_cli.draws import verify_draw

EXAMPLES = """\
Without --api-url, `wr` talks to the demo running on this machine (`make demo`).
On AWS it signs with your own credentials, found as the AWS command line finds them.

examples:
  wr zones apply zones.json --dry-run
  wr control midnight-sun pause
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


def main(argv: Sequence[str], transport: httpx.BaseTransport | None = None) -> int:
    """Run one command and return the exit code; errors go to stderr as one line each."""
    arguments = _parser().parse_args(argv)
    # What the environment says does not name a host: some commands only go where they were sent.
    named = arguments.api_url if arguments.api_url != os.environ.get("FOYER_API_URL") else None
    arguments.named_api_url = named
    try:
        return _run(arguments, transport)
    except OperatorError as error:
        print(f"wr: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader went away (`wr zones list | head`); stdout is closed so that Python does not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: argparse.Namespace, transport: httpx.BaseTransport | None) -> int:
    """Run a command that needs no service, or one that talks to the service it finds; return the exit code."""
    if arguments.alone is not None:
        return int(arguments.alone(arguments))
    target = find_target(arguments.api_url, arguments.site_url, arguments.profile, arguments.region)
    api = OperatorApi(target, transport)
    try:
        return int(arguments.command(api, target, arguments) or 0)
    finally:
        api.close()


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
    parser.set_defaults(alone=None)
    parser.add_argument("--profile", help="profile of your AWS configuration")
    parser.add_argument("--region", help="AWS region, if it cannot be told from --api-url")
    found = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _zones(found)
    _live_commands(found)
    _visitor_commands(found)
    _keys(found)
    _gate_commands(found)
    examine.add_commands(found)
    rehearse.add_command(found)
    _page(found)
    afterwards.add_commands(found)
    metrics_commands.add_command(found)
    return parser


def _zones(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    zones = found.add_parser("zones", help="make, list and show zones")
    actions = zones.add_subparsers(title="actions", metavar="ACTION", required=True)
    apply = actions.add_parser(
        "apply",
        help="make the zones what a file says",
        description="Create or replace the zones of a JSON file: one zone, a list of zones, or "
        '{"defaults": {...}, "templates": {...}, "zones": [...]}. A zone is written over the template it names, and '
        "that over the defaults. A file with a mistake is refused whole. A zone that is already so stays untouched; "
        "`control` stays as it is unless the file names it. Moments: starts_at, opens_at, ends_at, in ISO 8601 or in "
        "the local time of `time_zone` (Europe/Oslo).",
    )
    apply.add_argument("file", metavar="FILE")
    apply.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    apply.set_defaults(command=commands.zones_apply)
    listing = actions.add_parser("list", help="a table of all zones")
    listing.set_defaults(command=commands.zones_list)
    show = actions.add_parser("show", help="one zone as JSON that `zones apply` takes")
    show.add_argument("zone", metavar="ZONE")
    show.set_defaults(command=commands.zones_show)


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


def _visitor_commands(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bypass = found.add_parser("bypass", help="make a link that lets one named person past the line")
    bypass.add_argument("zone", metavar="ZONE")
    bypass.add_argument("--for", dest="name", metavar="NAME", required=True, help="who it is for, for the audit")
    bypass.add_argument("--minutes", type=_minutes, default=60, help="how long it is valid (1 to 1440, default 60)")
    bypass.set_defaults(command=commands.bypass)
    invite = found.add_parser("invite", help="make a link into a lane, for one visitor")
    invite.add_argument("zone", metavar="ZONE")
    invite.add_argument("--lane", metavar="LANE", required=True, help="one of the zone's lanes")
    invite.add_argument("--for", dest="name", metavar="NAME", required=True, help="who it is for, for the audit")
    invite.add_argument("--hours", type=_hours, default=24, help="how long it is valid (1 to 720, default 24)")
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
    verify.add_argument("--run", type=_number, default=1, help="the run of the zone (default 1)")
    verify.add_argument("--lane", default="general", help="the visitor's lane (default general)")
    verify.add_argument("--arrival", type=_number, metavar="N", help="the visitor's number, from 1")
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


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 2**53:
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return int(text)


def _gate_commands(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = found.add_parser(
        "explain",
        help="why a request would pass or wait",
        description="Run the gate's own code over one request, with the zones as they are now, and say why it would "
        "pass or wait. Sends nothing to the site. Revocations and the line's length are not looked at.",
    )
    explain.add_argument("url", metavar="URL", help="address as a browser would open it")
    explain.add_argument("--method", default="GET")
    explain.add_argument("--header", metavar="'NAME: VALUE'", action="append", default=[], help="also for cookies")
    explain.add_argument("--ip", default="", help="address of the client")
    explain.add_argument("--program", action="store_true", help="asked by a script or an app, not as a page")
    explain.set_defaults(command=gate_commands.explain)
    secret = found.add_parser(
        "secret", help="make a random secret for an exempt rule, and the hash that goes into the zone; sends nothing"
    )
    secret.set_defaults(command=gate_commands.secret)


def _keys(found: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    keys = found.add_parser("keys", help="list, rotate and retire the keys that sign tokens")
    keys.set_defaults(command=key_commands.keys_list)
    actions = keys.add_subparsers(title="actions", metavar="ACTION")
    listing = actions.add_parser("list", help="the signing keys, public parts only")
    listing.set_defaults(command=key_commands.keys_list)
    rotate = actions.add_parser(
        "rotate",
        help="put the next key to use",
        description="Put the next key to use, once every edge knows it, and introduce another. Visitors notice "
        "nothing: the old key goes on verifying what it signed, until it is retired.",
    )
    rotate.add_argument("--wait", action="store_true", help="wait as long as it takes (about six minutes)")
    rotate.set_defaults(command=key_commands.keys_rotate)
    retire = actions.add_parser(
        "retire",
        help="take a replaced key away",
        description="Take a replaced key away, a day after the rotation, when no token of it is valid any more.",
    )
    retire.add_argument("key", metavar="KEY")
    retire.add_argument(
        "--force",
        action="store_true",
        help="the key has leaked: do not wait. Five minutes after the rotation at the earliest; lock the zones "
        "meanwhile. Visitors whose token it signed lose their place",
    )
    retire.set_defaults(command=key_commands.keys_retire)


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
    preview.set_defaults(command=commands.page_preview)


def _minutes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1440:
        raise argparse.ArgumentTypeError("give whole minutes from 1 to 1440")
    return int(text)


def _hours(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 720:
        raise argparse.ArgumentTypeError("give whole hours from 1 to 720")
    return int(text)
