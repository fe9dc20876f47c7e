"""`wr zones`: a start for a file of zones, what its settings mean, and files made the zones of a service."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from waiting_room.domain.zone.zones import SERVER_FIELDS

from ..operator_api.api import OperatorApi
from ..operator_api.connection import Target
from ..operator_api.errors import Refused
from .answers import Answer, as_text, tell
from .apply import apply_zone, summary
from .arguments import Command, Commands
from .words.moments import show_moment
from .words.tables import table
from .zone_fields import ZoneField, explained, paragraphs
from .zone_files import read_zone_file
from .zone_start import NEEDED, start

Json = dict[str, Any]


def add_commands(found: Commands[Command]) -> None:
    """The arguments of `wr zones`."""
    zones = found.add_parser("zones", help="begin, make, list and show zones; explain their settings")
    actions = zones.add_subparsers(title="actions", metavar="ACTION", required=True)
    begin = actions.add_parser(
        "new",
        help="a start for a file of zones, with remarks",
        description="Print a file with one zone and a remark at every setting, for `wr zones apply`. Nothing is sent. "
        "JSON knows no comments: a key that begins with // is one here, and a setting that begins with // is off.",
        epilog="example:\n  wr zones new my-show --paths /events/x > zones.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    begin.add_argument("zone", metavar="ZONE", help="its id: lower-case letters, digits and -")
    begin.add_argument(
        "--paths", metavar="PATH", nargs="+", required=True, help="what is guarded: /events/x and all below it"
    )
    begin.add_argument("--hosts", metavar="HOST", nargs="+", default=[], help="only on these hosts (default: any)")
    begin.add_argument("--mode", choices=NEEDED, default="queueing", help="default %(default)s: so many at once")
    begin.set_defaults(alone=zones_new)
    explain = actions.add_parser(
        "fields",
        help="what the settings of a zone mean",
        description="Explain every setting of a zone, or one with its parts: meaning, unit, bounds, default, example, "
        "and whether it can be changed live. ZONES.md has the same on one page.",
        epilog="examples:\n  wr zones fields\n  wr zones fields session\n  wr zones fields claim.window_sec",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explain.add_argument("name", metavar="NAME", nargs="?", help="like rate_per_min or session.idle_sec")
    explain.set_defaults(alone=zones_fields)
    apply = actions.add_parser(
        "apply",
        help="make the zones what a file says",
        description="Create or replace the zones of a JSON file: one zone, a list of zones, or "
        '{"defaults": {...}, "templates": {...}, "zones": [...]}. A zone is written over the template it names, and '
        "that over the defaults. A file with a mistake is refused whole. A zone that is already so stays untouched; "
        "`control` stays as it is unless the file names it. Moments: starts_at, opens_at, ends_at, in ISO 8601 or in "
        "the local time of `time_zone` (Europe/Oslo). Keys that begin with // are remarks.",
    )
    apply.add_argument("file", metavar="FILE")
    apply.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    apply.set_defaults(command=zones_apply)
    listing = actions.add_parser("list", help="a table of all zones")
    listing.set_defaults(command=zones_list)
    show = actions.add_parser("show", help="one zone as JSON that `zones apply` takes")
    show.add_argument("zone", metavar="ZONE")
    show.set_defaults(command=zones_show)


def zones_new(arguments: argparse.Namespace) -> Answer:
    """A commented start for a file of zones."""
    document = start(arguments.zone, arguments.mode, arguments.paths, arguments.hosts, datetime.now(UTC))
    return Answer(document, [as_text(document)])


def zones_fields(arguments: argparse.Namespace) -> Answer:
    """The settings of a zone, explained: all of the first level, or one with its parts."""
    found = explained(arguments.name)
    document = {"fields": [{**asdict(each), "changes": each.changes} for each in found]}
    if arguments.name is not None:
        return Answer(document, list(paragraphs(found)))
    rows = [(each.name, each.title, _default(each), each.changes.partition(",")[0]) for each in found]
    shown = table(("SETTING", "WHAT", "DEFAULT", "CHANGES"), rows)
    return Answer(document, [*shown, "", "`wr zones fields NAME` explains one."])


def _default(field: ZoneField) -> str:
    if field.default is None:
        return "needed" if field.required else "-"
    return json.dumps(field.default)


def zones_apply(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """Create or replace the zones of a file; nothing is sent when the file has a mistake."""
    documents = read_zone_file(Path(arguments.file))
    there = {zone["zone_id"]: zone for zone in api.zones()}
    outcomes = []
    for document in documents:
        zone_id = document["zone_id"]
        try:
            outcomes.append(apply_zone(api, document, there.get(zone_id), dry_run=arguments.dry_run))
        except Refused as error:
            raise Refused(f"{arguments.file}: {zone_id}: {error}", error.problem, error.status) from None
        tell(arguments, *outcomes[-1].lines())
    return Answer({"zones": [asdict(each) for each in outcomes]}, [summary(outcomes)] if len(outcomes) > 1 else [])


def zones_list(api: OperatorApi, _target: Target, _arguments: argparse.Namespace) -> Answer:
    """A table of all zones."""
    zones = api.zones()
    rows = [
        (
            zone["zone_id"],
            zone["mode"],
            zone["control"],
            zone["run"],
            zone.get("max_active"),
            zone.get("rate_per_min"),
            zone.get("inventory"),
            show_moment(zone["starts_at_ms"]) if "starts_at_ms" in zone else None,
            zone["version"],
        )
        for zone in zones
    ]
    headings = ("ZONE", "MODE", "CONTROL", "RUN", "MAX ACTIVE", "PER MIN", "INVENTORY", "STARTS", "VERSION")
    shown = table(headings, rows) if rows else ["There is no zone yet: `wr zones apply FILE` makes some."]
    return Answer({"zones": zones}, shown)


def zones_show(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """One zone as JSON that `zones apply` takes; what the service adds is left out."""
    zone = api.zone(arguments.zone)
    document = {name: zone[name] for name in zone if name not in SERVER_FIELDS}
    return Answer(document, [as_text(document)])
