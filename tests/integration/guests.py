"""People as a server sees them: a browser's cookies and headers, or an app's bearer tokens, over real HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import httpx

from scripts.visitors.browser import PAGE_HEADERS, SCRIPT_HEADERS, token_claims
from tests.integration.running import wait_until
from tests.integration.zones import path_of
from waiting_room.domain.locations import page_path

CALLED_SEC = 40.0
"""How long a visitor may wait for room that was just given: an exchanger may have to start first."""

MOST_REDIRECTS = 8


@contextlib.contextmanager
def connections(url: str) -> Iterator[httpx.Client]:
    """Yield connections that guests share; they keep no cookies, those belong to each guest."""
    nothing_kept = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    with httpx.Client(base_url=url, cookies=nothing_kept, timeout=30.0, trust_env=False) as http:
        yield http


def problem_of(answer: httpx.Response) -> str:
    """The name of the problem an answer tells, '' for an answer that is none."""
    if answer.headers.get("content-type") != "application/problem+json":
        return ""
    assert answer.json()["status"] == answer.status_code
    return str(answer.json()["type"]).removeprefix("urn:foyer:problem:")


@dataclass
class Guest:
    """One browser and what it wants: the page of one zone. Cookies are kept by hand, like the demo's crowd does."""

    http: httpx.Client
    zone_id: str
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, headers: dict[str, str], **content: Any) -> httpx.Response:
        """Send one request and keep the cookies of its answer."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.http.request(
            method, path, headers={**headers, **({"Cookie": cookies} if cookies else {})}, **content
        )
        for line in answer.headers.get_list("set-cookie"):
            self._keep(line)
        return answer

    def get(self, path: str) -> httpx.Response:
        """Ask for a page; redirects are not followed."""
        return self.send("GET", path, PAGE_HEADERS)

    def open(self, path: str = "", form: dict[str, str] | None = None) -> httpx.Response:
        """Go to a page (the zone's own unless said) or submit a form to it, and follow redirects."""
        answer = self.send("GET" if form is None else "POST", path or self.path, PAGE_HEADERS, data=form)
        for _ in range(MOST_REDIRECTS):
            if not answer.has_redirect_location:
                return answer
            answer = self.get(answer.headers["location"])
        raise AssertionError(f"{path or self.path} redirects for ever, last to {answer.headers['location']}")

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call an operation of the zone as a page's script does; `path` is what follows the zone's id."""
        return self.send(method, self.api + path, SCRIPT_HEADERS, json=body)

    def is_in(self) -> bool:
        """Whether the zone's page opens, whatever redirects that takes. If not, it must be the waiting page."""
        answer = self.open()
        path = urlsplit(str(answer.url)).path
        assert (answer.status_code, path in (self.path, page_path(self.zone_id))) == (200, True), (answer, path)
        return path == self.path

    def place(self) -> dict[str, Any]:
        """What the waiting room says of this guest's place."""
        answer = self.call("GET", "/visitors/me")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def claim(self) -> bool:
        """Ask to be let in, once: in, or not yet."""
        answer = self.call("POST", "/access-tokens")
        assert answer.status_code in (201, 202), answer.text
        return answer.status_code == 201

    def come_in(self, within_sec: float = CALLED_SEC) -> None:
        """Ask to be let in until it is so, then open the page."""
        wait_until(self.claim, within_sec, f"a guest of {self.zone_id} is let in")
        assert self.is_in()

    def another_window(self) -> Guest:
        """The same browser again: it has the cookies that this one has now."""
        return Guest(self.http, self.zone_id, dict(self.cookies))

    def token(self, kind: str) -> str:
        """The token in a cookie: `visitor`, `access` or `bypass`."""
        return self.cookies[f"__Host-wr-{kind}-{self.zone_id}"]

    @property
    def sid(self) -> str:
        """The id of the session."""
        return str(token_claims(self.token("access"))["sid"])

    @property
    def path(self) -> str:
        """The page this guest wants."""
        return path_of(self.zone_id)

    @property
    def api(self) -> str:
        """Where the zone's operations are."""
        return f"/.waiting-room/v1/zones/{self.zone_id}"

    def _keep(self, line: str) -> None:
        (name, morsel), *others = SimpleCookie(line).items()
        assert not others, line
        if name.startswith("__Host-"):
            # Without these a browser refuses the prefix, and scripts or other sites get at the token.
            flags = (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"], morsel["domain"])
            assert flags == (True, True, "Lax", "/", ""), line
        if int(morsel["max-age"]) > 0:
            self.cookies[name] = morsel.value
        else:
            self.cookies.pop(name, None)
