"""One HTTP request as the use cases' front sees it, read from an API Gateway HTTP API event (payload 2.0)."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from waiting_room.domain.errors import InvalidInput, TooLarge
from waiting_room.domain.prefetch import PREFETCH_HEADERS, is_prefetch
from waiting_room.http.page.languages import negotiate

BODY_LIMIT_BYTES = 16 * 1024
"""Largest body taken. The largest zone document is well below it."""

LANGUAGE_PARAMETER = "lang"
LANGUAGE_COOKIE = "foyer-language"
"""No secret: the page's script reads and writes it too."""

_SAFE_INTEGER = 2**53


@dataclass(frozen=True)
class Request:
    """Header names are in lower case; `path` is as received; `parameters` are filled in by the router."""

    method: str
    path: str
    raw_query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    parameters: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    peer_ip: str = ""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read an event; raises TooLarge for a body over the limit and InvalidInput for broken base64."""
        context = event.get("requestContext") or {}
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        return cls(
            method=str((context.get("http") or {}).get("method", "GET")).upper(),
            path=_below_stage(str(event.get("rawPath") or "/"), str(context.get("stage") or "")),
            raw_query=str(event.get("rawQueryString") or ""),
            headers=headers,
            cookies=_cookies(event.get("cookies"), headers.get("cookie", "")),
            body=_body(event),
            peer_ip=str((context.get("http") or {}).get("sourceIp") or ""),
            identity=str(((context.get("authorizer") or {}).get("iam") or {}).get("userArn") or ""),
        )

    @classmethod
    def from_handshake(cls, event: Mapping[str, Any]) -> Request:
        """Read the $connect event of a WebSocket API: a GET that has no body and whose path says nothing."""
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        query = {str(name): str(value) for name, value in (event.get("queryStringParameters") or {}).items()}
        return cls("GET", "/", urlencode(query), headers=headers, cookies=_cookies(None, headers.get("cookie", "")))

    def query(self, name: str) -> str | None:
        """A query parameter, or None; raises InvalidInput when it is repeated or is not UTF-8."""
        try:
            pairs = parse_qsl(self.raw_query, keep_blank_values=True, errors="strict", max_num_fields=50)
        except ValueError:
            raise InvalidInput("The query string is not valid UTF-8 or has too many parameters.") from None
        values = [value for key, value in pairs if key == name]
        if len(values) > 1:
            raise InvalidInput(f"Give the query parameter {name} only once.", f"/{name}")
        return values[0] if values else None

    @property
    def client_ip(self) -> str:
        """The visitor's address as CloudFront saw it; empty when it is not known.

        CloudFront puts it at the end of X-Forwarded-For, behind whatever the client sent there; API Gateway may add
        its own peer, an address of CloudFront.
        """
        told = [part.strip() for part in self.headers.get("x-forwarded-for", "").split(",") if part.strip()]
        if len(told) > 1 and told[-1] == self.peer_ip:
            told.pop()
        return told[-1] if told else self.peer_ip

    @property
    def language(self) -> str:
        """The language to answer a person in: chosen by a link, chosen before, or what the browser prefers."""
        try:
            chosen = self.query(LANGUAGE_PARAMETER)
        except InvalidInput:
            chosen = None
        remembered = self.cookies.get(LANGUAGE_COOKIE)
        return negotiate(self.headers.get("accept-language", ""), chosen or remembered)

    @property
    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer`, or None; other schemes belong to the site and are ignored."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    @property
    def is_prefetch(self) -> bool:
        """Whether a browser asks on a guess: nobody may be on the way."""
        return is_prefetch(self.headers.get(name, "") for name in PREFETCH_HEADERS)

    @property
    def wants_html(self) -> bool:
        """Whether a browser asks for a page rather than a script for data."""
        if self.headers.get("sec-fetch-dest") == "document":
            return True
        return "text/html" in self.headers.get("accept", "").lower()

    @property
    def from_browser(self) -> bool:
        """Whether a browser's page asks, which keeps cookies: no script can take away its Sec-Fetch headers.

        A page of another site does not: browsers neither send nor keep cookies of ours for it.
        """
        own_site = self.headers.get("sec-fetch-site") != "cross-site"
        return self.bearer is None and own_site and (bool(self.cookies) or "sec-fetch-mode" in self.headers)

    def referring_query(self, name: str) -> str | None:
        """A query parameter of the page that led here, or None when the browser does not tell."""
        try:
            pairs = parse_qsl(urlsplit(self.headers.get("referer", "")).query, errors="strict", max_num_fields=50)
        except ValueError:
            return None
        return next((value for key, value in pairs if key == name), None)

    def json(self) -> Any:
        """The body as JSON, an empty one as `{}`; raises InvalidInput pointing at the whole document.

        Whole numbers written with a decimal point become integers, so that 5.0 and 5 are stored alike.
        """
        if not self.body.strip():
            return {}
        try:
            value = json.loads(self.body.decode("utf-8"), parse_constant=_refuse, parse_float=_number)
            # A lone surrogate is legal JSON but no text that can be stored.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise InvalidInput(f"The body is not JSON: {error.msg} at {where}.") from None
        except UnicodeError:
            raise InvalidInput("The body is not valid UTF-8 text.") from None
        except (ValueError, RecursionError):
            raise InvalidInput("The body has a number out of range or is nested too deeply.") from None
        return value


def _below_stage(path: str, stage: str) -> str:
    """The path as the API's document has it: of a stage with a name API Gateway tells the whole path, `/STAGE/...`."""
    inside = path.removeprefix(f"/{stage}")
    return inside if stage and inside.startswith("/") else path


def _cookies(listed: Sequence[str] | None, header: str) -> dict[str, str]:
    """Cookies by name; API Gateway lists them apart, the local engine leaves them in the header."""
    cookies: dict[str, str] = {}
    for pair in listed or header.split(";"):
        name, separator, value = pair.strip().partition("=")
        if separator:
            # The first of two cookies of a name is the one with the longer path; ours have one path only.
            cookies.setdefault(name, value)
    return cookies


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if len(text) > 2 * BODY_LIMIT_BYTES:
        raise TooLarge(f"The body may have {BODY_LIMIT_BYTES} bytes at most.")
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode("utf-8")
    except (binascii.Error, ValueError):
        raise InvalidInput("The body could not be decoded.") from None
    if len(body) > BODY_LIMIT_BYTES:
        raise TooLarge(f"The body may have {BODY_LIMIT_BYTES} bytes at most.")
    return body


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _number(text: str) -> float | int:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return int(value) if value.is_integer() and abs(value) < _SAFE_INTEGER else value
