"""What was revoked: from the table to the snapshot to the gate, in this order. What ended: on the exit list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from scripts.visitors.browser import token_claims
from tests.integration.guests import Guest
from tests.integration.running import PUBLISHED_SEC, Foyer, wait_until
from tests.integration.zones import open_zones, zone
from waiting_room.domain.gate.exit_list import object_key, read_exit_list

AT_THE_GATE_SEC = PUBLISHED_SEC + 10
"""Meant to be 10; a busy machine is given more."""

ZONES = ("session-revoked", "visitor-barred")


@pytest.fixture(scope="module", autouse=True)
def zones(foyer: Foyer) -> None:
    """The zones of this module."""
    open_zones(foyer, *(zone(zone_id) for zone_id in (*ZONES, "visitor-left")))


def revoke(foyer: Foyer, guest: Guest) -> tuple[str, str]:
    path = f"/zones/{guest.zone_id}/revocations"
    assert foyer.operate("POST", path, {"session_id": guest.sid}).status_code == 201
    return "sids", guest.sid


def bar(foyer: Foyer, guest: Guest) -> tuple[str, str]:
    visitor_id = str(token_claims(guest.token("visitor"))["sub"])
    path = f"/zones/{guest.zone_id}/revocations"
    assert foyer.operate("POST", path, {"visitor_id": visitor_id}).status_code == 201
    return "visitors", visitor_id


def stored(foyer: Foyer, zone_id: str, revoked: str) -> bool:
    """Whether the table has a record about an id."""
    name = foyer.stack.names.table("protected_zones")
    items = foyer.client("dynamodb").scan(TableName=name, ConsistentRead=True)["Items"]
    return any(item["zone_id"]["S"] == zone_id and revoked in str(item) for item in items)


@pytest.mark.parametrize(("zone_id", "end"), list(zip(ZONES, (revoke, bar), strict=True)))
def test_a_copied_token_is_refused_once_the_snapshot_has_it(
    foyer: Foyer,
    http: httpx.Client,
    zone_id: str,
    end: Callable[[Foyer, Guest], tuple[str, str]],
) -> None:
    copy = Guest(http, zone_id)
    assert copy.is_in()
    version = foyer.snapshot()["version"]

    kind, revoked = end(foyer, copy)
    events = ["stored"] if stored(foyer, zone_id, revoked) else []

    def is_refused() -> Any:
        # The gate is asked first: what it goes by must be in a snapshot that is read later.
        refused = copy.get(copy.path).status_code == 303
        snapshot = foyer.snapshot()
        if revoked in snapshot["revoked"][kind] and "published" not in events:
            assert snapshot["version"] > version
            events.append("published")
        return refused

    wait_until(is_refused, AT_THE_GATE_SEC, "the gate refuses the copy")
    events.append("refused")
    assert events == ["stored", "published", "refused"]


def test_a_session_that_ended_is_listed_and_written_nowhere_else(foyer: Foyer, http: httpx.Client) -> None:
    guest = Guest(http, "visitor-left")
    assert guest.is_in()
    assert guest.another_window().call("DELETE", "/sessions/me").status_code == 204

    def is_listed() -> bool:
        answer = http.get("/" + object_key(guest.zone_id))
        return answer.status_code == 200 and read_exit_list(answer.content).has(guest.sid)

    wait_until(is_listed, AT_THE_GATE_SEC, "the exit is on the list")
    assert guest.sid not in foyer.snapshot()["revoked"]["sids"]
    assert not stored(foyer, guest.zone_id, guest.sid)
