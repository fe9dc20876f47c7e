"""Where visitors go after waiting: to what the zone guards and nowhere else, by the API and by the page's script."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tools import require_tool
from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.gate.way_back import way_back
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.pages import _guarded_paths

ROOT = Path(__file__).parents[3]
LANDING = "/shop"
ZONE = Zone.from_document(
    {
        "zone_id": "midnight-sun",
        "mode": "queueing",
        "max_active": 2,
        "landing_path": LANDING,
        "rules": [
            {"paths": ["/events/midnight-sun", "=/checkout"], "excludes": ["/events/midnight-sun/static", "/*/logo"]},
            {"paths": ["/pay/*/card", "/Strict"], "ignore_case": False, "hosts": ["a.example"], "methods": ["POST"]},
            {"paths": ["/caf%C3%A9"]},
        ],
    }
)
KEPT = (
    *(
        "/events/midnight-sun",
        "/events/midnight-sun/seats?row=4#map",
        "/EVENTS/Midnight-Sun",
        "/checkout",
        "/checkout/",
    ),
    *("/pay/1/card", "/pay/1/2/card", "/Strict/x", "/caf%C3%A9/x", "/events/midnight-sun?to=/account"),
)
LEFT = (
    *("/", "/account/delete?sure=1", "/events", "/events/midnight-sunny", "/checkout/x", "/strict", "/pay/1/cards"),
    *(
        "/events/midnight-sun/static/a",
        "/events/midnight-sun/logo",
        "/events/midnight-sun/../../account",
        "/x?/checkout",
    ),
    *("/events/midnight-sun/..%2f..%2faccount", "/events/midnight-sun/%2e%2e/%2e%2e/account"),
    *(
        "/account;/checkout",
        "/events/midnight-sun/x/..%252f..%252f..%252faccount",
        "/account#/checkout",
        "/account%23/../checkout/x",
        "",
    ),
    *("/events/midnight-sun&/../account", "/account%3f/../checkout/y"),
)
STRICTER = (
    "/events/midnight-sun/a+b",
    "/events/midnight-sun.json",
    "/checkout/index.html",
    "/events/midnight-sun/a.b/..c",
)
"""What the script, which knows fewer readings, leads to the landing path although the zone guards it."""
REFUSED = ("//evil.example", "/\\evil.example", "https://evil.example", "/.waiting-room/v1/zones/x/enter", "/%00")


@pytest.mark.parametrize("to", KEPT)
def test_a_guarded_path_is_kept(to: str) -> None:
    assert way_back(ZONE, to) == to


@pytest.mark.parametrize("to", [*LEFT, None])
def test_any_other_path_leads_to_the_landing_path(to: str | None) -> None:
    assert way_back(ZONE, to) == LANDING


@pytest.mark.parametrize("to", REFUSED)
def test_what_is_no_safe_path_is_refused(to: str) -> None:
    with pytest.raises(InvalidInput):
        way_back(ZONE, to)


def test_the_script_of_the_page_goes_nowhere_else() -> None:
    node = shutil.which("node")
    require_tool("Node.js", node, "install it to run the page's scripts")
    facts = {"landing_path": LANDING, "guards": [_guarded_paths(rule) for rule in ZONE.rules]}
    asked = [*KEPT, *LEFT, *STRICTER, *REFUSED]
    given = {"assets": str(ROOT / "lambdas/publisher/site/assets"), "facts": facts, "asked": asked}
    command = [str(node), str(ROOT / "tests/support/page_way_back.mjs")]
    ran = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60)
    found = dict(zip(asked, json.loads(ran.stdout), strict=True))
    assert found == {to: to if to in KEPT else LANDING for to in asked}
    for to in STRICTER:
        assert way_back(ZONE, to) == to
