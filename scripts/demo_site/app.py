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

from scripts.demo_site.events import EVENTS, Event
from scripts.demo_site.orders import BadOrder, Orders, new_number, read_order
from scripts.demo_site.pages import Guest, event_page, home_page, notice_page, order_page, refused_page
from scripts.demo_site.waiting_room_client import Verdict, WaitingRoomClient

_STATIC = Path(__file__).parent / "static"
_FORM_LIMIT_BYTES = 4096
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
}
_REFUSED_STATUS = {Verdict.OVER: 410, Verdict.USED: 409, Verdict.UNKNOWN: 403, Verdict.UNSURE: 503}


def create_app(
    edge_url: str, site_keys: Mapping[str, str], transport: httpx.AsyncBaseTransport | None = None
) -> Starlette:
    """The site, reached by visitors through the edge at `edge_url`; `site_keys` has the key of each zone.

    `transport` replaces the network between the site and the edge. Raises ValueError when a key is missing.
    """
    missing = sorted(set(EVENTS) - set(site_keys))
    if missing:
        raise ValueError(f"no site key for the zones {', '.join(missing)}")
    site = _Site(WaitingRoomClient(edge_url, site_keys, transport))
    return Starlette(
        routes=[
            Route("/", site.home),
            Route("/events/{event_id}", site.event),
            Route("/events/{event_id}/checkout", site.checkout, methods=["POST"]),
            Route("/events/{event_id}/leave", site.leave, methods=["POST"]),
            Route("/orders/{number}", site.order),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={HTTPException: _fault},
    )


class _Site:
    """The handlers. Guarded paths are only reached by those the gate let through; its headers say who that is."""

    def __init__(self, waiting_room: WaitingRoomClient) -> None:
        self._waiting_room = waiting_room
        self._orders = Orders()

    async def home(self, request: Request) -> Response:
        return _html(home_page(EVENTS.get(request.query_params.get("left", ""))))

    async def event(self, request: Request) -> Response:
        return _html(event_page(_event(request), _guest(request), new_number()))

    async def checkout(self, request: Request) -> Response:
        """Sell, once the waiting room has confirmed that this visitor is in and has not bought before."""
        event, guest = _event(request), _guest(request)
        try:
            order = read_order(event, await _form(request))
        except BadOrder as error:
            return _html(notice_page("This order cannot be taken", str(error)), 400)
        verdict = await self._verdict(guest, event, order.number)
        if verdict is not Verdict.CONFIRMED:
            return _html(refused_page(verdict, order), _REFUSED_STATUS[verdict])
        self._orders.add(order)
        return RedirectResponse(f"/orders/{order.number}", 303, _HEADERS)

    async def leave(self, request: Request) -> Response:
        """For browsers without scripts: the site says good-bye to the waiting room in their name."""
        event, guest = _event(request), _guest(request)
        if guest.token and not await self._waiting_room.leave(event.event_id, guest.token):
            return _html(notice_page("You can simply go", "We could not tell the line, but it notices by itself."), 503)
        return RedirectResponse(f"/?left={event.event_id}", 303, _HEADERS)

    async def order(self, request: Request) -> Response:
        order = self._orders.get(request.path_params["number"])
        if order is None:
            raise HTTPException(404)
        return _html(order_page(order))

    async def _verdict(self, guest: Guest, event: Event, reference: str) -> Verdict:
        if guest.token:
            return await self._waiting_room.confirm(event.event_id, guest.token, reference)
        # The gate names the zone and no session when it let somebody pass on purpose: staff, or everybody.
        passed = guest.zone == event.event_id and not guest.session
        return Verdict.CONFIRMED if passed else Verdict.UNKNOWN


def _event(request: Request) -> Event:
    event = EVENTS.get(request.path_params["event_id"])
    if event is None:
        raise HTTPException(404)
    return event


def _guest(request: Request) -> Guest:
    names = ("zone", "visitor", "session", "lane", "exempt", "token")
    return Guest(**{name: request.headers.get(f"x-waiting-room-{name}", "") for name in names})


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


def _html(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page, status, _HEADERS)
