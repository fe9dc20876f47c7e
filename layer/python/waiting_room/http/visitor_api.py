"""The visitors' operations: one method per operationId that parses, calls the use case and forms the response."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.errors import (
    BadToken,
    InvalidInput,
    NotOpen,
    Overloaded,
    SignInNeeded,
    TooSoon,
    UnknownVisitor,
    WaitingRoomError,
)
from waiting_room.domain.gate.way_back import way_back
from waiting_room.domain.line.places import Place, Session
from waiting_room.domain.locations import enter_url, invitation_url, page_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import AccessPass, Credentials, Visitor, refuse_moved
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.cookies import language_cookies
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, empty, html, json_response, problem, redirect
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.link_api import LinkApi
from waiting_room.http.newcomers import Newcomers
from waiting_room.http.page.pages import (
    cookies_needed_page,
    moment_page,
    place_page,
    problem_page,
    unopened_page,
)
from waiting_room.http.page.phone_form import PhoneStep
from waiting_room.http.places import place_json, session_json
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.claim import Claim, Waiting
from waiting_room.use_cases.leave import Leave
from waiting_room.use_cases.locate import Locate
from waiting_room.use_cases.mark_away import MarkAway
from waiting_room.use_cases.note_refusals import NoteRefusals
from waiting_room.use_cases.renew import Renew
from waiting_room.use_cases.revoke import RefuseRevoked


@dataclass(frozen=True)
class VisitorApi:
    """What browsers and apps ask for in one zone."""

    zones: ZoneCopies
    credentials: Credentials
    clock: Clock
    ids: Ids
    newcomers: Newcomers
    claim: Claim
    locate: Locate
    renew: Renew
    leave: Leave
    away: MarkAway
    refuse_revoked: RefuseRevoked
    links: LinkApi
    refusals: NoteRefusals

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        methods: tuple[Callable[[Request], Response], ...] = (
            self.enter_zone,
            self.join_queue,
            self.get_visitor,
            self.issue_access_token,
            self.renew_session,
            self.renew_session_redirect,
            self.leave_zone,
            self.mark_away,
            self.mark_back,
        )
        return {method.__name__: method for method in methods}

    def enter_zone(self, request: Request) -> Response:
        """Take a browser in: a cookie first, then a place, then `to` or the waiting page.

        Whatever stands in the way of one who has a cookie, the waiting page explains it and tries again.
        """
        zone = self._zone(request)
        to = way_back(zone, request.query("to"))
        if invitation := request.query("invitation"):
            # A link of an earlier release: on to the page with the button, for whatever follows links takes nothing.
            return redirect(invitation_url(zone.zone_id, invitation))
        visitor = self._visitor_or_answer(request, zone, to)
        if isinstance(visitor, Response):
            return visitor
        cookies: list[str] = []
        try:
            with self.newcomers.limits.around(zone):
                joining = self.newcomers.entering(request, zone, visitor)
                visitor, rules = joining.visitor, joining.rules
                if rules is not None and rules.mode == "require" and not self.newcomers.has_waited(joining, rules):
                    return _noted(redirect(page_url(zone.zone_id, to)), **joining.notes)
                place, notes = self.newcomers.seated(request, zone, joining)
            cookies += self._place_cookies(request, zone, visitor, place)
            notes = notes | self.newcomers.claiming(request, zone, visitor, place.lane)
            claimed = self._claim(zone, visitor)
        except TooSoon as error:
            # The page would show the place that is over; this one says how long, and asks again by itself.
            return problem(error, self.ids.jitter(), page=problem_page(error, zone, to, request.language))
        except WaitingRoomError as error:
            return redirect(page_url(zone.zone_id, to), cookies).with_notes(problem=error.problem, **error.noted)
        if isinstance(claimed, Waiting):
            return _noted(redirect(page_url(zone.zone_id, to), cookies), **notes)
        token = self.credentials.access_token(claimed, zone, request)
        answer = redirect(to, [*cookies, *self.credentials.access_cookies(claimed, token)])
        return _noted(answer, **notes)

    def join_queue(self, request: Request) -> Response:
        """Take a place in line, or tell the one there is; with an invitation in its lane, where that is sooner."""
        zone, body = self._zone(request), read_body("join_queue", request)
        self._refuse_early(request, zone)
        with self.newcomers.limits.around(zone):
            joining = self.newcomers.joining(request, zone, body)
            if "invitation" in body:
                invited = self.links.invited(zone, joining.visitor, body["invitation"])
                joining = self.newcomers.invited(zone, joining, invited)
            place, notes = self.newcomers.seated(request, zone, joining)
        answer = self._told(request, zone, joining.visitor, place, 201 if place.new else 200)
        return _noted(answer, **notes)

    def get_visitor(self, request: Request) -> Response:
        """Tell a visitor's place; to a browser without scripts as a page that looks again by itself."""
        zone = self._zone(request)
        if request.wants_html:
            return self._place_page(request, zone)
        visitor = self.credentials.visitor(request, zone)
        return self._told(request, zone, visitor, self._located(zone, visitor), 200)

    def issue_access_token(self, request: Request) -> Response:
        """Exchange a called place for an access token, or say when to ask again."""
        zone, body = self._zone(request), read_body("issue_access_token", request)
        visitor = self.credentials.visitor(request, zone)
        notes = self.newcomers.claiming(request, zone, visitor, visitor.lane, body.get("proof"))
        claimed = self._claim(zone, visitor)
        if isinstance(claimed, Waiting):
            return _noted(json_response(202, asdict(claimed), retry_sec=claimed.retry_after_sec), **notes)
        self.newcomers.claimed(zone, notes)
        return _noted(self._admitted(request, zone, claimed, 201), **notes)

    def renew_session(self, request: Request) -> Response:
        """Lengthen the session: what apps and the heartbeat of scripted pages call."""
        zone = self._zone(request)
        return self._admitted(
            request, zone, self._renewed(request, zone, self.credentials.find_pass(request, zone)), 200
        )

    def renew_session_redirect(self, request: Request) -> Response:
        """Lengthen the session of a browser on its way to `to`. If that fails it goes on as long as its token holds."""
        zone = self._zone(request)
        to = way_back(zone, request.query("to"))
        held = self.credentials.find_pass(request, zone)
        try:
            session = self._renewed(request, zone, held)
        except WaitingRoomError as error:
            on = to if held is not None and self.credentials.is_current(held) else enter_url(zone.zone_id, to)
            return redirect(on).with_notes(problem=error.problem)
        token = self.credentials.access_token(session, zone, request)
        return redirect(to, self.credentials.access_cookies(session, token))

    def leave_zone(self, request: Request) -> Response:
        """End the session, or give up the place in line of a visitor who has none."""
        zone = self._zone(request)
        held = self.credentials.find_pass(request, zone)
        if held is not None:
            self.leave(zone, held.visitor_id, held.sid)
        else:
            visitor = self.credentials.visitor(request, zone)
            self._refuse_moved(zone, visitor)
            self.leave(zone, visitor.visitor_id)
        return empty([] if request.bearer else self.credentials.no_access_cookies(zone))

    def mark_away(self, request: Request) -> Response:
        """Note that the page was hidden."""
        zone = self._zone(request)
        self.away(zone, self.credentials.visitor(request, zone).visitor_id)
        return empty()

    def mark_back(self, request: Request) -> Response:
        """Note that the page is seen again."""
        zone = self._zone(request)
        self.away.back(zone, self.credentials.visitor(request, zone).visitor_id)
        return empty()

    def _zone(self, request: Request) -> Zone:
        return self.zones.get(request.parameters["zone_id"])

    def _visitor_or_answer(self, request: Request, zone: Zone, to: str) -> Visitor | Response:
        """The visitor; else the answer that gives the browser a cookie and sees whether it keeps cookies at all."""
        try:
            visitor = self.credentials.find_visitor(request, zone)
            if visitor is not None:
                return visitor
            if request.query("again") is not None:
                return html(400, cookies_needed_page(zone, to, request.language))
            visitor, notes = self.newcomers.arrive(request, zone)
            token = self.credentials.visitor_token(zone, visitor)
        except (SignInNeeded, Overloaded) as error:
            return problem(error, self.ids.jitter(), page=problem_page(error, zone, to, request.language))
        location = f"{enter_url(zone.zone_id, to)}&again=1"
        answer = redirect(location, self.credentials.visitor_cookies(request, zone, token))
        return _noted(answer, **notes)

    def _located(self, zone: Zone, visitor: Visitor) -> Place:
        """The place; raises UnknownVisitor also for one that waits to be given up for an invitation just taken."""
        place = self.locate(zone, visitor.visitor_id, visitor.known)
        if visitor.invited not in ("", place.lane) and place.status == "waiting":
            raise UnknownVisitor
        return place

    def _place_page(self, request: Request, zone: Zone) -> Response:
        """The page without scripts. It takes a place if there is none yet: going on to `enter` would go in circles."""
        to = self._destination(request, zone)
        try:
            visitor = self.credentials.find_visitor(request, zone)
            if visitor is None:
                return redirect(enter_url(zone.zone_id, to))
            visitor, place, wait_sec, notes = self._locate_or_join(request, zone, visitor)
            cookies = self._place_cookies(request, zone, visitor, place) if place else []
        except NotOpen as error:
            return _unopened(request, zone, to, self.clock.now_ms()).with_notes(problem=error.problem)
        except WaitingRoomError as error:
            return problem(error, self.ids.jitter(), page=problem_page(error, zone, to, request.language))
        if place is None:
            page = moment_page(zone, to, wait_sec, request.language)
        else:
            asks = request.query("alert") is not None
            phone = None if request.query("phone") is None else PhoneStep()
            page = place_page(zone, place, to, self.clock.now_ms(), request.language, asks=asks, phone=phone)
        return _noted(html(200, page).with_cookies([*cookies, *language_cookies(request)]), **notes)

    def _locate_or_join(
        self, request: Request, zone: Zone, visitor: Visitor
    ) -> tuple[Visitor, Place | None, int, dict[str, str]]:
        """Whose place, and the place; or none, and the seconds until one may be taken without a proof of work."""
        try:
            return visitor, self._located(zone, visitor), 0, {}
        except UnknownVisitor:
            pass
        with self.newcomers.limits.around(zone):
            joining = self.newcomers.entering(request, zone, visitor)
            if joining.rules is not None and joining.rules.mode == "require":
                wait_sec = self.newcomers.waits_sec(joining, joining.rules)
                if wait_sec:
                    return joining.visitor, None, wait_sec, joining.notes
                joining = joining.noting(proof="waited")
            place, notes = self.newcomers.seated(request, zone, joining)
        return joining.visitor, place, 0, notes

    def _refuse_early(self, request: Request, zone: Zone) -> None:
        """Raise NotOpen before the line opens, ahead of anything that is asked of newcomers; a held place is told."""
        now_ms, opens_at_ms = self.clock.now_ms(), zone.line_opens_at_ms
        if opens_at_ms is None or now_ms >= opens_at_ms:
            return
        visitor = self.credentials.find_visitor(request, zone)
        if visitor is None or visitor.seq is None:
            raise NotOpen(opens_at_ms, now_ms)

    def _refuse_moved(self, zone: Zone, visitor: Visitor) -> None:
        """Raise Moved for a visitor whose place lives on another device; whoever has none has nothing to lose."""
        with suppress(UnknownVisitor):
            refuse_moved(visitor, self.locate(zone, visitor.visitor_id).gen)

    def _destination(self, request: Request, zone: Zone) -> str:
        """Where the visitor wants to go: by the query, by the page that led here, else the zone's landing path."""
        asked = request.query("to")
        if asked is not None:
            return way_back(zone, asked)
        try:
            return way_back(zone, request.referring_query("to"))
        except InvalidInput:
            return way_back(zone, None)

    def _claim(self, zone: Zone, visitor: Visitor) -> Session | Waiting:
        with self.refusals.around(zone):
            claimed = self.claim(zone, visitor.visitor_id, visitor.gen, visitor.known)
        if isinstance(claimed, Session):
            self.refuse_revoked(zone, visitor.visitor_id, claimed.sid)
        return claimed

    def _renewed(self, request: Request, zone: Zone, held: AccessPass | None) -> Session:
        if held is None:
            raise BadToken("Send the access token of the session.")
        if zone.network_binding == "refuse" and self.credentials.elsewhere(held, request):
            # The session's own browser also has the visitor token; whoever copied only this one does not.
            visitor = self.credentials.find_visitor(request, zone)
            if visitor is None or visitor.visitor_id != held.visitor_id:
                raise BadToken("This session belongs to another network: enter again with the visitor token.")
        self.refuse_revoked(zone, held.visitor_id, held.sid)
        return self.renew(zone, held.visitor_id, held.sid)

    def _told(self, request: Request, zone: Zone, visitor: Visitor, place: Place, status: int) -> Response:
        """A place as JSON. A browser gets its token as a cookie that no script can read, an app in the body."""
        refuse_moved(visitor, place.gen)
        document = place_json(zone, place)
        if not self.credentials.needs_token(visitor, place):
            return json_response(status, document)
        token = self.credentials.visitor_token(zone, visitor, place)
        if not request.from_browser:
            document["visitor_token"] = token
        cookies = [] if request.bearer else self.credentials.visitor_cookies(request, zone, token)
        return json_response(status, document).with_cookies(cookies)

    def _place_cookies(self, request: Request, zone: Zone, visitor: Visitor, place: Place) -> list[str]:
        """Set-Cookie values for a visitor whose token is not up to date; raises Moved for one from another device."""
        refuse_moved(visitor, place.gen)
        if not self.credentials.needs_token(visitor, place):
            return []
        return self.credentials.visitor_cookies(request, zone, self.credentials.visitor_token(zone, visitor, place))

    def _admitted(self, request: Request, zone: Zone, session: Session, status: int) -> Response:
        token = self.credentials.access_token(session, zone, request)
        document = session_json(session)
        if request.bearer:
            return json_response(status, {**document, "access_token": token})
        return json_response(status, document).with_cookies(self.credentials.access_cookies(session, token))


def _unopened(request: Request, zone: Zone, to: str, now_ms: int) -> Response:
    """The page until the line opens, which asks again by itself."""
    return html(200, unopened_page(zone, to, now_ms, request.language)).with_cookies(language_cookies(request))


def _noted(response: Response, **notes: str) -> Response:
    """The response with those notes that say something."""
    return response.with_notes(**{name: note for name, note in notes.items() if note})
