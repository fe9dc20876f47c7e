"""Alerts on the running stack: asked for through the edge, sealed by KMS, sent when the line moves, to the outbox."""

from __future__ import annotations

from itertools import pairwise

import httpx

from tests.integration.guests import CALLED_SEC, Guest, connections
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import open_zones, zone

NUMBER = "+447700900123"
ALERTS = {"channels": ["sms"], "prefixes": ["+44"], "lead_sec": 7200}


def test_who_asked_is_told_once(foyer: Foyer) -> None:
    open_zones(foyer, zone("alerted", max_active=1, alerts=ALERTS, title="Midnight Sun"))

    def outbox() -> str:
        return httpx.get(f"{foyer.url}/.waiting-room/dev/outbox").text

    with connections(foyer.url) as http:
        line = [Guest(http, "alerted") for _ in range(5)]
        line[0].open()
        line[0].come_in()
        for guest in line[1:]:
            assert not guest.is_in()
            assert guest.call("POST", "/visitors").status_code == 200
        asked = {"channel": "sms", "number": "+44 7700 900123", "consent": True, "language": "es"}
        assert line[4].call("POST", "/visitors/me/alerts", asked).status_code == 202
        assert NUMBER not in outbox()
        # Before the turn when the pace is known by then, else with it.
        for inside, following in pairwise(line[:4]):
            assert inside.call("DELETE", "/sessions/me").status_code == 204
            following.come_in()
        assert line[3].call("DELETE", "/sessions/me").status_code == 204
        wait_until(lambda: NUMBER in outbox(), CALLED_SEC, "who asked is told")
    page = outbox()
    assert page.count(NUMBER) == 1
    assert "Midnight Sun: ya casi es tu turno" in page
