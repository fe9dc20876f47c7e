"""A session that ended or was revoked: from the table to the snapshot to the gate, in this order and in no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from scripts.visitors.browser import token_claims
from tests.integration.guests import Guest
from tests.integration.running import PUBLISHED_SEC, Foyer, wait_until
from tests.integration.zones import open_zones, zone

AT_THE_GATE_SEC = PUBLISHED_SEC + 10
"""Meant to be 10; a busy machine is given more."""

STRICT = ("strict-left", "strict-revoked", "strict-barred")


@pytest.fixture(scope="module", autouse=True)
def zones(foyer: Foyer) -> None:
    """The zones of this module; one forgives what the others do not."""
    open_zones(foyer, *(zone(zone_id, strict_exit=True) for zone_id in STRICT), zone("lax-left"))


def leave(foyer: Foyer, guest: Guest) -> tuple[str, str]:
    assert guest.another_window().call("DELETE", "/sessions/me").status_code == 204
    return "sids", guest.sid


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


@pytest.mark.parametrize(("zone_id", "end"), list(zip(STRICT, (leave, revoke, bar), strict=True)))
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


def test_without_strict_exit_a_copy_shows_pages_until_it_runs_out(foyer: Foyer, http: httpx.Client) -> None:
    lax, strict = Guest(http, "lax-left"), Guest(http, "strict-left")
    assert lax.is_in()
    assert strict.is_in()
    for guest in (lax, strict):
        leave(foyer, guest)
    wait_until(lambda: strict.get(strict.path).status_code == 303, AT_THE_GATE_SEC, "the gate refuses the strict one")
    assert lax.get(lax.path).status_code == 200
    assert lax.sid not in foyer.snapshot()["revoked"]["sids"]
