"""The commands about the gate: what it would decide, and why."""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from waiting_room.domain.gate.exempt import secret_hash
from waiting_room.domain.gate.gate import BadRequest, Decision, Gate, NotFound, Pass, Redirect, Unavailable
from waiting_room.domain.gate.paths import BadPath, readings
from waiting_room.domain.gate.published import SnapshotParts, build_snapshot
from waiting_room.domain.gate.request import GateRequest
from waiting_room.domain.gate.rules import Reading
from waiting_room.domain.gate.snapshot import GateSnapshot, read_snapshot
from waiting_room.domain.zone.zones import Zone
from waiting_room.edge.events import read_request
from waiting_room.tokens import Verifier

from ..operator_api.api import OperatorApi
from ..operator_api.connection import Target
from ..operator_api.errors import BadInput
from .answers import Answer
from .arguments import Command, Commands
from .spellings import spellings
from .words.moments import show_moment

Json = dict[str, Any]

AS_PAGE = {"sec-fetch-dest": "document", "accept": "text/html"}
AS_PROGRAM = {"sec-fetch-dest": "empty", "accept": "application/json"}
ANY_ISSUER = "foyer"


def add_commands(found: Commands[Command]) -> None:
    """The arguments of `wr explain` and `wr secret`."""
    asking = found.add_parser(
        "explain",
        help="why a request would pass or wait",
        description="Run the gate's own code over one request, with the zones as they are now, and say why it would "
        "pass or wait. Sends nothing to the site. Revocations, exits and the line's length are not looked at.",
    )
    asking.add_argument("url", metavar="URL", help="address as a browser would open it")
    asking.add_argument("--method", default="GET")
    asking.add_argument("--header", metavar="'NAME: VALUE'", action="append", default=[], help="also for cookies")
    asking.add_argument("--ip", default="", help="address of the client")
    asking.add_argument("--program", action="store_true", help="asked by a script or an app, not as a page")
    asking.add_argument("--aliases", action="store_true", help="print what becomes of other spellings of the address")
    asking.set_defaults(command=explain)
    made = found.add_parser(
        "secret", help="make a random secret for an exempt rule, and the hash that goes into the zone; sends nothing"
    )
    made.set_defaults(alone=secret)


def explain(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """Say what the gate would do with a request, and why."""
    request = asked(arguments)
    now_ms = time.time_ns() // 1_000_000
    tokens = list(_own_tokens(request))
    issuer = next((str(claims["iss"]) for _, claims in tokens if "iss" in claims), ANY_ISSUER)
    snapshot = _snapshot(api, now_ms, issuer)
    gate = Gate(snapshot, Verifier(snapshot.keys, issuer).verify)
    found = _explained(request, snapshot, gate.decide(request, now_ms), tokens, now_ms)
    if arguments.aliases:
        ways = {path: gate.decide(replace(request, path=path), now_ms) for path in spellings(request.path)}
        found["aliases"] = [{"path": path, "decision": _said(decision)} for path, decision in ways.items()]
    return Answer(found, list(_lines(found)))


def secret(_arguments: argparse.Namespace) -> Answer:
    """A new secret and what is stored of it."""
    made = secrets.token_urlsafe(24)
    document = {"secret": made, "sha256": secret_hash(made)}
    return Answer(document, [f"{name} {value}" for name, value in document.items()])


def asked(arguments: argparse.Namespace) -> GateRequest:
    """The request that was described, by way of the event CloudFront would make of it. Raises BadInput."""
    try:
        url = urlsplit(arguments.url)
    except ValueError:
        url = urlsplit("")
    if url.scheme not in ("http", "https") or not url.netloc:
        raise BadInput(f"{arguments.url!r} is no address: write it as https://host/path.")
    headers = {"host": url.netloc, **(AS_PROGRAM if arguments.program else AS_PAGE)}
    for text in arguments.header:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise BadInput(f"{text!r} is no header: write 'Name: value'.")
        headers[name.strip().lower()] = value.strip()
    event = {
        "config": {"distributionDomainName": ""},
        "request": {
            "method": arguments.method,
            "uri": url.path or "/",
            "querystring": url.query,
            "clientIp": arguments.ip,
            "headers": {name: [{"key": name, "value": value}] for name, value in headers.items()},
        },
    }
    return read_request(event).request


def _snapshot(api: OperatorApi, now_ms: int, issuer: str) -> GateSnapshot:
    zones = [Zone.from_document(document) for document in api.zones()]
    parts = SnapshotParts(zones=zones, keys=api.keys()["keys"])
    return read_snapshot(build_snapshot(parts, version=1, published_at_ms=now_ms, issuer=issuer), issuer)


def _explained(
    request: GateRequest, snapshot: GateSnapshot, decision: Decision, tokens: list[tuple[str, Json]], now_ms: int
) -> Json:
    found: Json = {"method": request.method, "path": request.path, "hosts": list(request.headers["host"])}
    if isinstance(decision, BadRequest | NotFound):
        return {**found, "other_readings": [], "rules": [], "tokens": [], "decision": _said(decision)}
    paths = _readings(request.path)
    return {
        **found,
        "other_readings": list(paths[1:]),
        "rules": list(_about_rules(request, snapshot, paths)) if paths else [],
        "tokens": [{"kind": kind, "says": _about_token(kind, claims, snapshot, now_ms)} for kind, claims in tokens],
        "decision": _said(decision),
    }


def _readings(path: str) -> Sequence[str]:
    try:
        return readings(path)
    except BadPath:
        return ()


def _about_rules(request: GateRequest, snapshot: GateSnapshot, paths: Sequence[str]) -> Iterator[Json]:
    """Each rule against each reading of the path."""
    numbers: dict[str, int] = {}
    for rule in snapshot.rules:
        number = numbers[rule.zone_id] = numbers.get(rule.zone_id, -1) + 1
        reasons = [rule.why_not(request.hosts, Reading.of(path), request.methods) for path in paths]
        fits = next((path for path, reason in zip(paths, reasons, strict=True) if not reason), None)
        yield {
            "zone_id": rule.zone_id,
            "pointer": f"/rules/{number}",
            "fits": fits,
            "does_not_fit_by": reasons[0] if fits is None else None,
        }


def _lines(found: Json) -> Iterator[str]:
    """An explanation as a person reads it."""
    yield f"request  {found['method']} {found['path']} on {', '.join(found['hosts'])}"
    yield from (f"         may also be read as {path}" for path in found["other_readings"])
    for rule in found["rules"]:
        said = f"does not fit by {rule['does_not_fit_by']}" if rule["fits"] is None else f"fits {rule['fits']}"
        yield f"rule     {rule['zone_id']} {rule['pointer']}: {said}"
    yield from (f"token    {token['kind']}: {token['says']}" for token in found["tokens"])
    yield f"decision {found['decision']}"
    yield from (f"alias    {alias['path']}: {alias['decision']}" for alias in found.get("aliases", ()))


def _about_token(kind: str, claims: Mapping[str, Any], snapshot: GateSnapshot, now_ms: int) -> str:
    zone = snapshot.zones.get(str(claims.get("zone")))
    if not claims:
        return "no token of ours"
    if claims.get("aud") != kind:
        return f"made for {claims.get('aud')}, not for this"
    if zone is None or claims.get("run") != zone.run:
        return f"of zone {claims.get('zone')}, run {claims.get('run')}: not a current one"
    expires_at_sec = claims.get("exp", 0)
    if now_ms // 1000 >= expires_at_sec:
        return f"expired at {show_moment(expires_at_sec * 1000)}"
    return f"of zone {zone.zone_id}, run {zone.run}, until {show_moment(expires_at_sec * 1000)}, if its signature holds"


def _said(decision: Decision) -> str:
    if isinstance(decision, BadRequest):
        return f"400: {decision.detail}"
    if isinstance(decision, NotFound):
        return "404: a path of the waiting room itself, which never reaches the site"
    if isinstance(decision, Unavailable):
        return "503: the exit list of the zone cannot be read"
    if isinstance(decision, Redirect):
        return f"wait: 303 to {decision.location}"
    if not isinstance(decision, Pass):
        return f"wait: {decision.status} {decision.problem}, enter at {decision.enter_url or '-'}"
    if not decision.zone_id:
        return "pass: no zone guards it"
    told = {name.removeprefix("x-waiting-room-"): value for name, value in decision.add.items()}
    why = f"exempt as {told['exempt']}" if "exempt" in told else "admitted" if "session" in told else "the gate is open"
    if decision.noticed == "would wait":
        why = "the zone only observes; in earnest it would wait"
    return f"pass: zone {decision.zone_id}, {why}"


def _own_tokens(request: GateRequest) -> Iterator[tuple[str, Json]]:
    """Kind and claims of each of our tokens in the request, as they claim to be."""
    for (kind, _), values in request.tokens.items():
        if kind != "try":
            for value in values:
                yield kind, _claims(value)
    for value in request.bearers:
        yield "access", _claims(value)


def _claims(token: str) -> Json:
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, IndexError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
