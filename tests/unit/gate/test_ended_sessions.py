"""A session on its zone's exit list is at the gate what a revoked one is; where nobody can tell, it opens nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.gate_support import (
    CLOCK,
    FETCH,
    IDS,
    NOW_SEC,
    SID,
    VERIFIER,
    access_token,
    bypass_token,
    request,
    snapshot,
    with_header,
    zone,
)
from waiting_room.domain.gate.exit_list import exit_id
from waiting_room.domain.gate.gate import Gate, Pass, Refuse, Unavailable, decide

TOKEN = access_token()
OTHER = access_token(sid=IDS.session_id())
OFFICE = {"name": "office", "ip_ranges": ["192.0.2.0/24"]}
BEARER = with_header("authorization", f"Bearer {TOKEN}", FETCH)


class Lists:
    """Exit lists that say of each session what they are told to, and note who was asked about."""

    def __init__(self, *ended: str, says: bool | None = True) -> None:
        self.said = {int.from_bytes(exit_id(sid), "big"): says for sid in ended}
        self.asked: list[str] = []

    def __call__(self, zone, number, now_sec):
        assert now_sec == NOW_SEC
        self.asked.append(zone.zone_id)
        return self.said.get(number, False)


def decided(asked, lists: Lists, *zones, **parts):
    gate = Gate(snapshot(*zones, **parts), VERIFIER.verify, lists)
    first, again = gate.decide(asked, CLOCK.ms), gate.decide(asked, CLOCK.ms)
    assert first == again, "what a gate remembers of a token is not that its session goes on"
    return first


REQUESTS = {
    "page": request(access=TOKEN),
    "data": request(headers=FETCH, access=TOKEN),
    "bearer": request(headers=BEARER),
    "post": request(method="POST", access=TOKEN),
    "prefetch": request(headers=with_header("sec-purpose", "prefetch"), access=TOKEN),
}


@pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("control", ["auto", "pause", "pass", "lock", "end"])
@pytest.mark.parametrize("observe", [False, True])
@pytest.mark.parametrize("entry", ["enter", "page"])
def test_who_ended_is_refused_as_who_was_revoked(asked, control, observe, entry):
    where = zone(control=control, observe=observe)
    parts = {"entries": {where.zone_id: entry}}
    revoked = decide(asked, snapshot(where, revoked={"sids": [SID]}, **parts), VERIFIER.verify, CLOCK.ms)
    assert decided(asked, Lists(SID), where, **parts) == revoked
    if control != "lock":
        assert decided(asked, Lists(), where, **parts) != revoked


@pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS)
def test_where_nobody_can_tell_nobody_passes(asked):
    assert decided(asked, Lists(SID, says=None)) == Unavailable("midnight-sun")


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (request(access=TOKEN), {"control": "pass"}),
        (request(access=TOKEN), {"observe": True}),
        (request(access=TOKEN, bypass=bypass_token()), {}),
        (replace(request(access=TOKEN), client_ip="192.0.2.7"), {"exempt": [OFFICE]}),
        (replace(request(), tokens={("access", "midnight-sun"): (TOKEN, OTHER)}), {}),
    ],
    ids=["pass", "observe", "bypass token", "exempt rule", "another token"],
)
def test_who_passes_without_that_token_passes_still(asked, fields):
    for says in (True, None):
        assert isinstance(decided(asked, Lists(SID, says=says), zone(**fields)), Pass)


def test_a_locked_zone_sends_to_its_page_whatever_is_not_known():
    lists = Lists(SID, says=None)
    assert decided(request(access=TOKEN), lists, zone(control="lock")) == decided(
        request(access=TOKEN), Lists(), zone(control="lock")
    )
    assert isinstance(decided(request(headers=FETCH, access=TOKEN), lists, zone(control="lock")), Refuse)


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request("/open", access=TOKEN),
        request(access="no.token.atall"),
        request(access=access_token(exp=NOW_SEC)),
        request(access=access_token(run=2)),
        request(bypass=bypass_token()),
    ],
    ids=["no token", "open path", "bad", "over", "another run", "bypass"],
)
def test_only_a_good_token_asks_for_a_list(asked):
    lists = Lists()
    decided(asked, lists)
    assert lists.asked == []


def test_each_zone_of_a_path_asks_its_own():
    both = zone(), zone("events", rules=[{"paths": ["/other"]}])
    tokens = {
        ("access", "midnight-sun"): (TOKEN,),
        ("access", "events"): (access_token(zone="events", sid=IDS.session_id()),),
    }
    asked, lists = replace(request("/other/%2e%2e/events/midnight-sun"), tokens=tokens), Lists()
    assert isinstance(decided(asked, lists, *both), Pass)
    assert set(lists.asked) == {"midnight-sun", "events"}
    assert not isinstance(decided(asked, Lists(SID), *both), Pass)


def test_of_another_network_and_ended_is_ended():
    bound = access_token(net="AAAAAAAAAAA")
    where = zone(network_binding="refuse")
    parts = {"entries": {where.zone_id: "page"}}
    revoked = snapshot(where, revoked={"sids": [SID]}, **parts)
    asked = request(access=bound)
    assert decided(asked, Lists(SID), where, **parts) == decide(asked, revoked, VERIFIER.verify, CLOCK.ms)
