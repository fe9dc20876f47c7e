"""A stand-in for everything the waiting page talks to: the answers are set by the test, the requests are counted."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from waiting_room.domain.line.places import Place
from waiting_room.domain.locations import PREFIX, enter_url, page_path, page_url, place_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.assets import embedded, files, site_assets
from waiting_room.http.page.pages import place_page, waiting_page

ASSETS = Path(__file__).parents[2] / "lambdas/publisher/site/assets"
WAITING_PAGE = embedded(waiting_page, ASSETS)
ZONE_ID = "midnight-sun"
TO = "/events/midnight-sun"
EVENT_PAGE = "<!doctype html><title>Tickets</title><h1>The ticket page</h1>"

PLACE_PATH = place_url(ZONE_ID, None)
ENTER_PATH = enter_url(ZONE_ID, None)
PAGE_PATH = page_path(ZONE_ID)
JOIN_PATH = PLACE_PATH.removesuffix("/me")
AWAY_PATH = f"{PLACE_PATH}/away"
BACK_PATH = f"{PLACE_PATH}/back"
CLAIM_PATH = ENTER_PATH.replace("/enter", "/access-tokens")
STATUS_PATH = f"{PREFIX}/status/{ZONE_ID}.json"

Answer = tuple[int, dict[str, Any] | str]
"""Status and body: a page as text, anything else as JSON."""


def zone_document(**changes: Any) -> dict[str, Any]:
    """A zone as an organiser would file it."""
    document = {
        "zone_id": ZONE_ID,
        "title": "Midnight Sun",
        "mode": "queueing",
        "max_active": 5,
        "rules": [{"paths": [TO]}],
        "landing_path": TO,
        "message": "Doors at the fjord open at 20:00. Four tickets a person, and there are enough for a long evening.",
        "poll": {"near_sec": 1, "far_sec": 30, "near_ahead": 200},
    }
    return document | changes


def refusal(problem: str, status: int) -> Answer:
    """A problem document."""
    return status, {"type": f"urn:foyer:problem:{problem}", "title": problem, "status": status, "detail": problem}


class CannedZone:
    """Serves one zone on a free port of 127.0.0.1; use it as a context manager."""

    def __init__(self, **changes: Any) -> None:
        self.zone = Zone.from_document(zone_document(**changes))
        self.requests: Counter[str] = Counter()
        self.joined = True
        self.place: dict[str, Any] = {
            "zone_id": ZONE_ID,
            "run": 1,
            "visitor_id": "v" * 22,
            "status": "waiting",
            "lane": "general",
            "position": 240,
            "ahead": 118,
            "estimate": None,
            "joined_at_ms": 1_790_000_000_000,
            "poll": vars(self.zone.poll),
            "landing_path": TO,
            "notice": None,
        }
        self.lane: dict[str, Any] = {"serving": 122, "floor": 100, "ahead": 122, "tail": 900, "speed_per_sec": 0.4}
        self.status: dict[str, Any] = {"run": 1, "tick": 1, "phase": "open", "door": "open"}
        self.told_phase = ""
        self.age_ms = 0
        self.reachable = True
        self.claim: Answer = (202, {"status": "called", "position": 240, "retry_after_sec": 1})
        self.answers: dict[str, Callable[[], Answer]] = {
            f"GET {PAGE_PATH}": lambda: (200, WAITING_PAGE(self.zone)),
            f"GET {STATUS_PATH}": self._status,
            f"GET {PLACE_PATH}": self._place,
            f"GET {PLACE_PATH} as a page": lambda: (200, self.page_without_scripts()),
            f"POST {JOIN_PATH}": self._join,
            f"POST {CLAIM_PATH}": lambda: self.claim,
            f"POST {AWAY_PATH}": lambda: (204, ""),
            f"POST {BACK_PATH}": lambda: (204, ""),
            f"GET {ENTER_PATH}": lambda: (200, EVENT_PAGE),
            f"GET {TO}": lambda: (200, EVENT_PAGE),
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """The address of the site."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def page_url(self) -> str:
        """The address of the waiting page."""
        return self.url + page_url(ZONE_ID, TO)

    def __enter__(self) -> CannedZone:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def say(self, **changes: Any) -> None:
        """Publish the next status document; numbers of the lane and fields of the document may be changed together."""
        for name, value in changes.items():
            (self.lane if name in self.lane else self.status)[name] = value
        if "tick" not in changes:
            self.status["tick"] += 1

    def count(self, method: str, path: str) -> int:
        """How often a path was asked for."""
        return self.requests[f"{method} {path}"]

    def page_without_scripts(self, *, asks: bool = False) -> str:
        """The page that the server renders for the same place."""
        told = {name: self.place[name] for name in ("run", "visitor_id", "status", "lane", "position", "ahead")}
        place = Place(
            ZONE_ID,
            **told,
            phase=self.status["phase"],
            shard=0,
            seq=1,
            gen=0,
            estimate=None,
            joined_at_ms=0,
            rejoined="",
            shut=self.status["door"] == "shut",
        )
        return place_page(self.zone, place, TO, int(time.time() * 1000), asks=asks)

    def answer(self, request: str) -> tuple[int, str, bytes]:
        """Status, content type and body of the answer to a request such as `GET /path`."""
        for asset in (*site_assets(ASSETS), *files(ASSETS)):
            if request == f"GET {PREFIX}/assets/{asset.key_suffix}":
                return 200, asset.content_type, asset.body
        found = self.answers.get(request)
        status, body = found() if found else refusal("unknown-route", 404)
        if isinstance(body, str):
            return status, "text/html; charset=utf-8", body.encode()
        kind = "application/problem+json" if "type" in body else "application/json"
        return status, kind, json.dumps(body).encode()

    def _status(self) -> Answer:
        if not self.reachable:
            return 503, {}
        zone = self.zone
        document: dict[str, Any] = {
            "zone_id": ZONE_ID,
            "title": zone.title,
            "message": zone.message,
            "picture_url": zone.picture_url,
        }
        document |= {"opens_at_ms": zone.line_opens_at_ms}
        document |= {"starts_at_ms": zone.starts_at_ms, "poll": vars(zone.poll), "lanes": {"general": dict(self.lane)}}
        return 200, document | {"updated_at_ms": int(time.time() * 1000) - self.age_ms} | self.status

    def _place(self) -> Answer:
        if not self.joined:
            return refusal("no-token", 401)
        return 200, self._told()

    def _join(self) -> Answer:
        self.joined = True
        return 201, self._told()

    def _told(self) -> dict[str, Any]:
        return self.place | {"phase": self.told_phase or self.status["phase"]}


def _handler(zone: CannedZone) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            request = f"{self.command} {path}"
            zone.requests[request] += 1
            self.rfile.read(int(self.headers.get("content-length") or 0))
            if path == PLACE_PATH and "text/html" in self.headers.get("accept", ""):
                request += " as a page"
            status, content_type, body = zone.answer(request)
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("cache-control", "no-store")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            # A page that went on does not wait for what it had asked for.
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing: the test reads `requests`."""

    return Handler
