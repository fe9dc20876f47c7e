"""The commands about the gate: what it would decide, and why."""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import Target
from scripts.operator_api.errors import BadInput
from scripts.operator_cli.words.moments import show_moment
from waiting_room.domain.gate.exempt import secret_hash
from waiting_room.domain.gate.gate import BadRequest, Decision, Gate, NotFound, Pass, Redirect
from waiting_room.domain.gate.paths import BadPath, readings
from waiting_room.domain.gate.published import SnapshotParts, build_snapshot
from waiting_room.domain.gate.request import GateRequest
from waiting_room.domain.gate.rules import Reading
from waiting_room.domain.gate.snapshot import GateSnapshot, read_snapshot
from waiting_room.domain.zone.zones import Zone
from waiting_room.edge.events import read_request
from waiting_room.tokens import Verifier

Json = dict[str, Any]

AS_PAGE = {"sec-fetch-dest": "document", "accept": "text/html"}
AS_PROGRAM = {"sec-fetch-dest": "empty", "accept": "application/json"}
ANY_ISSUER = "foyer"


def explain(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """Say what the gate would do with a request, and why."""
    request = asked(arguments)
    now_ms = time.time_ns() // 1_000_000
    tokens = list(_own_tokens(request))
    issuer = next((str(claims["iss"]) for _, claims in tokens if "iss" in claims), ANY_ISSUER)
    snapshot = _snapshot(api, now_ms, issuer)
    gate = Gate(snapshot, Verifier(snapshot.keys, issuer).verify)
    print("\n".join(_report(request, snapshot, gate.decide(request, now_ms), tokens, now_ms)))


def secret(_api: OperatorApi, _target: Target, _arguments: argparse.Namespace) -> None:
    """Print a new secret and what is stored of it."""
    made = secrets.token_urlsafe(24)
    print(f"secret {made}\nsha256 {secret_hash(made)}")


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


def _report(
    request: GateRequest, snapshot: GateSnapshot, decision: Decision, tokens: list[tuple[str, Json]], now_ms: int
) -> Iterator[str]:
    yield f"request  {request.method} {request.path} on {', '.join(request.headers['host'])}"
    if isinstance(decision, BadRequest | NotFound):
        yield f"decision {_said(decision)}"
        return
    yield from _about_rules(request, snapshot)
    for kind, claims in tokens:
        yield f"token    {kind}: {_about_token(kind, claims, snapshot, now_ms)}"
    yield f"decision {_said(decision)}"


def _about_rules(request: GateRequest, snapshot: GateSnapshot) -> Iterator[str]:
    """Each rule against each reading of the path."""
    try:
        paths = readings(request.path)
    except BadPath:
        return
    for path in paths[1:]:
        yield f"         may also be read as {path}"
    numbers: dict[str, int] = {}
    for rule in snapshot.rules:
        number = numbers[rule.zone_id] = numbers.get(rule.zone_id, -1) + 1
        reasons = [rule.why_not(request.hosts, Reading.of(path), request.methods) for path in paths]
        fits = [path for path, reason in zip(paths, reasons, strict=True) if not reason]
        said = f"fits {fits[0]}" if fits else f"does not fit by {reasons[0]}"
        yield f"rule     {rule.zone_id} /rules/{number}: {said}"


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
