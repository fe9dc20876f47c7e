"""What each `wr` command does. A command takes the service and its arguments, and prints what the operator needs."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import Target
from scripts.operator_api.errors import BadInput, Refused
from scripts.operator_cli.apply import apply_zone, summary
from scripts.operator_cli.preview import Preview, serve
from scripts.operator_cli.settings import parse_settings, patched
from scripts.operator_cli.watch import watch
from scripts.operator_cli.words.consequences import MOST, plan
from scripts.operator_cli.words.moments import show_moment
from scripts.operator_cli.words.stories import story
from scripts.operator_cli.words.tables import table
from scripts.operator_cli.zone_files import read_zone_file
from waiting_room import schemas
from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.gate.zone_rules import rule_faults
from waiting_room.domain.zone.checked import checked
from waiting_room.domain.zone.zones import SERVER_FIELDS

Json = dict[str, Any]


def zones_apply(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
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
        print("\n".join(outcomes[-1].lines()), flush=True)
    if len(outcomes) > 1:
        print(summary(outcomes))


def zones_list(api: OperatorApi, _target: Target, _arguments: argparse.Namespace) -> None:
    """A table of all zones."""
    zones = api.zones()
    if not zones:
        print("There is no zone yet: `wr zones apply FILE` makes some.")
        return
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
    print("\n".join(table(headings, rows)))


def zones_show(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """One zone as JSON that `zones apply` takes; what the service adds is left out."""
    zone = api.zone(arguments.zone)
    print(json.dumps({name: zone[name] for name in zone if name not in SERVER_FIELDS}, indent=2, ensure_ascii=False))


def control(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """Switch a zone."""
    zone = api.control(arguments.zone, {"control": arguments.state, **_reason(arguments)})
    print(
        f"{zone['zone_id']}: control is {zone['control']} ({CONTROL_MEANS[zone['control']]}), version {zone['version']}"
    )


CONTROL_MEANS = {
    "auto": "the line moves by the zone's limits",
    "pause": "nobody new is let in, sessions go on",
    "pass": "the gate is off, everybody passes",
    "lock": "everybody waits, those with a session too",
    "end": "the run is over",
}


def set_values(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """Change settings live; checked against the zone's other settings before anything is sent."""
    zone = api.zone(arguments.zone)
    patch = parse_settings(arguments.settings, schemas.load("zone"), _now_ms())
    _warn(zone, patch, certain=arguments.yes)
    try:
        checked(patched(zone, patch), rule_faults)
    except InvalidInput as error:
        raise BadInput("\n".join(f"{pointer}: {advice}" for pointer, advice in error.faults)) from None
    after = api.control(arguments.zone, {"changes": patch, "version": zone["version"], **_reason(arguments)})
    for name in patch:
        value = after.get(name)
        shown = show_moment(value) if name == "starts_at_ms" and value is not None else json.dumps(value)
        print(f"{arguments.zone}: {name} is {shown if value is not None else 'not set'}")


def _warn(zone: Mapping[str, Any], patch: Mapping[str, Any], *, certain: bool) -> None:
    """Say what a new limit means; raise BadInput for one beyond its bound, or far beyond the old one without --yes."""
    for name in MOST:
        if patch.get(name) is None:
            continue
        planned = plan(zone, 0, 0, 0, name, patch[name])
        print(f"{zone['zone_id']}: {planned.says}")
        if planned.type_again and not certain:
            raise BadInput("Nothing was changed. Run the command again with --yes if this is what you mean.")


def bypass(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> None:
    """Make a link that lets one named person past the line. The link is a secret."""
    made = api.make_bypass(arguments.zone, arguments.name, arguments.minutes * 60)
    link = made["link"]
    print(f"{target.site_url}{link}" if target.site_url and link.startswith("/") else link)
    print(f"id {made['id']}, for {arguments.name}, until {show_moment(made['expires_at_ms'])}")
    print(f"Take it back with: wr revoke {arguments.zone} --bypass {made['id']}")


def invite(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> None:
    """Make a link into a lane. It is good for the first visitor who opens it."""
    made = api.invite(arguments.zone, arguments.lane, arguments.name, arguments.hours * 3600)
    print(f"{target.site_url}{made['link']}" if target.site_url else made["link"])
    print(f"id {made['id']}, into {arguments.lane} for {arguments.name}, until {show_moment(made['expires_at_ms'])}")


def revoke(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """Revoke a session, a visitor or a bypass token."""
    kinds = {"session_id": arguments.session, "visitor_id": arguments.visitor, "bypass_id": arguments.bypass}
    body: Json = {name: value for name, value in kinds.items() if value is not None}
    ((name, value),) = body.items()
    if arguments.reason:
        body["reason"] = arguments.reason
    api.revoke(arguments.zone, body)
    print(f"{arguments.zone}: {name.removesuffix('_id')} {value} is revoked; the gate refuses it within about 10 s")


def look_up(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """What the service knows about one visitor: place, status, session."""
    found = api.visitor(arguments.zone, arguments.visitor)
    width = max(len(name) for name in found)
    for name, value in found.items():
        print(f"{name.ljust(width)}  {_shown(name, value)}")
    print("\n".join(["", *story(found, _now_ms())]))


def erase(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """Erase everything stored of one visitor."""
    api.erase(arguments.zone, arguments.visitor)
    print(f"{arguments.zone}: nothing is stored of {arguments.visitor} any more")


def watch_zone(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> None:
    """A live view of one zone until Ctrl-C."""
    watch(api, target, arguments.zone, once=arguments.once)


def dashboard(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> None:
    """All zones on one page, served on this machine until Ctrl-C."""
    # Only here, and only now: no other command asks CloudWatch.
    from scripts.operator_cli.dashboard import cloudwatch, server, state

    health: Any = dict
    if arguments.deployment:
        client = cloudwatch.cloudwatch_client(target.region, arguments.profile)
        edges = [cloudwatch.cloudwatch_client(region, arguments.profile) for region in cloudwatch.EDGE_REGIONS]
        health = cloudwatch.FunctionHealth(client, arguments.deployment, edges=edges)
    with httpx.Client(timeout=5.0, trust_env=False) as http:
        served, address = server.serve(state.Dashboard(api, target, http, health), arguments.port, _now_ms)
        with served:
            print(f"Open {address}\nWhoever has this address acts with your credentials. Ctrl-C ends it.", flush=True)
            served.serve_forever()


def page_preview(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> None:
    """The zone's waiting page in every state and language, served on this machine until Ctrl-C."""
    document = api.zone(arguments.zone)
    if arguments.file:
        planned = {zone["zone_id"]: zone for zone in read_zone_file(Path(arguments.file))}
        if arguments.zone not in planned:
            raise BadInput(f"{arguments.file} has no zone {arguments.zone}.")
        document = planned[arguments.zone]
    with serve(Preview(document, target.site_url, _now_ms()), arguments.port) as server:
        print(
            f"Preview of {arguments.zone}: http://127.0.0.1:{server.server_address[1]}/   Ctrl-C ends it.", flush=True
        )
        server.serve_forever()


def _reason(arguments: argparse.Namespace) -> Json:
    return {"reason": arguments.reason} if arguments.reason else {}


def _shown(name: str, value: Any) -> str:
    if value is None or value == "":
        return "-"
    if name.endswith("_at_ms"):
        return show_moment(value)
    return value if isinstance(value, str) else json.dumps(value)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
