"""The site as an ASGI app: an open home page, two guarded evenings, and a checkout that asks the waiting room."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from foyer_origin import (
    Confirmation,
    KeysUnavailable,
    NotAdmitted,
    Settings,
    Verdict,
    Visit,
    WaitingRoom,
    end_visit_cookies,
)
from scripts.demo_site.events import EVENTS, Event
from scripts.demo_site.orders import BadOrder, Order, Orders, new_number, read_order
from scripts.demo_site.pages import event_page, home_page, notice_page, order_page, refused_page

_STATIC = Path(__file__).parent / "static"
_FORM_LIMIT_BYTES = 4096
_TIMEOUT_SEC = 15.0
"""The local engine starts a process for a function's first request."""

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
}
_REFUSED_STATUS = {Verdict.OVER: 410, Verdict.USED: 409, Verdict.UNSURE: 503}


def create_app(
    edge_url: str,
    site_keys: Mapping[str, str],
    *,
    issuer: str = "foyer",
    origin_secret: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Starlette:
    """The site, reached by visitors through the edge at `edge_url`; `site_keys` has the key of each zone.

    Who has `origin_secret` None believes no header without a token: staff do not come in. `transport` replaces the
    network between the site and the edge. Raises ValueError when a key is missing, foyer_origin.BadSettings.
    """
    missing = sorted(set(EVENTS) - set(site_keys))
    if missing:
        raise ValueError(f"no site key for the zones {', '.join(missing)}")
    rooms = {}
    for event_id in EVENTS:
        settings = Settings(edge_url, event_id, issuer, site_keys[event_id], origin_secret, timeout_sec=_TIMEOUT_SEC)
        # A transport of our own is not led through a proxy that the environment names.
        rooms[event_id] = WaitingRoom(settings, transport=transport or httpx.HTTPTransport())
    site = _Site(rooms)
    app = Starlette(
        routes=[
            Route("/", site.home),
            Route("/events/{event_id}", site.event),
            Route("/events/{event_id}/checkout", site.checkout, methods=["POST"]),
            Route("/events/{event_id}/leave", site.leave, methods=["POST"]),
            Route("/orders/{number}", site.order),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={HTTPException: _fault, NotAdmitted: _not_admitted, KeysUnavailable: _keys_unavailable},
    )
    app.state.rooms = rooms
    return app


def close_app(app: Starlette) -> None:
    """Close the site's connections to the waiting room."""
    for room in app.state.rooms.values():
        room.close()


class _Site:
    """The handlers. Guarded paths ask the evening's waiting room who comes, and sell nothing without its word."""

    def __init__(self, rooms: Mapping[str, WaitingRoom]) -> None:
        self._rooms = rooms
        self._orders = Orders()

    async def home(self, request: Request) -> Response:
        return _html(home_page(EVENTS.get(request.query_params.get("left", ""))))

    async def event(self, request: Request) -> Response:
        event, _, visit = await self._admitted(request)
        return _html(event_page(event, visit, new_number()))

    async def checkout(self, request: Request) -> Response:
        """Sell, once the waiting room has confirmed that this visitor is in and has not bought before."""
        event, room, visit = await self._admitted(request)
        try:
            order = read_order(event, await _form(request))
        except BadOrder as error:
            return _html(notice_page("This order cannot be taken", str(error)), 400)
        confirmation = await room.confirm_async(visit, order.number)
        if confirmation.verdict is not Verdict.CONFIRMED:
            return _refused(confirmation, order)
        self._orders.add(order)
        return _with_cookies(RedirectResponse(f"/orders/{order.number}", 303, _HEADERS), confirmation.cookies)

    async def leave(self, request: Request) -> Response:
        """For browsers without scripts: the site says good-bye to the waiting room in their name."""
        event, room, visit = await self._admitted(request)
        if not await room.leave_async(visit):
            return _html(notice_page("You can simply go", "We could not tell the line, but it notices by itself."), 503)
        gone = RedirectResponse(f"/?left={event.event_id}", 303, _HEADERS)
        return _with_cookies(gone, end_visit_cookies(event.event_id))

    async def order(self, request: Request) -> Response:
        order = self._orders.get(request.path_params["number"])
        if order is None:
            raise HTTPException(404)
        return _html(order_page(order))

    async def _admitted(self, request: Request) -> tuple[Event, WaitingRoom, Visit]:
        """The evening of a guarded path, its waiting room, and who comes. Raises NotAdmitted, KeysUnavailable."""
        event = EVENTS.get(request.path_params["event_id"])
        if event is None:
            raise HTTPException(404)
        room = self._rooms[event.event_id]
        return event, room, await room.check_async(request.headers)


def _refused(confirmation: Confirmation, order: Order) -> Response:
    page = _html(refused_page(confirmation.verdict, order), _REFUSED_STATUS.get(confirmation.verdict, 403))
    return _with_cookies(page, confirmation.cookies)


def _with_cookies(response: Response, cookies: tuple[str, ...]) -> Response:
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; raises BadOrder for one that is too large or not UTF-8."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_LIMIT_BYTES:
            raise BadOrder("This order form is too large.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20))
    except ValueError:
        raise BadOrder("This order form is damaged.") from None


async def _fault(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return _html(notice_page("There is nothing here", "The page you were looking for has left the building."), 404)
    return _html(notice_page("That does not work", "This page cannot be used in that way."), status)


async def _not_admitted(_request: Request, _error: Exception) -> Response:
    return _html(notice_page("Please come in by the front door", "This page opens for those who came in line."), 403)


async def _keys_unavailable(_request: Request, _error: Exception) -> Response:
    page = _html(notice_page("One moment, please", "We cannot see who is next just now. Try again in a moment."), 503)
    page.headers["retry-after"] = str(KeysUnavailable.retry_after_sec)
    return page


def _html(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page, status, _HEADERS)
