"""What each `wr` command does. A command takes the service and its arguments, and prints what the operator needs."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from waiting_room import schemas
from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.gate.zone_rules import rule_faults
from waiting_room.domain.zone.checked import checked

from ..operator_api.api import OperatorApi
from ..operator_api.connection import Target
from ..operator_api.errors import BadInput
from .answers import Answer, tell
from .preview import Preview, serve
from .restorations import restore
from .settings import parse_settings, patched
from .watch import watch
from .words.consequences import MOST, plan
from .words.moments import show_moment
from .words.stories import story
from .zone_files import read_zone_file

Json = dict[str, Any]


def control(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """Switch a zone, or give its lapsed places back."""
    if arguments.state == RESTORE:
        return restore(api, arguments)
    if arguments.to is not None or arguments.yes:
        raise BadInput(f"--to and --yes go with `wr control {arguments.zone} {RESTORE}`.")
    zone = api.control(arguments.zone, {"control": arguments.state, **_reason(arguments)})
    means = CONTROL_MEANS[zone["control"]]
    said = f"{zone['zone_id']}: control is {zone['control']} ({means}), version {zone['version']}"
    return Answer({"zone": zone}, [said])


RESTORE = "restore"
CONTROL_MEANS = {
    "auto": "the line moves by the zone's limits",
    "pause": "nobody new is let in, sessions go on",
    "pass": "the gate is off, everybody passes",
    "lock": "everybody waits, those with a session too",
    "end": "the run is over",
}


MOMENTS = ("starts_at_ms", "opens_at_ms")


def set_values(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """Change settings live; checked against the zone's other settings before anything is sent."""
    zone = api.zone(arguments.zone)
    patch = parse_settings(arguments.settings, schemas.load("zone"), _now_ms())
    _warn(zone, patch, arguments)
    try:
        checked(patched(zone, patch), rule_faults)
    except InvalidInput as error:
        raise BadInput("\n".join(f"{pointer}: {advice}" for pointer, advice in error.faults)) from None
    after = api.control(arguments.zone, {"changes": patch, "version": zone["version"], **_reason(arguments)})
    said = []
    for name in patch:
        value = after.get(name)
        shown = show_moment(value) if name in MOMENTS and value is not None else json.dumps(value)
        said.append(f"{arguments.zone}: {name} is {shown if value is not None else 'not set'}")
    return Answer({"zone": after, "changed": {name: after.get(name) for name in patch}}, said)


def _warn(zone: Mapping[str, Any], patch: Mapping[str, Any], arguments: argparse.Namespace) -> None:
    """Say what a new limit means; raise BadInput for one beyond its bound, or far beyond the old one without --yes."""
    for name in MOST:
        if patch.get(name) is None:
            continue
        planned = plan(zone, 0, 0, 0, name, patch[name])
        tell(arguments, f"{zone['zone_id']}: {planned.says}")
        if planned.type_again and not arguments.yes:
            raise BadInput("Nothing was changed. Run the command again with --yes if this is what you mean.")


def bypass(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> Answer:
    """Make a link that lets one named person past the line. The link is a secret."""
    made = api.make_bypass(arguments.zone, arguments.name, arguments.minutes * 60)
    url = _url(target, made["link"])
    said = [
        url,
        f"id {made['id']}, for {arguments.name}, until {show_moment(made['expires_at_ms'])}",
        f"Take it back with: wr revoke {arguments.zone} --bypass {made['id']}",
    ]
    return Answer({**made, "url": url}, said)


def invite(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> Answer:
    """Make a link into a lane. It is good for the first visitor who opens it."""
    made = api.invite(arguments.zone, arguments.lane, arguments.name, arguments.hours * 3600)
    url = _url(target, made["link"])
    until = show_moment(made["expires_at_ms"])
    return Answer(
        {**made, "url": url}, [url, f"id {made['id']}, into {arguments.lane} for {arguments.name}, until {until}"]
    )


def _url(target: Target, link: str) -> str:
    """A link of the service with the site's address before it, where that is known."""
    return f"{target.site_url}{link}" if target.site_url and link.startswith("/") else link


def revoke(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """Revoke a session, a visitor or a bypass token."""
    kinds = {"session_id": arguments.session, "visitor_id": arguments.visitor, "bypass_id": arguments.bypass}
    body: Json = {name: value for name, value in kinds.items() if value is not None}
    ((name, value),) = body.items()
    if arguments.reason:
        body["reason"] = arguments.reason
    api.revoke(arguments.zone, body)
    said = f"{arguments.zone}: {name.removesuffix('_id')} {value} is revoked; the gate refuses it within about 10 s"
    return Answer({"zone_id": arguments.zone, name: value}, [said])


def look_up(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """What the service knows about one visitor: place, status, session."""
    found = api.visitor(arguments.zone, arguments.visitor)
    width = max(len(name) for name in found)
    told = story(found, _now_ms())
    fields = (f"{name.ljust(width)}  {_shown(name, value)}" for name, value in found.items())
    return Answer({"visitor": found, "story": told}, [*fields, "", *told])


def erase(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """Erase everything stored of one visitor."""
    api.erase(arguments.zone, arguments.visitor)
    erased = {"zone_id": arguments.zone, "visitor_id": arguments.visitor}
    return Answer({"erased": erased}, [f"{arguments.zone}: nothing is stored of {arguments.visitor} any more"])


def watch_zone(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> None:
    """A live view of one zone until Ctrl-C."""
    watch(api, target, arguments.zone, once=arguments.once, as_json=arguments.json)


def dashboard(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> None:
    """All zones on one page, served on this machine until Ctrl-C."""
    # Only here, and only now: no other command asks CloudWatch.
    from .dashboard import cloudwatch, server, state

    health: Any = dict
    if arguments.deployment:
        client = cloudwatch.cloudwatch_client(target.region, arguments.profile)
        edges = [cloudwatch.cloudwatch_client(region, arguments.profile) for region in cloudwatch.EDGE_REGIONS]
        health = cloudwatch.FunctionHealth(client, arguments.deployment, edges=edges)
    with httpx.Client(timeout=5.0, trust_env=False) as http:
        served, address = server.serve(state.Dashboard(api, target, http, health), arguments.port, _now_ms)
        with served:
            says = "Whoever has this address acts with your credentials. Ctrl-C ends it."
            _served(arguments, address, f"Open {address}", says)
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
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        _served(arguments, address, f"Preview of {arguments.zone}: {address}   Ctrl-C ends it.")
        server.serve_forever()


def _served(arguments: argparse.Namespace, address: str, *lines: str) -> None:
    """Say where something is served from now on."""
    Answer({"address": address}, lines).show(as_json=arguments.json)


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
