"""One visitor's browser on locust's client: cookies and redirects kept by hand, and never a host nobody named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from ..visitors.browser import MAX_REDIRECTS, PAGE_HEADERS, SCRIPT_HEADERS, Cookies, now_ms
from ..visitors.steps import Answer, Stuck

FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


class LostAnswer(Exception):
    """Raised when no answer came."""


class SentElsewhere(Stuck):
    """Raised when a redirect leads to a host that was not named; nothing was sent there."""


class EndlessRedirects(Stuck):
    """Raised when a page keeps redirecting."""


class Sender(Protocol):
    """Sends one request. Raises LostAnswer. `name` is what it counts as."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: str | None, name: str) -> Answer: ...


class Turn(Protocol):
    """Holds a request back while there are too many; `costly` ones end at a function."""

    def __call__(self, *, costly: bool) -> Any: ...


class Browser:
    """A browser that opens pages and calls operations of one site."""

    def __init__(self, hosts: tuple[str, ...], send: Sender, turn: Turn, cookies: Cookies) -> None:
        """`hosts` are addresses like `https://tickets.example.com`, the site's first."""
        self._hosts = hosts
        self._send_one = send
        self._turn = turn
        self.cookies = cookies
        self.asked_at_ms = 0

    @property
    def site(self) -> str:
        """Address of the site."""
        return self._hosts[0]

    def open(self, path: str, name: str, form: Mapping[str, str] | None = None) -> Answer:
        """Go to a page, or submit a form to it, and follow redirects. Raises LostAnswer, SentElsewhere,
        EndlessRedirects. `asked_at_ms` of the answer is when the first of the requests was sent.
        """
        headers, body = dict(PAGE_HEADERS), None
        if form is not None:
            headers, body = headers | FORM_HEADERS, urlencode(form)
        answer = self._send("POST" if body is not None else "GET", path, headers, body, name, costly=True)
        first_at_ms = answer.asked_at_ms
        for _ in range(MAX_REDIRECTS):
            target = answer.headers.get("location")
            if not 300 <= answer.status < 400 or target is None:
                return Answer(**{**vars(answer), "asked_at_ms": first_at_ms})
            answer = self._send("GET", urljoin(answer.url, target), PAGE_HEADERS, None, f"{name}, led on", costly=True)
        raise EndlessRedirects(f"{path} redirected more than {MAX_REDIRECTS} times, last to {answer.url}")

    def call(self, method: str, path: str, name: str, *, costly: bool = True) -> Answer:
        """What a page's script sends. Raises LostAnswer. A redirect is an answer like others."""
        return self._send(method, path, SCRIPT_HEADERS, None, name, costly=costly)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, name: str, *, costly: bool
    ) -> Answer:
        target = urljoin(self.site, url)
        address = urlsplit(target)
        if f"{address.scheme}://{address.netloc}" not in self._hosts:
            raise SentElsewhere(f"refused to go to {address.scheme}://{address.netloc}: it was not named with --host")
        with self._turn(costly=costly):
            self.asked_at_ms = now_ms()
            answer = self._send_one(method, target, {**headers, **self.cookies.header()}, body, name)
        for line in answer.set_cookies:
            self.cookies.store(line, answer.asked_at_ms)
        return answer
