"""One phone, one place on the running stack: a code goes out to the outbox, and lets the place in."""

from __future__ import annotations

import re

import httpx

from tests.integration.guests import CALLED_SEC, Guest, connections, problem_of
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import open_zones, zone

NUMBER = "+447700900123"
IDENTITY = {"mode": "require", "phone": {"channels": ["sms"], "prefixes": ["+44"]}}


def test_a_code_lets_one_place_in(foyer: Foyer) -> None:
    open_zones(foyer, zone("phones", max_active=5, identity=IDENTITY))

    def last_code() -> str:
        page = httpx.get(f"{foyer.url}/.waiting-room/dev/outbox").text
        return re.findall(r"([0-9]{6}) is your code", page)[0]

    with connections(foyer.url) as http:
        first, second = (Guest(http, "phones") for _ in range(2))
        for guest in (first, second):
            guest.open()
            wait_until(lambda guest=guest: problem_of(guest.call("POST", "/access-tokens")), CALLED_SEC, "it is called")
            assert problem_of(guest.call("POST", "/access-tokens")) == "phone-needed"
            sent = guest.call("POST", "/visitors/me/codes", {"channel": "sms", "number": NUMBER})
            assert (sent.status_code, sent.json()["sent"]) == (202, "yes")
            verified = guest.call("POST", "/visitors/me/phone", {"number": NUMBER, "code": last_code()})
            assert verified.status_code == (200 if guest is first else 409)
        first.come_in()
        assert second.call("POST", "/access-tokens").status_code == 428
