"""What a gate remembers changes no answer: whatever was asked before, a request is decided as if it were the first."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.support.gate_support import (
    CLOCK,
    FETCH,
    HOST,
    NOW_SEC,
    PAGE,
    SID,
    VERIFIER,
    access_token,
    bypass_token,
    request,
    snapshot,
    with_header,
    zone,
)
from waiting_room.domain.gate import gate as gates
from waiting_room.domain.gate import routes
from waiting_room.domain.gate.gate import Gate, Pass, decide
from waiting_room.domain.gate.request import header_names

ZONES = (
    zone(),
    zone("events", rules=[{"paths": ["/events"], "methods": ["POST"]}, {"paths": ["/x"], "hosts": [HOST]}]),
)
TOKEN = access_token()
BYPASS = bypass_token()


def moved(kind: str, zone_id: str, token: str):
    return replace(request(), tokens={(kind, zone_id): (token,)})


REQUESTS = {
    "nobody": request(),
    "admitted": request(access=TOKEN),
    "bypass": request(bypass=BYPASS),
    "access token as bypass": moved("bypass", "midnight-sun", TOKEN),
    "bypass token as access": moved("access", "midnight-sun", BYPASS),
    "in the other zone's cookie": replace(moved("access", "events", TOKEN), path="/events/other", method="POST"),
    "bearer": request(headers=with_header("authorization", f"Bearer {TOKEN}", FETCH)),
    "bypass token as bearer": request(headers=with_header("authorization", f"Bearer {BYPASS}", FETCH)),
    "get elsewhere": request("/events/other"),
    "post elsewhere": request("/events/other", method="POST"),
    "get elsewhere, meant as post": request("/events/other", headers=with_header("x-http-method-override", "POST")),
    "by host": request("/x"),
    "by another host": request("/x", host="www.example.com"),
    "by another host, meant for ours": request(
        "/x", host="www.example.com", headers=with_header("x-forwarded-host", HOST)
    ),
    "by the distribution's own": request("/x", host="d111111abcdef8.cloudfront.net"),
    "by no host": request("/x", host=None),
    "bad path": request("/%ff"),
    "prefix": request("/.waiting-room/x"),
}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(REQUESTS, 2)))
def test_what_was_asked_before_changes_nothing(first, second):
    state = snapshot(*ZONES)
    gate = Gate(state, VERIFIER.verify)
    gate.decide(REQUESTS[first], CLOCK.ms)
    expected = decide(REQUESTS[second], state, VERIFIER.verify, CLOCK.ms)
    assert gate.decide(REQUESTS[second], CLOCK.ms) == expected
    assert gate.decide(REQUESTS[second], CLOCK.ms) == expected


def test_a_remembered_token_still_expires():
    gate = Gate(snapshot(), VERIFIER.verify)
    asked = request(access=access_token(exp=NOW_SEC + 10, hard_end=NOW_SEC + 10))
    assert isinstance(gate.decide(asked, CLOCK.ms), Pass)
    assert isinstance(gate.decide(asked, CLOCK.ms + 9_999), Pass)
    assert not isinstance(gate.decide(asked, CLOCK.ms + 10_000), Pass)


def test_what_is_revoked_in_the_next_snapshot_is_not_remembered():
    asked = request(access=TOKEN)
    assert isinstance(Gate(snapshot(), VERIFIER.verify).decide(asked, CLOCK.ms), Pass)
    revoking = Gate(snapshot(revoked={"sids": [SID]}), VERIFIER.verify)
    assert not isinstance(revoking.decide(asked, CLOCK.ms), Pass)


def test_memory_has_bounds(monkeypatch):
    monkeypatch.setattr(gates, "REMEMBERED", 3)
    monkeypatch.setattr(routes, "REMEMBERED", 3)
    gate = Gate(snapshot(), VERIFIER.verify)
    for number in range(8):
        gate.decide(request(f"/events/midnight-sun/{number}", access=access_token(iat=number)), CLOCK.ms)
        gate.decide(request("/" + "x" * 301 + str(number), access="bad"), CLOCK.ms)
        assert len(gate._badges) <= 3
        assert len(gate._routes._found) <= 3
    assert all(len(place[0]) < 300 for place in gate._routes._found)
    assert header_names.cache_info().maxsize == 256


def test_headers_are_looked_at_once_for_all_who_send_the_same_names():
    before = header_names.cache_info().currsize
    gate = Gate(snapshot(), VERIFIER.verify)
    for number in range(20):
        gate.decide(request(headers={**PAGE, "x-only-here": str(number)}), CLOCK.ms)
    assert header_names.cache_info().currsize <= before + 1
