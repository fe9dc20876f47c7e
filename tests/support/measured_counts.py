"""What Foyer's operations cost in calls, units and bytes, counted on the real code: the basis of the cost table.

`python -m tests.support.measured_counts` writes what it finds to scripts/costs/counts.json; a test compares the two.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.api_world import BROWSER, EVENTS, ROOT, ZONE_ID, Browser
from tests.support.deployment import SITE_FOLDER, Deployment
from tests.support.measured_recording import recording
from waiting_room.domain.zone.zones import PollRules, Zone
from waiting_room.http.page.assets import assets

FILE = Path(__file__).resolve().parents[2] / "scripts" / "costs" / "counts.json"
PAGE_VISIT = Path(__file__).with_name("page_visit.mjs")

WAIT_SEC = 600
SPEEDS_PER_SEC = (400, 10)
"""A line as fast as one zone can be, and a slow one: near the front a page looks often, the slower the longer."""
PAGE_VISITS = 200
WAITS_MIN = (1, 3, 10, 30, 120)
"""Between these, and beyond, the looks of a page grow evenly with its wait."""
WAIT_VISITS = 40
TOLD_AT_ONCE = 10
"""What a tick of the slow line calls."""

COMPRESSED = (".css", ".js", ".svg", ".html")
HEADER_BYTES = 500
"""Of a response at the edge: status line, CloudFront's own headers and ours, before HTTP/2 squeezes them."""

Counts = dict[str, Any]


class Meter:
    """Counts what one function does on AWS while something happens, its caches empty: the most it can be."""

    def __init__(self, world: Deployment) -> None:
        self.world = world

    def __call__(self, component: str, act: Callable[[], Any]) -> Counts:
        """The counts of one act in a zone that is being ticked.

        Copies of zone and gate item, which a busy function keeps for up to two seconds, have run out before it.
        """
        world = self.world
        world.clock.advance(3)
        world.tick()
        units, calls = world.dynamo.units, world.calls[component]
        units.reset()
        calls.clear()
        lines, printed = len(world.log.lines), io.StringIO()
        with contextlib.redirect_stdout(printed):
            act()
        return {
            "write_units": units.write,
            "read_units": units.read,
            "aws_calls": sum(calls.values()),
            "s3_puts": calls["s3.put_object"],
            "s3_gets": calls["s3.get_object"],
            "log_bytes": sum(len(json.dumps(line)) for line in world.log.lines[lines:]) + len(printed.getvalue()),
        }


class Visits:
    """A zone with room for one, its visitors, and what each request of theirs costs."""

    def __init__(self, **changes: Any) -> None:
        self.world = Deployment()
        self.site_key = str(self.world.put_zone(max_active=1, **changes).json["site_key"])
        self.world.run_started()
        self._meter = Meter(self.world)

    def browser(self) -> Browser:
        return Browser(self.world)  # type: ignore[arg-type]

    def ask(self, who: Browser, method: str, path: str, expected: int, **parts: Any) -> Counts:
        """The counts of one request of a visitor."""

        def act() -> None:
            answer = who.ask(method, path, **parts)
            assert answer.status == expected, answer

        return self._meter("bouncer", act)

    def confirm(self, who: Browser, **body: Any) -> Counts:
        """The counts of one request of the site's server about a visitor."""
        headers = {"accept": "application/json", "authorization": f"Bearer {self.site_key}"}

        def act() -> None:
            body["token"] = who.access_token
            answer = self.world.visit("POST", f"{ROOT}/confirmations", body, headers=headers)
            assert answer.status == 200, answer

        return self._meter("bouncer", act)


def phone_operations() -> dict[str, Counts]:
    """What it takes to confirm a phone: one code, right at once."""
    phone = {"channels": ["sms"], "prefixes": ["+44"]}
    visits = Visits(identity={"mode": "require", "phone": phone})
    visitor, number = visits.browser(), {"number": "+447700900123"}
    visits.ask(visitor, "POST", "/visitors", 201)
    found = {"send_code": visits.ask(visitor, "POST", "/visitors/me/codes", 202, body={**number, "channel": "sms"})}
    code = {"code": visits.world.codes.messages[-1].split()[0]}
    return found | {"verify_phone": visits.ask(visitor, "POST", "/visitors/me/phone", 200, body={**number, **code})}


def visitor_operations(**changes: Any) -> dict[str, Counts]:
    """Each operation of a visit, in its order: one buys, one waits meanwhile and leaves in the end."""
    visits = Visits(**changes)
    # Somebody else has come before, and woken the exchanger: that is nobody's own cost.
    _joined(visits.world)
    visits.world.tick()
    # Long enough for what functions keep of a zone to be old.
    visits.world.clock.advance(3)
    buyer, waiting = visits.browser(), visits.browser()
    to = "to=/events/midnight-sun"
    found = {
        "enter_without_cookie": visits.ask(buyer, "GET", "/enter", 303, headers=BROWSER, query=to),
        "get_visitor_unknown": visits.ask(waiting, "GET", "/visitors/me", 401),
        "join_queue": visits.ask(buyer, "POST", "/visitors", 201),
        "get_visitor": visits.ask(buyer, "GET", "/visitors/me", 200),
    }
    visits.world.tick()
    found["issue_access_token"] = visits.ask(buyer, "POST", "/access-tokens", 201)
    visits.ask(waiting, "POST", "/visitors", 201)
    found["issue_access_token_not_yet"] = visits.ask(waiting, "POST", "/access-tokens", 202)
    found["mark_away"] = visits.ask(waiting, "POST", "/visitors/me/away", 204)
    visits.world.clock.advance(60)
    found["renew_session"] = visits.ask(buyer, "POST", "/sessions/me/renewals", 200)
    found["confirm_token"] = visits.confirm(buyer, reference="order-1")
    found["checkout"] = visits.confirm(buyer, reference="order-1", checkout=True)
    # Until every gate has heard of it, and the slot is free.
    visits.world.run("exchanger", zones=[ZONE_ID])
    visits.ask(waiting, "POST", "/access-tokens", 201)
    found["leave_zone"] = visits.ask(waiting, "DELETE", "/sessions/me", 204)
    return found


def _joined(world: Deployment) -> Browser:
    browser = Browser(world)  # type: ignore[arg-type]
    assert browser.ask("POST", "/visitors").status == 201
    return browser


def machinery() -> dict[str, Counts]:
    """What runs by itself: a tick of a busy zone (a tenth of ten seconds), an idle minute, a snapshot made fresh."""
    world = Deployment()
    world.put_zone(max_active=2)
    world.run("publisher")
    world.run_started()
    meter = Meter(world)
    for _ in range(4):
        _joined(world)
    ticks = 0

    def busy() -> None:
        nonlocal ticks
        before = len(world.log.lines)
        world.run("exchanger", zones=[ZONE_ID])
        (line,) = world.log.lines[before:]
        ticks = line["ticks"]

    run = meter("exchanger", busy)
    assert ticks >= 60, "the zone was idle"
    world.run("publisher", refresh=True)
    quiet = Deployment()
    quiet.put_zone()
    quiet.run_started()
    quiet.run("publisher")
    idle = Meter(quiet)
    return {
        "exchanger_run": {**run, "ticks": ticks},
        "idle_minute": idle("dispatcher", lambda: quiet.run("dispatcher")),
        "refresh": idle("publisher", lambda: quiet.run("publisher", refresh=True)),
    }


def pushes() -> dict[str, Counts]:
    """A WebSocket that is opened, and a tick's worth of visitors who are told that it is their turn."""
    world = Deployment()
    world.connections.open = True
    world.put_zone(max_active=1)
    world.run_started()
    # The first goes straight in; of the others nobody is called before all of them are connected.
    _joined(world)
    world.tick()
    assert world.operate("POST", f"/zones/{ZONE_ID}/control", {"control": "pause"}).status == 200
    handshake = json.loads((EVENTS / "websocket_connect.json").read_text(encoding="utf-8"))
    opened: Counts = {}
    for number in range(TOLD_AT_ONCE):
        cookies = _joined(world).cookies
        event = copy.deepcopy(handshake)
        event["headers"]["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        event["requestContext"]["connectionId"] = f"connection-{number}="

        def connect(event: Any = event) -> None:
            answer = world.apps["connections"](event, None)
            assert answer == {"statusCode": 200}, answer

        opened = Meter(world)("connections", connect)
    calls = {"counter": {"S": f"calls#{ZONE_ID}#1#general"}, "slot": {"N": "0"}, "tick": {"N": "9"}}
    span = {"from": {"N": "1"}, "to": {"N": str(1 + TOLD_AT_ONCE)}}
    record = {"dynamodb": {"SequenceNumber": "1", "NewImage": calls | span}}

    def notify() -> None:
        assert world.run("notifier", Records=[record])["sent"] == TOLD_AT_ONCE

    told = Meter(world)("notifier", notify)
    return {"connect": opened, "notify": {**told, "told": TOLD_AT_ONCE}}


def sizes() -> Counts:
    """Bytes a waiting browser loads: page and files compressed as CloudFront does, and one status document."""
    world = Deployment()
    world.put_zone(max_active=2)
    _joined(world)
    world.run("exchanger", zones=[ZONE_ID])
    world.run("publisher")
    page = world.bucket.objects[f".waiting-room/pages/{ZONE_ID}/index.html"].decode()
    used = set(re.findall(r'(?:href|src)="/\.waiting-room/assets/([^"]+)"', page))
    files = {asset.key_suffix: asset.body for asset in assets(SITE_FOLDER)}
    assert used <= files.keys()
    loaded = [page.encode(), *(files[name] for name in used)]
    return {
        "page_requests": len(loaded),
        "page_bytes": sum(len(gzip.compress(body, mtime=0)) + HEADER_BYTES for body in loaded) // 1000 * 1000,
        "status_bytes": (len(world.bucket.objects[f".waiting-room/status/{ZONE_ID}.json"]) + HEADER_BYTES) // 100 * 100,
    }


def page_visit(speed_per_sec: float, wait_sec: int = WAIT_SEC, visits: int = PAGE_VISITS) -> Counts:
    """Requests of one visitor's waiting page during its wait, by the page's own script. Needs Node.js."""
    zone = Zone(ZONE_ID, "queueing", ({"paths": ["/"]},), max_active=1)
    poll, claim = vars(PollRules()), zone.claim
    with tempfile.TemporaryDirectory() as folder:
        modules = Path(folder, "assets")
        shutil.copytree(SITE_FOLDER, modules)
        modules.joinpath("package.json").write_text('{"type": "module"}', encoding="utf-8")
        given = {
            "assets": str(modules),
            "visits": visits,
            "wait_sec": wait_sec,
            "speed_per_sec": speed_per_sec,
            "poll": poll,
            "push_window": zone.push_window,
            "claim_sec": claim.window_sec + claim.grace_sec,
        }
        finished = subprocess.run(
            [shutil.which("node") or "node", str(PAGE_VISIT)],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
    sums = json.loads(finished.stdout)
    sockets = {name: round(sums.pop(name) / visits, 3) for name in ("sockets", "socket_min")}
    return {"polls": sums.pop("status") / visits, "api_calls": sum(sums.values()) / visits, **sockets}


def counts() -> Counts:
    """Everything that is counted without Node.js."""
    sale = visitor_operations(inventory=100)
    operations = visitor_operations() | {"checkout_with_inventory": sale["checkout"]} | phone_operations()
    recorded = {str(speed): recording(speed) for speed in SPEEDS_PER_SEC}
    found = {"operations": operations, "machinery": machinery(), "pushes": pushes()}
    return {**found, "recording": recorded, "sizes": sizes()}


def page_counts() -> Counts:
    """What the page asks for, by the speed of the line."""
    return {str(speed): page_visit(speed) for speed in SPEEDS_PER_SEC}


def polls_by_wait() -> Counts:
    """How often a page looks at the line, by the line's speed and the minutes its visitor waits."""
    return {
        str(speed): {str(wait): page_visit(speed, wait * 60, WAIT_VISITS)["polls"] for wait in WAITS_MIN}
        for speed in SPEEDS_PER_SEC
    }


def main() -> None:
    """Write the file the cost table is computed from."""
    found = {**counts(), "wait_sec": WAIT_SEC, "page_by_speed_per_sec": page_counts()}
    found["polls_by_wait_min"] = polls_by_wait()
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
