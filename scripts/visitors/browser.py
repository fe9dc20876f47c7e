"""As much of a browser as a visitor needs: cookies, redirects, and headers that tell a page from a script's call."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin

import httpx

MAX_REDIRECTS = 10

PAGE_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
}
SCRIPT_HEADERS = {"Accept": "application/json", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}


class TooManyRedirects(Exception):
    """Raised when a page keeps redirecting."""


@dataclass(frozen=True)
class CookieSet:
    """One Set-Cookie, with the moments between which the server must have sent it (epoch milliseconds)."""

    name: str
    value: str
    requested_at_ms: int
    received_at_ms: int


def open_client(edge_url: str) -> httpx.AsyncClient:
    """Connections shared by many visitors; it keeps no cookies, those belong to each visitor."""
    nothing_kept = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(base_url=edge_url, cookies=nothing_kept, limits=limits, timeout=30.0, trust_env=False)


class Cookies:
    """What one browser keeps for one host.

    Kept by hand: browsers treat http://localhost as secure and send `Secure` cookies to it, Python's cookie jars do
    not. All cookies here have Path=/, so a name is enough to tell them apart.
    """

    def __init__(self, on_cookie: Callable[[CookieSet], None]) -> None:
        """`on_cookie` is told of each cookie that is set, not of those that are cleared."""
        self._on_cookie = on_cookie
        self._kept: dict[str, tuple[str, float]] = {}

    def value(self, name: str) -> str | None:
        """The value of a cookie that has not expired."""
        value, expires_at_sec = self._kept.get(name, ("", 0.0))
        return value if time.time() < expires_at_sec else None

    def header(self) -> dict[str, str]:
        """The header that takes them back; none without a cookie."""
        pairs = [f"{name}={value}" for name in self._kept if (value := self.value(name)) is not None]
        return {"Cookie": "; ".join(pairs)} if pairs else {}

    def store(self, line: str, requested_at_ms: int) -> None:
        """Keep what a Set-Cookie line says; it answered a request sent at that moment."""
        pair, *attributes = (part.strip() for part in line.split(";"))
        name, _, value = pair.partition("=")
        lasts_sec = float("inf")
        for attribute in attributes:
            key, _, text = attribute.partition("=")
            if key.lower() == "max-age":
                lasts_sec = float(text)
        self._kept[name] = (value, time.time() + lasts_sec)
        if lasts_sec > 0:
            self._on_cookie(CookieSet(name, value, requested_at_ms, now_ms()))


class Browser:
    """One visitor's browser on one host."""

    def __init__(self, client: httpx.AsyncClient, slots: asyncio.Semaphore, cookies: Cookies) -> None:
        """`slots` bounds the requests in flight of all who share it; waiting for one is not part of a request."""
        self._client = client
        self._slots = slots
        self._cookies = cookies
        self.sent_at_ms = 0

    async def open(self, path: str, form: Mapping[str, str] | None = None) -> httpx.Response:
        """Go to a page, or submit a form to one, and follow redirects. Raises TooManyRedirects, httpx.HTTPError.

        `sent_at_ms` is then when the first of the requests was sent.
        """
        response = await self._send("POST" if form is not None else "GET", path, PAGE_HEADERS, data=form)
        first_sent_at_ms = self.sent_at_ms
        for _ in range(MAX_REDIRECTS):
            if not response.has_redirect_location:
                self.sent_at_ms = first_sent_at_ms
                return response
            target = urljoin(str(response.url), response.headers["location"])
            response = await self._send("GET", target, PAGE_HEADERS)
        raise TooManyRedirects(f"{path} redirected more than {MAX_REDIRECTS} times, last to {response.url}")

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """What a page's script sends. Raises httpx.HTTPError."""
        return await self._send(method, path, SCRIPT_HEADERS, json=body)

    async def _send(self, method: str, url: str, headers: Mapping[str, str], **content: Any) -> httpx.Response:
        sent = {**headers, **self._cookies.header()}
        async with self._slots:
            self.sent_at_ms = now_ms()
            response = await self._client.request(method, url, headers=sent, **content)
        for line in response.headers.get_list("set-cookie"):
            self._cookies.store(line, self.sent_at_ms)
        return response


def token_claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, not verified: the crowd only reads what it was given. Raises ValueError."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not isinstance(claims, dict):
        raise ValueError("the token's payload is not an object")
    return claims


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000
