"""The dashboard's server: 127.0.0.1 only, behind a random path, for no page but its own.

Whoever opens the dashboard lends it AWS credentials, so another site open in the same browser must not reach it: a
name that was re-bound to 127.0.0.1 fails by Host, a forged form by Origin and content type, a guess by the token.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from scripts.operator_api.errors import BadInput, OperatorError, Refused
from scripts.operator_cli.dashboard.state import Dashboard
from scripts.operator_cli.words.stories import story

Json = dict[str, Any]

FOLDER = Path(__file__).parent / "page"
FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "dashboard.css": ("dashboard.css", "text/css; charset=utf-8"),
    "dashboard.js": ("dashboard.js", "text/javascript; charset=utf-8"),
    "charts.js": ("charts.js", "text/javascript; charset=utf-8"),
}
MOST_BYTES = 16_384
SOCKET_SEC = 15
"""A connection that says nothing for so long is closed."""
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # The token stands in the address: no other site is told where a link was.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Denied(Exception):
    """Raised for a request that did not come from the dashboard's own page; holds the status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Site:
    """Answers of the dashboard's server: status, content type and body."""

    def __init__(self, dashboard: Dashboard, token: str, now_ms: Callable[[], int]) -> None:
        self._dashboard = dashboard
        self._token = token
        self._now_ms = now_ms

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, port: int
    ) -> tuple[int, str, bytes]:
        """Answer a request; `headers` have names in lower case."""
        try:
            check_caller(method, headers, port)
            rest = self._below_token(target)
            if method == "GET" and rest in FILES:
                name, kind = FILES[rest]
                return 200, kind, (FOLDER / name).read_bytes()
            return 200, "application/json", json.dumps(self._data(method, rest, body)).encode()
        except Denied as denied:
            return _problem(denied.status, str(denied))
        except BadInput as error:
            return _problem(400, str(error))
        except Refused as error:
            return _problem(409 if error.problem == "stale-version" else 422, str(error))
        except OperatorError as error:
            return _problem(502, str(error))

    def _below_token(self, target: str) -> str:
        token, slash, rest = urlsplit(target).path.removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(token.encode(), self._token.encode()):
            raise Denied(404, "There is nothing here: open the address that `wr dashboard` printed.")
        return rest

    def _data(self, method: str, rest: str, body: bytes) -> Json:
        parts = [unquote(part) for part in rest.split("/")]
        match (method, parts):
            case ("GET", ["zones"]):
                return self._dashboard.overview()
            case ("GET", ["zones", zone_id]):
                return self._dashboard.detail(zone_id)
            case ("POST", ["zones", zone_id, "plan"]):
                return self._plan(zone_id, _object(body))
            case ("POST", ["zones", zone_id, "change"]):
                return self._change(zone_id, _object(body))
            case ("POST", ["zones", zone_id, "visitor"]):
                found = self._dashboard.visitor(zone_id, str(_object(body).get("visitor_id", "")).strip())
                return {"found": found, "story": story(found, self._now_ms())}
        raise Denied(404, "There is nothing here.")

    def _plan(self, zone_id: str, asked: Json) -> Json:
        zone, plan = self._dashboard.plan(zone_id, str(asked.get("action")), asked.get("value"))
        return {
            "says": plan.says,
            "danger": plan.danger,
            "type_again": plan.type_again,
            "version": zone["version"],
            "title": zone.get("title") or zone_id,
        }

    def _change(self, zone_id: str, asked: Json) -> Json:
        """Make a change that was confirmed; what must be typed again is checked here, not only in the page."""
        version = asked.get("version")
        if not isinstance(version, int) or isinstance(version, bool):
            raise BadInput("Ask for the plan first: a change names the version it was confirmed for.")
        _, plan = self._dashboard.plan(zone_id, str(asked.get("action")), asked.get("value"))
        if plan.type_again and asked.get("typed") != plan.type_again:
            raise BadInput(f"Type {plan.type_again} to confirm.")
        changed = self._dashboard.change(zone_id, plan.body, version)
        return {"version": changed["version"], "control": changed["control"]}


def check_caller(method: str, headers: Mapping[str, str], port: int) -> None:
    """Raise Denied unless a request was made by the dashboard's own page, or is the first look at it."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    host = headers.get("host", "")
    if host not in hosts:
        raise Denied(421, "This address is not the dashboard's.")
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        raise Denied(403, "Another site may not use the dashboard.")
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Denied(403, "Another site may not use the dashboard.")
    if method == "POST":
        if origin is None:
            raise Denied(403, "A change must come from the dashboard's page.")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise Denied(415, "Send JSON.")
    elif method != "GET":
        raise Denied(405, "There is GET and POST.")


def serve(dashboard: Dashboard, port: int, now_ms: Callable[[], int]) -> tuple[ThreadingHTTPServer, str]:
    """A server on 127.0.0.1 and the address to open; port 0 picks a free one. The caller runs and closes it."""
    token = secrets.token_urlsafe(24)
    site = Site(dashboard, token, now_ms)

    class Handler(BaseHTTPRequestHandler):
        timeout = SOCKET_SEC
        server_version, sys_version = "foyer", ""

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self._send(413, "text/plain; charset=utf-8", b"Too long.")
                return
            self._answer(self.rfile.read(int(length)))

        def _answer(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(*site.answer(self.command, self.path, headers, body, server.server_port))

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            for name, value in {**HEADERS, "content-type": kind, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            # The browser may have gone on to something else by now.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: an address has the token in it."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server, f"http://127.0.0.1:{server.server_address[1]}/{token}/"


def run(server: ThreadingHTTPServer) -> threading.Thread:
    """Serve in the background; for tests and for whoever has something else to do."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    return thread


def _object(body: bytes) -> Json:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput("Send a JSON object.")
    return found


def _problem(status: int, text: str) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps({"error": text}).encode()
