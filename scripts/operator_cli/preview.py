"""`wr page preview`: a zone's waiting page in every state and language, on this machine, before anybody sees it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from waiting_room.domain.errors import WaitingRoomError
from waiting_room.domain.line.places import Estimate, Place
from waiting_room.domain.locations import PREFIX
from waiting_room.domain.zone.checked import checked
from waiting_room.domain.zone.zones import SERVER_FIELDS, Zone
from waiting_room.http.page.assets import site_assets
from waiting_room.http.page.languages import DEFAULT, languages, texts
from waiting_room.http.page.pages import place_page, unopened_page

from ..deployment.places import PAGE_ASSETS

BEFORE_SEC = 754
SAMPLE = Place(
    zone_id="",
    run=1,
    visitor_id="v" * 22,
    status="waiting",
    phase="open",
    lane="general",
    shard=0,
    seq=241,
    gen=0,
    position=240,
    ahead=118,
    estimate=Estimate(190, 410),
    joined_at_ms=0,
    rejoined="",
)
STATES: Mapping[str, Mapping[str, Any]] = {
    "unopened": {},
    "before": {"phase": "before"},
    "placing": {"position": None, "ahead": None, "estimate": None},
    "waiting": {},
    "next": {"ahead": 0},
    "paused": {"phase": "paused"},
    "locked": {"phase": "locked"},
    "shut": {"shut": True},
    "shut_called": {"status": "called", "ahead": None, "shut": True},
    "called": {"status": "called", "ahead": None},
    "sold_out": {"phase": "sold_out"},
    "ended": {"phase": "ended"},
    "lapsed": {"status": "lapsed", "ahead": None},
    "completed": {"status": "completed", "ahead": None},
    "revoked": {"status": "revoked", "ahead": None},
}
"""What makes a sample place show each state."""


class Preview:
    """Answers of a small site: a list of states, each state as a page, and what the pages load."""

    def __init__(self, document: Mapping[str, Any], site_url: str | None, now_ms: int) -> None:
        """Raises InvalidZone for a document that contradicts itself. `site_url` is where the site's pictures are."""
        known = {name: value for name, value in document.items() if name in Zone.__dataclass_fields__}
        self._zone = checked({name: known[name] for name in known if name not in SERVER_FIELDS})
        self._site_url = site_url
        self._now_ms = now_ms
        self._assets = {f"{PREFIX}/assets/{asset.key_suffix}": asset for asset in site_assets(PAGE_ASSETS)}

    def answer(self, target: str) -> tuple[int, str, bytes]:
        """Status, content type (or address, for a redirect) and body of the answer to a path with its query."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path == "/":
            return 200, "text/html; charset=utf-8", self._index().encode()
        if path.startswith("/state/") and path.removeprefix("/state/") in STATES:
            language = query.get("lang", [DEFAULT])[0]
            page = self._page(path.removeprefix("/state/"), language if language in languages() else DEFAULT)
            return 200, "text/html; charset=utf-8", page.encode()
        if path in self._assets:
            return 200, self._assets[path].content_type, self._assets[path].body
        if self._site_url and not path.startswith(PREFIX):
            return 302, self._site_url + path, b""
        return 404, "text/plain; charset=utf-8", b"There is nothing here."

    def _page(self, state: str, language: str) -> str:
        zone, changes = self._zone, STATES[state]
        if state in ("before", "unopened"):
            moment_ms = self._now_ms + BEFORE_SEC * 1000
            zone = replace(zone, starts_at_ms=moment_ms, opens_at_ms=moment_ms, schedule=None)
        if state == "unopened":
            page = unopened_page(zone, "/", self._now_ms, language)
        else:
            page = place_page(zone, replace(SAMPLE, **changes), "/", self._now_ms, language)
        # A preview stays where it is: the page as it was sent goes on by itself.
        head, refresh, rest = page.partition('<meta http-equiv="refresh"')
        return head + rest.partition(">")[2] if refresh else page

    def _index(self) -> str:
        title = html.escape(self._zone.title or self._zone.zone_id)
        rows = []
        for state in STATES:
            links = " ".join(
                f'<a href="/state/{state}?lang={name}" lang="{name}">{texts(name)["name"]}</a>' for name in languages()
            )
            rows.append(f"<dt>{state}</dt><dd>{links}</dd>")
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
        return f"{head}<dl>{''.join(rows)}</dl>"


def serve(preview: Preview, port: int) -> ThreadingHTTPServer:
    """A server of the preview on 127.0.0.1; port 0 picks a free one. The caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, kind, body = preview.answer(self.path)
            except WaitingRoomError as error:
                status, kind, body = 400, "text/plain; charset=utf-8", error.detail.encode()
            self.send_response(status)
            self.send_header("location" if status == 302 else "content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
