"""What the tests of the gate share: one deployment's keys, tokens, zones, snapshot and requests."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.fakes import FakeClock, FakeIds, FakeSigningKeys
from waiting_room.adapters.signer import Signer
from waiting_room.domain.gate.gate import Decision, Gate, Pass, Redirect, Refuse, decide
from waiting_room.domain.gate.published import SnapshotParts, build_snapshot
from waiting_room.domain.gate.request import GateRequest
from waiting_room.domain.gate.snapshot import GateSnapshot, read_snapshot
from waiting_room.domain.zone.zones import Zone
from waiting_room.edge.events import read_request
from waiting_room.tokens import Verifier

EVENTS = Path(__file__).parents[1] / "events"
ISSUER = "foyer"
HOST = "tickets.example.com"
CLOCK = FakeClock()
NOW_SEC = CLOCK.now_sec
_GATES: dict[int, tuple[GateSnapshot, Gate]] = {}
IDS = FakeIds()
VISITOR, SID, BYPASS_ID = IDS.visitor_id(), IDS.session_id(), IDS.session_id()
KEYS = FakeSigningKeys()
SIGNER = Signer(KEYS, ISSUER)
VERIFIER = Verifier([key.public_jwk for key in KEYS.keys], ISSUER)

PAGE = {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "accept": "text/html,*/*;q=0.8"}
FETCH = {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors", "accept": "*/*"}


def zone(zone_id: str = "midnight-sun", **fields: Any) -> Zone:
    """A queueing zone at /events/{zone_id}."""
    document = {
        "zone_id": zone_id,
        "mode": "queueing",
        "max_active": 5,
        "rules": [{"paths": [f"/events/{zone_id}"]}],
        **fields,
    }
    return Zone.from_document(document)


def snapshot_document(*zones: Zone, version: int = 1, published_at_ms: int = CLOCK.ms, **parts: Any) -> dict[str, Any]:
    """The document of a snapshot with these zones, one of them if none is given."""
    keys = [key.public_jwk for key in KEYS.keys]
    made = SnapshotParts(zones=zones or (zone(),), keys=keys, **parts)
    return build_snapshot(made, version=version, published_at_ms=published_at_ms, issuer=ISSUER)


def snapshot(*zones: Zone, **parts: Any) -> GateSnapshot:
    """A snapshot as the gate has read it."""
    return read_snapshot(snapshot_document(*zones, **parts), ISSUER)


def access_claims(**changes: Any) -> dict[str, Any]:
    """Claims of a session that began a moment ago and has most of its lease before it."""
    claims = {
        "zone": "midnight-sun",
        "run": 1,
        "sub": VISITOR,
        "lane": "general",
        "sid": SID,
        "bucket": 178_031_523,
        "hard_end": NOW_SEC + 3600,
        "iat": NOW_SEC - 5,
        "exp": NOW_SEC + 295,
    }
    return {**claims, **changes}


def visitor_claims(**changes: Any) -> dict[str, Any]:
    """Claims of a visitor who has joined."""
    claims = {
        "zone": "midnight-sun",
        "run": 1,
        "sub": VISITOR,
        "lane": "general",
        "gen": 0,
        "shard": 0,
        "seq": 61,
        "position": 60,
        "iat": NOW_SEC - 5,
        "exp": NOW_SEC + 86_395,
    }
    return {**claims, **changes}


def bypass_claims(**changes: Any) -> dict[str, Any]:
    """Claims of a bypass token."""
    claims = {
        "zone": "midnight-sun",
        "run": 1,
        "sub": "bypass",
        "lane": "general",
        "jti": BYPASS_ID,
        "name": "Ada, stage door",
        "iat": NOW_SEC - 5,
        "exp": NOW_SEC + 3600,
    }
    return {**claims, **changes}


def invitation_claims(**changes: Any) -> dict[str, Any]:
    """Claims of an invitation."""
    claims = {name: value for name, value in bypass_claims().items() if name != "name"}
    return {**claims, "sub": "invitation", "lane": "vip", **changes}


def challenge_claims(**changes: Any) -> dict[str, Any]:
    """Claims of a challenge."""
    claims = {name: value for name, value in visitor_claims().items() if name in ("zone", "run", "sub", "iat", "exp")}
    return {**claims, "bits": 16, "times": 1, **changes}


def access_token(**changes: Any) -> str:
    return SIGNER.sign("access", access_claims(**changes))


def bypass_token(**changes: Any) -> str:
    return SIGNER.sign("bypass", bypass_claims(**changes))


def request(
    path: str = "/events/midnight-sun",
    query: str = "",
    *,
    method: str = "GET",
    headers: Mapping[str, str] = PAGE,
    host: str | None = HOST,
    **tokens: str,
) -> GateRequest:
    """A request; `access=...`, `bypass=...` are our cookies of the zone midnight-sun."""
    all_headers = {**headers, **({"host": host} if host is not None else {})}
    return GateRequest(
        method=method,
        path=path,
        query=query,
        headers={name: (value,) for name, value in all_headers.items()},
        tokens={(kind, "midnight-sun"): (token,) for kind, token in tokens.items()},
        distribution_host="d111111abcdef8.cloudfront.net",
    )


def decided(asked: GateRequest, state: GateSnapshot | None = None, now_ms: int = CLOCK.ms) -> Decision:
    """What the gate says, by default with one zone and everything in order: at first sight and at the second alike."""
    state = state or default_snapshot()
    _, gate = _GATES.setdefault(id(state), (state, Gate(state, VERIFIER.verify)))
    first, again = gate.decide(asked, now_ms), gate.decide(asked, now_ms)
    assert first == again == decide(asked, state, VERIFIER.verify, now_ms)
    return first


def passed(decision: object) -> Pass:
    """The decision, which must be to let the request pass."""
    assert isinstance(decision, Pass), decision
    return decision


def redirected(decision: object) -> Redirect:
    """The decision, which must be a redirect."""
    assert isinstance(decision, Redirect), decision
    return decision


def refused(decision: object) -> Refuse:
    """The decision, which must be a refusal."""
    assert isinstance(decision, Refuse), decision
    return decision


def with_header(name: str, value: str, headers: Mapping[str, str] = PAGE) -> dict[str, str]:
    """Headers with one more, or one replaced."""
    return {**headers, name: value}


@cache
def default_snapshot() -> GateSnapshot:
    return snapshot()


def event(name: str, change: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """A recorded viewer-request event; `change` may alter its request part."""
    recorded: dict[str, Any] = copy.deepcopy(_recorded(name))
    if change is not None:
        change(recorded["Records"][0]["cf"]["request"])
    return recorded


@cache
def _recorded(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EVENTS / f"viewer_request_{name}.json").read_text(encoding="utf-8"))
    return document


def asked(recorded: dict[str, Any]) -> GateRequest:
    """The request of a recorded event."""
    return read_request(recorded["Records"][0]["cf"]).request
