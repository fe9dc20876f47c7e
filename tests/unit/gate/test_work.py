"""The work of one request is bounded: whatever is asked, in whatever length, it costs as much as a few others."""

from __future__ import annotations

import random
from statistics import median

import pytest

from tests.support.gate_support import CLOCK, ISSUER, snapshot_document, zone
from tests.support.gate_work import lines_run
from tests.support.generated_requests import any_event
from tests.support.hostile_requests import asked, hostile_events
from waiting_room.domain.gate.gate import MOST_EXAMINED
from waiting_room.domain.gate.published import encode_snapshot
from waiting_room.domain.gate.rules import Rules
from waiting_room.edge.events import MOST_COOKIES, MOST_HEADERS
from waiting_room.edge.gatekeeper import Gatekeeper
from waiting_room.edge.settings import EdgeSettings
from waiting_room.edge.snapshots import Snapshots
from waiting_room.tokens import Verifier

GUARDED = "/events/midnight-sun"
SETTINGS = EdgeSettings(snapshot_path="/.waiting-room/gate-0.json", issuer=ISSUER)
MOST_TIMES = 20
"""How much dearer than the median request the dearest may be."""


def gatekeeper(others: int) -> Gatekeeper:
    """A gate before the zone of these tests and many more, some of them with numbers and globs."""
    more = [
        zone(f"zone-{number}", rules=[{"paths": [f"/events/zone-{number}", f"/shows/{number}", f"/*/x-{number}"]}])
        for number in range(others)
    ]
    body = encode_snapshot(snapshot_document(zone(), *more))
    return Gatekeeper(SETTINGS, Snapshots(ISSUER, lambda _: body), CLOCK.now_ms)


@pytest.mark.parametrize("others", [0, 60])
def test_the_dearest_request_costs_no_more_than_twenty_ordinary_ones(others):
    gate = gatekeeper(others)
    ordinary = [{"Records": [{"cf": any_event(random.Random(seed))}]} for seed in range(500)]
    usual = median(lines_run(lambda each=each: gate(each))[1] for each in ordinary)
    for name, event in hostile_events(GUARDED):
        answer, lines = lines_run(lambda event=event: gate(event))
        assert lines <= MOST_TIMES * usual, name
        assert "no-snapshot" not in answer.get("body", ""), f"an exception was caught: {name}"


def test_signatures_are_looked_at_a_few_times_for_one_request(monkeypatch):
    looked_at = []
    verify = Verifier.verify
    monkeypatch.setattr(Verifier, "verify", lambda *args, **more: looked_at.append(args) or verify(*args, **more))
    forged = dict(hostile_events(GUARDED))["forged tokens everywhere"]
    assert gatekeeper(0)(forged)["status"] == "303"
    assert len(looked_at) == MOST_EXAMINED


def test_rules_that_begin_otherwise_are_not_compared(monkeypatch):
    compared = []
    likely = Rules._beginning_like
    monkeypatch.setattr(Rules, "_beginning_like", lambda *args: compared.extend(found := likely(*args)) or found)
    gatekeeper(0)
    body = encode_snapshot(
        snapshot_document(zone(), *(zone(f"z-{n}", rules=[{"paths": [f"/z/{n}"]}]) for n in range(99)))
    )
    Gatekeeper(SETTINGS, Snapshots(ISSUER, lambda _: body), CLOCK.now_ms)(asked(GUARDED))
    assert [rule.zone_id for rule in compared] == ["midnight-sun"]


def test_a_request_with_more_headers_than_servers_take_is_refused():
    few = {f"x-{number}": ["1"] for number in range(MOST_HEADERS // 2)}
    many = {f"x-{number}": ["1"] for number in range(MOST_HEADERS + 1)}
    assert gatekeeper(0)(asked("/", **few))["uri"] == "/"
    assert gatekeeper(0)(asked("/", **many))["status"] == "400"


def test_a_cookie_header_no_browser_sends_is_none():
    most = ["a=1;" * MOST_COOKIES]
    assert gatekeeper(0)(asked("/", cookie=most))["headers"]["cookie"][0]["value"] == most[0]
    assert "cookie" not in gatekeeper(0)(asked("/", cookie=["a=1;" * (MOST_COOKIES + 1)]))["headers"]
