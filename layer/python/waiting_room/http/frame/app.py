"""The frame around every HTTP request: read, route, answer, and log one line that holds no secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from waiting_room.domain.errors import NotAhead, WaitingRoomError
from waiting_room.http.frame import response as responses
from waiting_room.http.frame.cors import Cors
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response
from waiting_room.http.frame.router import MethodNotAllowed, Router
from waiting_room.logs import Log
from waiting_room.ports import Clock


class HttpApp:
    """A Lambda handler for HTTP API events.

    `guard` may refuse a request before it is routed; `error_page(error, language=...)` says an error to a person at a
    browser; `cors` says which other origins may read the answers.
    """

    def __init__(
        self,
        router: Router,
        clock: Clock,
        log: Log,
        jitter: Callable[[], float],
        *,
        guard: Callable[[Request], None],
        error_page: Callable[..., str] | None = None,
        cors: Cors | None = None,
    ) -> None:
        self._router = router
        self._clock = clock
        self._log = log
        self._jitter = jitter
        self._guard = guard
        self._error_page = error_page
        self._cors = cors or Cors()

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Answer one request; every error becomes a problem document, unknown ones a plain 500."""
        started_at_ms = self._clock.now_ms()
        fields: dict[str, Any] = {"request_id": getattr(context, "aws_request_id", "")}
        try:
            response = self._answer(event, fields)
        except Exception:  # noqa: BLE001 - the outermost frame: the caller gets a plain 500, the log the stack
            self._log.exception("unexpected error", extra={**fields, "status": 500})
            return responses.internal_error().as_event()
        fields["duration_ms"] = self._clock.now_ms() - started_at_ms
        self._log.info("request", extra={**fields, **response.notes, "status": response.status})
        return response.as_event()

    def _answer(self, event: Mapping[str, Any], fields: dict[str, Any]) -> Response:
        request = page = None
        try:
            request = Request.from_event(event)
            if self._error_page is not None and request.wants_html:
                page = partial(self._error_page, language=request.language)
            if request.identity:
                fields["identity"] = request.identity
            self._guard(request)
            if request.is_prefetch:
                raise NotAhead
            if (preflight := self._cors.preflight(request)) is not None:
                return preflight.with_headers(self._cors.headers(request))
            operation_id, endpoint, routed = self._router.resolve(request)
            fields["operation"] = operation_id
            if "zone_id" in routed.parameters:
                fields["zone_id"] = routed.parameters["zone_id"]
            response = endpoint(routed)
        except WaitingRoomError as error:
            allow = error.allow if isinstance(error, MethodNotAllowed) else []
            response = responses.problem(error, self._jitter(), allow=allow, page=page(error) if page else None)
        return response.with_headers(self._cors.headers(request))
