"""From the watermark to the push: visitors with open WebSockets are called together on the running stack.

    .venv/bin/python tests/benchmarks/measure_push.py [--clients 200] [--broken 10]

Prints how long after the exchanger's decision (`updated_at_ms` of the status document that calls them) each was told.
`--broken` of them lose their connection without a word before, and come in by polling.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "layer" / "python")]

import httpx  # noqa: E402

from scripts.edge.websocket import WebSocket  # noqa: E402
from tests.integration.guests import Guest, connections  # noqa: E402
from tests.integration.running import Foyer, running_foyer  # noqa: E402
from tests.integration.zones import open_zones, zone  # noqa: E402

ZONE = "together"
TOLD_WITHIN_SEC = 90.0


async def connected(guest: Guest, url: str) -> WebSocket:
    """A guest's WebSocket, as a browser opens it."""
    cookies = "; ".join(f"{name}={value}" for name, value in guest.cookies.items())
    return await WebSocket.open(f"{url}/.waiting-room/ws?zone={ZONE}", [("Origin", url), ("Cookie", cookies)])


async def told(socket: WebSocket) -> float:
    """When the message came, in epoch milliseconds."""
    async for message in socket.messages():
        assert json.loads(message)["type"] == "your_turn"
        return time.time() * 1000
    return float("inf")


async def called_at(foyer: Foyer, position: int) -> float:
    """When the exchanger decided that a position is called, by its own clock."""
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            document: dict[str, Any] = (await http.get(f"{foyer.url}/.waiting-room/status/{ZONE}.json")).json()
            if document["lanes"]["general"]["serving"] > position:
                return float(document["updated_at_ms"])
            await asyncio.sleep(0.2)


async def measure(foyer: Foyer, guests: list[Guest], broken: int) -> None:
    """Connect everybody, make room for all, and print what came of it."""
    began = time.monotonic()
    sockets = [await connected(guest, foyer.url) for guest in guests]
    print(f"{len(sockets)} connected in {time.monotonic() - began:.1f} s, one after the other")
    for socket in sockets[:broken]:
        socket.abort()
    waiting = [asyncio.create_task(told(socket)) for socket in sockets[broken:]]
    change = {"changes": {"max_active": len(guests) + 10}}
    answer = await asyncio.to_thread(foyer.operate, "POST", f"/zones/{ZONE}/control", change)
    assert answer.status_code == 200, answer.text
    decided_ms = await called_at(foyer, len(guests))
    done, late = await asyncio.wait(waiting, timeout=TOLD_WITHIN_SEC)
    delays_ms = sorted(task.result() - decided_ms for task in done)
    print(f"told {len(delays_ms)} of {len(waiting)}, lost {len(late)}")
    if delays_ms:
        worst = delays_ms[-1]
        print(f"after the decision: median {statistics.median(delays_ms):.0f} ms, worst {worst:.0f} ms")
    for task in late:
        task.cancel()
    let_in = [await asyncio.to_thread(guest.claim) for guest in guests[:broken]]
    print(f"of {broken} whose connection had died, {sum(let_in)} were let in by polling")
    for socket in sockets[broken:]:
        await socket.close()


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--broken", type=int, default=10)
    arguments = parser.parse_args()
    with running_foyer() as foyer, connections(foyer.url) as http:
        open_zones(foyer, zone(ZONE, max_active=1, claim={"window_sec": 300, "grace_sec": 300}))
        inside = Guest(http, ZONE)
        inside.open()
        inside.come_in()
        guests = [Guest(http, ZONE) for _ in range(arguments.clients)]
        for guest in guests:
            assert guest.call("POST", "/visitors").status_code == 201
        asyncio.run(measure(foyer, guests, arguments.broken))
    return 0


if __name__ == "__main__":
    sys.exit(main())
