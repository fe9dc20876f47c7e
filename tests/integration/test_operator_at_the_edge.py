"""What operators do in the middle of a sale, over the operator's API, and what visitors then meet at the edge."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from scripts.visitors.browser import PAGE_HEADERS, token_claims
from tests.integration.guests import CALLED_SEC, Guest, problem_of
from tests.integration.running import PUBLISHED_SEC, Foyer, wait_until
from tests.integration.zones import open_zones, path_of, status_of, zone
from waiting_room.domain.gate.request import BYPASS_PARAMETER
from waiting_room.domain.locations import page_path

AT_THE_GATE_SEC = PUBLISHED_SEC + 10
"""A change is at the edge within seconds; a busy machine is given more."""

STEERED = ("paused", "locked", "passing", "ended")


@pytest.fixture(scope="module", autouse=True)
def zones(foyer: Foyer) -> None:
    """The zones of this module."""
    full = [zone(zone_id, max_active=1) for zone_id in ("widened", "exempted", "revoked", "barred")]
    open_zones(foyer, *(zone(zone_id) for zone_id in STEERED), *full)


def control(foyer: Foyer, zone_id: str, **change: Any) -> dict[str, Any]:
    answer = foyer.operate("POST", f"/zones/{zone_id}/control", change)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def sent_to(http: httpx.Client, zone_id: str) -> str:
    """Where the gate sends somebody who has no token; '' for one who gets the page."""
    answer = http.get(path_of(zone_id), headers=PAGE_HEADERS)
    return str(answer.headers.get("location", "")).partition("?")[0]


def test_pause_lock_pass_and_end_hold_at_the_edge_and_auto_takes_them_back(foyer: Foyer, http: httpx.Client) -> None:
    inside = {zone_id: Guest(http, zone_id) for zone_id in STEERED}
    for guest in inside.values():
        assert guest.is_in()
    sid = inside["locked"].sid
    for zone_id, word in zip(STEERED, ("pause", "lock", "pass", "end"), strict=True):
        assert control(foyer, zone_id, control=word)["control"] == word

    newcomer = Guest(http, "paused")
    assert not newcomer.is_in()
    # Nobody is let in from that moment; each copy of the bouncer reads the zone again within seconds, and says why.
    wait_until(lambda: newcomer.place()["phase"] == "paused", PUBLISHED_SEC, "newcomers are told of the pause")
    assert not newcomer.claim()
    assert inside["paused"].is_in()

    wait_until(
        lambda: inside["locked"].get(path_of("locked")).status_code == 303, AT_THE_GATE_SEC, "all are locked out"
    )
    assert sent_to(http, "locked") == page_path("locked")
    wait_until(lambda: http.get(path_of("passing")).status_code == 200, AT_THE_GATE_SEC, "the gate is off")
    told = dict(http.get(path_of("passing")).json()["headers"])
    assert told["x-waiting-room-zone"] == "passing"
    assert "x-waiting-room-session" not in told
    wait_until(lambda: sent_to(http, "ended") == page_path("ended"), AT_THE_GATE_SEC, "newcomers read that it is over")
    # The token service goes by its own copy of the zone, up to two seconds old.
    wait_until(lambda: refusal_to_join(http, "ended") == "run-over", AT_THE_GATE_SEC, "nobody new gets a place")
    assert inside["ended"].is_in()
    phases = {"paused": "paused", "locked": "locked", "passing": "passing", "ended": "ended"}
    wait_until(lambda: all_phases(foyer) == phases, CALLED_SEC, "the waiting pages are told")

    for zone_id in STEERED:
        assert control(foyer, zone_id, control="auto")["control"] == "auto"
    newcomer.come_in()
    wait_until(inside["locked"].is_in, AT_THE_GATE_SEC, "those inside go on")
    assert inside["locked"].sid == sid
    wait_until(lambda: http.get(path_of("passing")).status_code == 429, AT_THE_GATE_SEC, "the gate is on again")
    latecomer = Guest(http, "ended")
    latecomer.open()
    latecomer.come_in()


def refusal_to_join(http: httpx.Client, zone_id: str) -> str:
    """The problem somebody new meets; '' for one who gets a place."""
    answer = Guest(http, zone_id).call("POST", "/visitors")
    return "" if answer.is_success else problem_of(answer)


def all_phases(foyer: Foyer) -> dict[str, str]:
    return {zone_id: status_of(foyer, zone_id)["phase"] for zone_id in STEERED}


def test_more_room_is_given_out_at_once(foyer: Foyer, http: httpx.Client) -> None:
    guests = [Guest(http, "widened") for _ in range(3)]
    assert [guest.is_in() for guest in guests] == [True, False, False]
    control(foyer, "widened", changes={"max_active": 2, "message": "A second door is open."})
    guests[1].come_in()
    assert not guests[2].claim()
    wait_until(lambda: status_of(foyer, "widened")["message"] == "A second door is open.", CALLED_SEC, "all are told")


def test_a_bypass_link_passes_leaves_no_trace_and_can_be_taken_back(foyer: Foyer, http: httpx.Client) -> None:
    assert Guest(http, "exempted").is_in()
    made = foyer.operate("POST", "/zones/exempted/bypass-tokens", {"name": "Box office", "expires_in_sec": 600})
    assert made.status_code == 201
    staff, token = Guest(http, "exempted"), made.json()["token"]

    path, _, behind = made.json()["link"].partition("#")
    assert (behind, 'method="post"' in staff.open(path).text, staff.cookies) == (token, True, {})
    pressed = staff.send("POST", path, PAGE_HEADERS, data={"token": token})
    assert (pressed.status_code, pressed.headers["location"]) == (303, staff.path)
    assert staff.token("bypass") == token
    old = Guest(http, "exempted")
    followed = old.get(f"{old.path}?{BYPASS_PARAMETER}={token}&row=7")
    assert (followed.status_code, followed.headers["location"], old.token("bypass")) == (
        303,
        f"{old.path}?row=7",
        token,
    )
    page = staff.get(followed.headers["location"])
    assert (page.status_code, token in page.text, BYPASS_PARAMETER in page.text) == (200, False, False)
    told = dict(page.json()["headers"])
    assert (told["x-waiting-room-exempt"], told["x-waiting-room-zone"]) == (made.json()["id"], "exempted")
    assert "x-waiting-room-visitor" not in told
    assert sent_to(http, "exempted").endswith("/zones/exempted/enter")

    assert foyer.operate("POST", "/zones/exempted/revocations", {"bypass_id": made.json()["id"]}).status_code == 201
    wait_until(lambda: staff.get(staff.path).status_code == 303, AT_THE_GATE_SEC, "the link is worth nothing any more")


def test_a_revoked_session_is_refused_and_its_room_goes_to_the_next(foyer: Foyer, http: httpx.Client) -> None:
    inside, waiting = Guest(http, "revoked"), Guest(http, "revoked")
    assert inside.is_in()
    assert not waiting.is_in()
    reason = {"session_id": inside.sid, "reason": "Buys for resale"}
    assert foyer.operate("POST", "/zones/revoked/revocations", reason).status_code == 201
    wait_until(lambda: inside.get(inside.path).status_code == 303, AT_THE_GATE_SEC, "the gate refuses the session")
    assert problem_of(inside.call("POST", "/sessions/me/renewals")) == "forbidden"
    waiting.come_in()


def test_a_barred_visitor_is_out_at_once_and_does_not_come_back(foyer: Foyer, http: httpx.Client) -> None:
    inside, waiting = Guest(http, "barred"), Guest(http, "barred")
    assert inside.is_in()
    assert not waiting.is_in()
    visitor_id = token_claims(inside.token("visitor"))["sub"]
    assert foyer.operate("POST", "/zones/barred/revocations", {"visitor_id": visitor_id}).status_code == 201
    assert problem_of(inside.call("POST", "/sessions/me/renewals")) == "forbidden"
    waiting.come_in()
    wait_until(lambda: inside.get(inside.path).status_code == 303, AT_THE_GATE_SEC, "the gate refuses the visitor")
    for method, path in (("POST", "/visitors"), ("POST", "/access-tokens")):
        assert problem_of(inside.call(method, path)) == "forbidden"
    assert not inside.is_in()
    assert foyer.operate("GET", f"/zones/barred/visitors/{visitor_id}").json()["status"] == "revoked"
