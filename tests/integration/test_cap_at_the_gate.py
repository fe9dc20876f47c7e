"""The cap is what the gate lets in: whoever claims, leaves and claims again keeps every token, and tries them all."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest

from scripts.visitors.browser import PAGE_HEADERS
from tests.integration.guests import Guest, connections
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import open_zones, path_of, zone

ZONE_ID = "looped"
CAP = 5
ATTACKERS = 7
LOOPING_SEC = 75.0
COLD_SEC = 120.0
"""Seven bouncers start at once."""
REFILLS = CAP
"""Sessions that come in after the first room full, at least: one turn of each slot takes some 15 s, and without exits
that count none would come before the first token's end, at 300 s. A busy machine is given more."""


@dataclass
class Attack:
    """Tokens of every session that was ever given, and at each moment those that the gate let in."""

    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    let_in: list[frozenset[str]] = field(default_factory=list, repr=False)
    over: threading.Event = field(default_factory=threading.Event)

    def loop(self, url: str) -> None:
        """Come as somebody new, claim, keep the token, leave; and again."""
        with connections(url) as http:
            while not self.over.is_set():
                # A busy machine keeps somebody waiting: an attacker goes and comes as somebody else.
                with contextlib.suppress(httpx.TimeoutException):
                    self._once(Guest(http, ZONE_ID))

    def _once(self, guest: Guest) -> None:
        guest.open()
        joined = guest.call("POST", "/visitors")
        assert joined.status_code in (200, 201), joined.text
        while not guest.claim():
            if self.over.wait(0.5):
                return
        self.tokens[guest.sid] = guest.token("access")
        assert guest.call("DELETE", "/sessions/me").status_code == 204

    def try_all(self, http: httpx.Client) -> None:
        """Ask the gate with every token there is."""
        tokens = list(self.tokens.items())
        self.let_in.append(frozenset(sid for sid, token in tokens if opens(http, token)))


def opens(http: httpx.Client, token: str) -> bool:
    """Whether the gate lets a request with this token through; a detour to renew its lease is as good."""
    cookie = {"Cookie": f"__Host-wr-access-{ZONE_ID}={token}"}
    answer = http.get(path_of(ZONE_ID), headers=PAGE_HEADERS | cookie)
    assert answer.status_code in (200, 303), answer.text
    return answer.status_code == 200 or "/renew" in answer.headers["location"]


@pytest.fixture(scope="module")
def attack(foyer: Foyer) -> Iterator[Attack]:
    """Seven loop for a while, somebody tries all tokens once a second, and again until the last exit has been heard."""
    open_zones(foyer, zone(ZONE_ID, max_active=CAP))
    made = Attack()
    with ThreadPoolExecutor(ATTACKERS) as pool, connections(foyer.url) as http:
        loops = [pool.submit(made.loop, foyer.url) for _ in range(ATTACKERS)]
        try:
            wait_until(lambda: made.tokens, COLD_SEC, "the first comes in")
            until = time.monotonic() + LOOPING_SEC
            for second in itertools.count(1):
                made.try_all(http)
                if time.monotonic() >= until:
                    break
                made.over.wait(max(0.0, until - LOOPING_SEC + second - time.monotonic()))
        finally:
            made.over.set()
        for each in loops:
            each.result(60)
        yield made


def test_no_more_sessions_are_let_in_than_the_cap(attack: Attack) -> None:
    assert max(map(len, attack.let_in)) <= CAP, [len(each) for each in attack.let_in]


def test_exits_make_room_long_before_their_tokens_end(attack: Attack) -> None:
    assert len(attack.tokens) >= CAP + REFILLS


def test_in_the_end_nobody_is_let_in(attack: Attack, foyer: Foyer) -> None:
    with connections(foyer.url) as http:

        def nobody() -> bool:
            attack.try_all(http)
            return not attack.let_in[-1]

        wait_until(nobody, 60, "every token of a session that ended is refused")
