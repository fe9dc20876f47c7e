"""Answers the gatekeeper makes itself, in the form CloudFront takes from a viewer-request function."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from http import HTTPStatus
from typing import Any

from waiting_room.domain.cookies import cookie_name, set_cookie
from waiting_room.domain.gate.gate import NewCookie, Refuse
from waiting_room.edge.events import TRY_COOKIE

__all__ = ["bad_request", "not_found", "redirect", "refusal", "unavailable"]

RETRY_SEC = 5
"""Least seconds before another try; up to twice as many, so that a crowd does not come back at one moment."""

_STYLE = (
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto 0;padding:0 1.25rem;"
    "color:#16181d;background:#fff}h1{font-size:1.5rem;line-height:1.25}a{color:#0b57d0}"
    "@media(prefers-color-scheme:dark){body{color:#f1f3f6;background:#16181d}a{color:#8ab4f8}}"
)
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
}
_UNSAFE = re.compile(r"[^\x20-\x7e]")


def redirect(location: str, cookies: Iterable[NewCookie]) -> dict[str, Any]:
    """303 See Other, never kept by any cache."""
    return _response(303, {"Location": location}, "", [_set_cookie(cookie) for cookie in cookies])


def refusal(refuse: Refuse, jitter: float) -> dict[str, Any]:
    """A problem document (RFC 9457) that says where to enter. `jitter` in [0, 1) spreads Retry-After."""
    document = {
        "type": f"urn:foyer:problem:{refuse.problem}",
        "title": refuse.title,
        "status": refuse.status,
        "detail": refuse.detail,
        "zone_id": refuse.zone_id,
    }
    if refuse.enter_url:
        document["enter_url"] = refuse.enter_url
    return _response(refuse.status, {**_problem_headers(), "Retry-After": _retry_after(jitter)}, json.dumps(document))


def bad_request(*, page: bool) -> dict[str, Any]:
    """400 for a path nobody can read safely."""
    return _plain(
        400, "bad-path", "This address does not work", "Please check the link, or start from the home page.", page
    )


def not_found(*, page: bool) -> dict[str, Any]:
    """404 for what is not there."""
    return _plain(
        404, "unknown-route", "There is nothing here", "Please check the link, or start from the home page.", page
    )


def unavailable(jitter: float, *, page: bool) -> dict[str, Any]:
    """503 while the gate does not know whom to let in: nobody, then."""
    detail = "This page cannot be shown right now. Please try again in a few seconds."
    response = _plain(503, "no-snapshot", "One moment, please", detail, page)
    response["headers"] |= _headers({"Retry-After": _retry_after(jitter)})
    return response


def _plain(status: int, problem: str, title: str, detail: str, page: bool) -> dict[str, Any]:
    if page:
        return _response(status, _PAGE_HEADERS, _page(title, detail, retry=status == 503))
    document = {"type": f"urn:foyer:problem:{problem}", "title": title, "status": status, "detail": detail}
    return _response(status, _problem_headers(), json.dumps(document))


def _page(title: str, detail: str, *, retry: bool) -> str:
    link = '<a href="">Try again</a>' if retry else '<a href="/">Go to the home page</a>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(detail)}</p><p>{link}</p></main></body></html>"
    )


def _problem_headers() -> dict[str, str]:
    return {"Content-Type": "application/problem+json"}


def _retry_after(jitter: float) -> str:
    return str(RETRY_SEC + round(jitter * RETRY_SEC))


def _set_cookie(cookie: NewCookie) -> str:
    name = TRY_COOKIE if cookie.kind == "try" else cookie_name(cookie.kind, cookie.zone_id)
    return set_cookie(name, cookie.value, cookie.max_age_sec)


def _response(status: int, headers: Mapping[str, str], body: str, cookies: Iterable[str] = ()) -> dict[str, Any]:
    all_headers = _headers({**_SECURITY_HEADERS, **headers})
    set_cookies = [{"key": "Set-Cookie", "value": cookie} for cookie in cookies]
    if set_cookies:
        all_headers["set-cookie"] = set_cookies
    return {
        "status": str(status),
        "statusDescription": HTTPStatus(status).phrase,
        "headers": all_headers,
        "body": body,
    }


def _headers(headers: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """Headers in CloudFront's form. What is not printable ASCII cannot get in: no header is split."""
    return {name.lower(): [{"key": name, "value": _UNSAFE.sub("", value)}] for name, value in headers.items()}
