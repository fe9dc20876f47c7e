"""How a visitor deals with the network: asks again when there is no answer, waits, and gives up in the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from ..visitors.browser import CookieSet, now_ms, token_claims
from ..visitors.event_log import EventLog
from ..visitors.habits import draw_plan
from .browser import Answer, Browser, LostAnswer
from .script import Script

BUSY_STATUSES = (429, 502, 503, 504)
LONGEST_BACKOFF_SEC = 30.0
TRIES = 30
"""Busy or lost answers in a row after which a visitor is lost."""


class Unexpected(Exception):
    """Raised when the site or the waiting room answers what no visitor could make sense of."""


class PatienceOver(Exception):
    """Raised when the visitor has waited long enough."""


class Guest:
    """Requests of one visitor, and the note of what came of them."""

    def __init__(
        self,
        name: str,
        script: Script,
        make_browser: Callable[[Callable[[CookieSet], None]], Browser],
        log: EventLog,
        sleep: Callable[[float], None],
    ) -> None:
        self._name = name
        self._script = script
        self._log = log
        self._sleep = sleep
        self._dice = random.Random(f"{script.seed}/{name}")  # noqa: S311 - a visit that can be repeated
        self._plan = draw_plan(script.habits, self._dice)
        self._access_cookie = f"__Host-wr-access-{script.zone_id}"
        self._visitor_cookie = f"__Host-wr-visitor-{script.zone_id}"
        self._api = f"/.waiting-room/v1/zones/{script.zone_id}"
        self._browser = make_browser(self._on_cookie)
        self._deadline_ms: float | None = None
        self._first_asked_at_ms = self._page_asked_at_ms = 0

    def _open(self) -> Answer:
        page = self._patiently(lambda: self._browser.open(self._script.path, "page"))
        self._page_asked_at_ms = self._first_asked_at_ms
        return page

    def _call(self, method: str, path: str, name: str) -> Answer:
        return self._patiently(lambda: self._browser.call(method, path, name))

    def _patiently(self, send: Callable[[], Answer]) -> Answer:
        """Send again while there is no answer or a busy one, after the time that one names."""
        self._first_asked_at_ms = 0
        for failures in range(1, TRIES + 1):
            asked_from_ms = now_ms()
            retry_after_sec = 0.0
            try:
                answer = send()
            except LostAnswer:
                self._note("lost_answer")
                self._first_asked_at_ms = self._first_asked_at_ms or self._browser.asked_at_ms or asked_from_ms
            else:
                self._first_asked_at_ms = self._first_asked_at_ms or answer.asked_at_ms
                if answer.status not in BUSY_STATUSES:
                    return answer
                self._note("busy", status=answer.status)
                retry_after_sec = answer.retry_after_sec
            backoff_sec = min(LONGEST_BACKOFF_SEC, 2.0 ** (failures - 1))
            self._pause(max(retry_after_sec, backoff_sec) * (1 + self._dice.random() / 2))
        raise Unexpected(f"no answer, or busy, {TRIES} times in a row")

    def _pause(self, seconds: float) -> None:
        self._sleep(self._bounded(seconds))
        self._check_patience()

    def _bounded(self, seconds: float) -> float:
        if self._deadline_ms is None:
            return seconds
        return max(0.0, min(seconds, (self._deadline_ms - now_ms()) / 1000))

    def _check_patience(self) -> None:
        if self._deadline_ms is not None and now_ms() >= self._deadline_ms:
            raise PatienceOver

    def _is_inside(self, page: Answer) -> bool:
        return page.path == self._script.path and page.status == 200

    def _session_id(self) -> str | None:
        token = self._browser.cookies.value(self._access_cookie)
        return None if token is None else str(token_claims(token)["sid"])

    def _on_cookie(self, cookie: CookieSet) -> None:
        if cookie.name != self._access_cookie:
            return
        claims = token_claims(cookie.value)
        # A session may have begun with a request whose answer was lost.
        asked_at_ms = self._first_asked_at_ms or cookie.requested_at_ms
        self._note(
            "token",
            sid=claims["sid"],
            run=claims["run"],
            exp_sec=claims["exp"],
            requested_at_ms=asked_at_ms,
            received_at_ms=cookie.received_at_ms,
        )

    def _note(self, event: str, **details: Any) -> None:
        self._log.write(self._name, event, **details)


def expect(answer: Answer, *statuses: int) -> Any:
    if answer.status not in statuses:
        raise Unexpected(f"{answer.path} was answered {answer.status}: {answer.text[:200]}")
    return answer.json()
