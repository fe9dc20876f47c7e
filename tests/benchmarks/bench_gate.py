"""The gate against its peers: whole viewer-request events through the real handler, in one run, in turns.

Per call in microseconds: medians over rounds that take turns, so that whatever else the machine does meets all alike.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.authorizer import make_authorizer
from tests.benchmarks.peers import connector_packages, use_authorizer_packages
from tests.support.gate_support import CLOCK, ISSUER, access_token, event, snapshot_document, zone
from waiting_room.domain.gate.exit_list import ID_BYTES, MOST_EXITS, ExitList, list_exits
from waiting_room.domain.gate.gate import REMEMBERED
from waiting_room.domain.gate.published import encode_snapshot
from waiting_room.edge.exit_lists import ExitLists
from waiting_room.edge.gatekeeper import Gatekeeper
from waiting_room.edge.settings import EdgeSettings
from waiting_room.edge.snapshots import Fetched, Snapshots

ROUNDS = 61
CALLS = 100
WARM_UP = 20
FRESH_TOKENS = REMEMBERED + 100
"""When the first one comes again, nothing remembers it any more."""

Call = Callable[[], object]


def run() -> dict[str, float]:
    """Medians in microseconds and the ratios to the peers. Peers that cannot be installed are left out."""
    gate = Gates()
    calls: dict[str, Callable[[int], float]] = {
        name: timed(call)
        for name, call in {
            "gate_admitted_warm": gate.admitted,
            "gate_first_sight": gate.first_sight,
            "gate_unguarded": gate.unguarded,
            "gate_refused_page": gate.refused_page,
            "gate_refused_fetch": gate.refused_fetch,
        }.items()
    }
    if use_authorizer_packages():
        calls["authorizer"] = timed(make_authorizer())
    with connector() as peer:
        if peer is not None:
            calls["connector_admitted"] = peer
        found = in_turns(calls)
    results = {f"{name}_us": round(value, 2) for name, value in found.items()}
    for ratio, own, other in (
        ("gate_admitted_warm_vs_connector", "gate_admitted_warm", "connector_admitted"),
        ("gate_first_sight_vs_authorizer", "gate_first_sight", "authorizer"),
    ):
        if other in found:
            results[ratio] = round(found[own] / found[other], 3)
    return results


def in_turns(calls: dict[str, Callable[[int], float]]) -> dict[str, float]:
    """Microseconds a call of each, the median of rounds in which each is called CALLS times."""
    for call in calls.values():
        for _ in range(WARM_UP):
            call(CALLS)
    rounds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            rounds[name].append(call(CALLS) / CALLS / 1000)
    return {name: median(values) for name, values in rounds.items()}


def timed(call: Call) -> Callable[[int], float]:
    """A function that makes a number of calls and tells how many nanoseconds they took."""

    def measure(count: int) -> float:
        started_ns = time.perf_counter_ns()
        for _ in range(count):
            call()
        return time.perf_counter_ns() - started_ns

    return measure


class Gates:
    """One gatekeeper with one zone and a full exit list, and an event for each kind of request.

    Every event is answered as it should be.
    """

    def __init__(self) -> None:
        body = encode_snapshot(snapshot_document(zone()))
        settings = EdgeSettings(snapshot_path="/.waiting-room/gate-0.json", issuer=ISSUER)
        chosen = random.Random(1)
        exits = list_exits(chosen.randbytes(ID_BYTES) for _ in range(MOST_EXITS))
        listed = Fetched(200, ExitList("midnight-sun", 1, exits=exits).encode(), '"full"')
        snapshots = Snapshots(ISSUER, lambda _: body, lambda _: ExitLists(lambda *_: listed))
        self._handler = Gatekeeper(settings, snapshots, CLOCK.now_ms)
        self._admitted = with_token(access_token())
        self._fresh = itertools.cycle([with_token(access_token(iat=number)) for number in range(FRESH_TOKENS)])
        self._unguarded = event("open_page")
        self._page, self._fetch = event("navigation"), event("fetch")
        assert "x-waiting-room-session" in self.admitted()["headers"]
        assert "x-waiting-room-session" in self.first_sight()["headers"]
        assert "uri" in self.unguarded()
        assert (self.refused_page()["status"], self.refused_fetch()["status"]) == ("303", "429")

    def admitted(self) -> dict[str, Any]:
        """A visitor's next page."""
        return self._handler(self._admitted)

    def first_sight(self) -> dict[str, Any]:
        """A visitor's first page: nothing about the token is known."""
        return self._handler(next(self._fresh))

    def unguarded(self) -> dict[str, Any]:
        """A page nothing guards."""
        return self._handler(self._unguarded)

    def refused_page(self) -> dict[str, Any]:
        """A page asked for without a token."""
        return self._handler(self._page)

    def refused_fetch(self) -> dict[str, Any]:
        """Data asked for without a token."""
        return self._handler(self._fetch)


def with_token(token: str) -> dict[str, Any]:
    """The recorded navigation with an access cookie."""
    recorded = copy.deepcopy(event("navigation"))
    recorded["Records"][0]["cf"]["request"]["headers"]["cookie"][0]["value"] += (
        f"; __Host-wr-access-midnight-sun={token}"
    )
    return recorded


@contextmanager
def connector() -> Iterator[Callable[[int], float] | None]:
    """The peer in a process of its own, admitted to the same page; None where it cannot be installed."""
    packages = connector_packages()
    if packages is None:
        yield None
        return
    command = ["node", str(Path(__file__).parent / "connector" / "connector.js"), str(packages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(line: object) -> Any:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(line) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        assert ask({"event": event("navigation"), "admitted": False}) == "redirected"
        assert ask({"event": event("navigation"), "admitted": True}) == "passed"
        for _ in range(WARM_UP):
            ask(CALLS * 10)
        yield lambda count: float(ask(count))
        assert process.stdin is not None
        process.stdin.close()
