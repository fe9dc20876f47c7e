"""Every HTTP response the API gives: the only place where status, headers and bodies meet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from waiting_room import schemas
from waiting_room.domain.errors import WaitingRoomError
from waiting_room.http.frame.errors import INTERNAL_PROBLEM, problem_document, retry_after_sec

_HEADERS = schemas.behaviours()["headers"]
"""The same for the API, the bucket's files (terraform/modules/behaviours) and the gate's own answers."""

# An answer for programs that is opened as a page can do nothing and be framed by nobody. The page without scripts
# finds its way back by the Referer's `to`; other sites learn nothing. Other hosts are the site's own affair.
_COMMON_HEADERS = {"cache-control": "no-store", **_HEADERS["every"], **_HEADERS["data"]}

# A page may run no script, load only this host's styles and pictures by https, and be framed by nobody.
_PAGE_HEADERS = {"content-type": "text/html; charset=utf-8", **_HEADERS["page"]}


@dataclass(frozen=True)
class Response:
    """A response; `cookies` are complete Set-Cookie values, `notes` go into the log line and nowhere else."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    def as_event(self) -> dict[str, Any]:
        """The form API Gateway takes (payload 2.0)."""
        return {
            "statusCode": self.status,
            "headers": {**_COMMON_HEADERS, **self.headers},
            "cookies": list(self.cookies),
            "body": self.body,
            "isBase64Encoded": False,
        }

    def with_cookies(self, cookies: Sequence[str]) -> Response:
        """A copy that sets these cookies as well."""
        return replace(self, cookies=(*self.cookies, *cookies))

    def with_headers(self, headers: Mapping[str, str]) -> Response:
        """A copy with more headers."""
        return replace(self, headers={**self.headers, **headers})

    def with_notes(self, **notes: Any) -> Response:
        """A copy with more fields for the log line."""
        return replace(self, notes={**self.notes, **notes})


def json_response(status: int, data: Any, *, retry_sec: int | None = None) -> Response:
    """JSON data; `retry_sec` becomes Retry-After."""
    headers = {"content-type": "application/json"}
    if retry_sec is not None:
        headers["retry-after"] = str(retry_sec)
    return Response(status, _encode(data), headers)


def problem(error: WaitingRoomError, jitter: float, *, allow: Sequence[str] = (), page: str | None = None) -> Response:
    """The answer to an expected error: a problem document, or a page that says the same to a person.

    `allow` are the methods a refused path does take; `jitter` (0..1) spreads Retry-After.
    """
    document = problem_document(error)
    status = document["status"]
    headers = {"content-type": "application/problem+json"} if page is None else dict(_PAGE_HEADERS)
    retry_sec = retry_after_sec(error, jitter)
    if retry_sec is not None:
        headers["retry-after"] = str(retry_sec)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if allow:
        headers["allow"] = ", ".join(allow)
    body = _encode(document) if page is None else page
    return Response(status, body, headers, notes={**error.noted, "problem": error.problem})


def internal_error() -> Response:
    """The answer to a fault nobody expected: it tells the caller nothing."""
    return Response(500, _encode(INTERNAL_PROBLEM), {"content-type": "application/problem+json"})


def redirect(location: str, cookies: Sequence[str] = ()) -> Response:
    """303 See Other: whatever the method was, the browser goes on with GET."""
    return Response(303, "", {"location": location}, cookies)


def html(status: int, page: str) -> Response:
    """A page for a person."""
    return Response(status, page, _PAGE_HEADERS)


def scripted(page: str, like: Response | None = None) -> Response:
    """A page for a person that runs this host's scripts; `like` an answer whose status and other headers it has."""
    answer = like or html(200, page)
    return replace(answer, headers={**answer.headers, **_HEADERS["file"]})


def empty(cookies: Sequence[str] = ()) -> Response:
    """204 No Content."""
    return Response(204, cookies=cookies)


def _encode(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
