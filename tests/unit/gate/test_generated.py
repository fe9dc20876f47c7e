"""Generated requests through the whole gatekeeper: no exception, nobody gets in without a token, and in every case the
same outcome as the model's. `make fuzz` asks a hundred thousand times."""

from __future__ import annotations

import copy
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gate_model import BAD, LINK, NOT_FOUND, PASS, WAIT, Expected, Model
from tests.support.gate_support import CLOCK, ISSUER, KEYS, NOW_SEC, snapshot_document
from tests.support.gate_work import lines_run
from tests.support.generated_requests import ZONES, any_event
from waiting_room.domain.gate.published import encode_snapshot
from waiting_room.domain.zone.zones import Zone
from waiting_room.edge.gatekeeper import Gatekeeper
from waiting_room.edge.settings import EdgeSettings
from waiting_room.edge.snapshots import Snapshots

BODY = encode_snapshot(snapshot_document(*map(Zone.from_document, ZONES)))
SETTINGS = EdgeSettings(snapshot_path="/.waiting-room/gate-0.json", issuer=ISSUER)
GATEKEEPER = Gatekeeper(SETTINGS, Snapshots(ISSUER, lambda _: BODY), CLOCK.now_ms)
MODEL = Model(ZONES, [key.public_jwk for key in KEYS.keys], ISSUER, NOW_SEC)
PREFIX = "x-waiting-room-"
WORK: Counter[int] = Counter()
"""How many requests ran so many lines of the gate."""
MOST_TIMES = 20


def outcome(result: dict[str, Any]) -> str:
    if "uri" in result:
        return PASS
    location = result["headers"].get("location", [{"value": ""}])[0]["value"]
    if result["status"] == "303":
        return WAIT if location.startswith("/.waiting-room/") else LINK
    return {"400": BAD, "404": NOT_FOUND, "429": WAIT, "503": WAIT}[result["status"]]


def check(cf: dict[str, Any]) -> str:
    """Ask the gate and the model, and compare. Returns what became of the request."""
    before = copy.deepcopy(cf)
    result, lines = lines_run(lambda: GATEKEEPER({"Records": [{"cf": cf}]}))
    WORK[lines] += 1
    assert cf == before, "the event itself stays as it was"
    assert result.get("status") != "503" or "no-snapshot" not in result["body"], "an exception was caught"
    asked, expected, found = cf["request"], MODEL.expect(cf["request"]), outcome(result)
    if found == PASS:
        check_forwarded(asked, result, expected)
    elif expected.kind == PASS and found == WAIT and "session" in expected.told:
        # The detour of a renewal, for a page and a session about to end; or a path with another reading elsewhere.
        location = result["headers"].get("location", [{"value": ""}])[0]["value"]
        assert not expected.exact or "/sessions/me/renew?" in location, (expected, result)
    elif expected.kind == NOT_FOUND:
        assert found in (NOT_FOUND, BAD), (expected, result)
    elif expected.exact:
        assert found == expected.kind, (expected, result)
    return found


def check_forwarded(asked: dict[str, Any], result: dict[str, Any], expected: Expected) -> None:
    """What passed was allowed to, and the site is told exactly what is true."""
    assert expected.kind == PASS, (expected, asked)
    assert [result[name] for name in ("uri", "method", "clientIp")] == [
        asked[name] for name in ("uri", "method", "clientIp")
    ]
    headers = {name: entries[0]["value"] for name, entries in result["headers"].items()}
    told = {name.removeprefix(PREFIX): value for name, value in headers.items() if name.startswith(PREFIX)}
    if expected.exact:
        assert told == ({"zone": expected.zone_id, **expected.told} if expected.zone_id else {})
    reserved = {name for name in headers if name.replace("_", "-").lower().startswith(PREFIX)}
    assert reserved == {PREFIX + name for name in told}
    assert not {"x-original-url", "x-rewrite-uri"} & headers.keys()
    assert "__host-wr-" not in headers.get("cookie", "").lower()
    assert "wr_bypass" not in result["querystring"]
    theirs = [p.strip() for p in asked["headers"].get("cookie", [{"value": ""}])[0]["value"].split(";")]
    left = [p.strip() for p in headers.get("cookie", "").split(";")]
    assert [p for p in theirs if p and not p.lower().startswith("__host-wr-")] == [p for p in left if p]


@pytest.fixture(scope="module")
def count(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--generated"))


def test_generated_requests_are_decided_as_the_model_says(count: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(count):
        cf = any_event(random.Random(seed))
        try:
            seen[check(cf)] += 1
        except BaseException:
            print(f"seed {seed}: {cf}")
            raise
    usual = sorted(WORK.elements())[WORK.total() // 2]
    print(f"{WORK.total():,} requests: {usual} lines of the gate at the median, {max(WORK)} at most")
    assert max(WORK) <= MOST_TIMES * usual
    rarest = {kind: seen[kind] / count for kind in (PASS, WAIT, LINK, BAD, NOT_FOUND)}
    assert min(rarest.values()) > 0.002, f"every outcome must come up, else little is tested: {seen}"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_the_smallest_request_that_is_decided_otherwise_is_found(rng: random.Random) -> None:
    check(any_event(rng))
