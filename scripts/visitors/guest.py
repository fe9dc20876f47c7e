"""How a visitor deals with answers: asks again when there is no answer, waits, and gives up in the end."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from .browser import Cookies, CookieSet, now_ms, token_claims
from .event_log import EventLog
from .habits import Habits, draw_plan
from .steps import Answer, Lost, Pause, Request, Steps, Stuck

BUSY_STATUSES = (429, 502, 503, 504)
LONGEST_BACKOFF_SEC = 30.0
TRIES = 30
"""Busy or lost answers in a row after which a visitor is lost."""


class PatienceOver(Exception):
    """Raised when the visitor has waited long enough."""


@dataclass(frozen=True)
class Errand:
    """What a visitor came for: the guarded page, and how its checkout is submitted; times in seconds."""

    zone_id: str
    path: str
    checkout_path: str | None = None
    held_sec: int = 60
    """How long a called place is kept."""
    heartbeat_sec: int | None = None
    """Of a site that embeds the script; None: sessions are renewed by looking at pages."""
    look_around_sec: tuple[float, float] = (20.0, 60.0)
    """Between two pages of the site."""


class Guest:
    """Requests of one visitor, and the note of what came of them."""

    def __init__(
        self,
        name: str,
        errand: Errand,
        habits: Habits,
        log: EventLog,
        dice: random.Random,
    ) -> None:
        self._name = name
        self._errand = errand
        self._habits = habits
        self._log = log
        self._dice = dice
        self._plan = draw_plan(habits, dice)
        self.cookies = Cookies(self._on_cookie)
        self._access_cookie = f"__Host-wr-access-{errand.zone_id}"
        self._visitor_cookie = f"__Host-wr-visitor-{errand.zone_id}"
        self._api = f"/.waiting-room/v1/zones/{errand.zone_id}"
        self._deadline_ms: float | None = None
        self._first_asked_at_ms = self._page_asked_at_ms = 0

    def _open(self) -> Steps[Answer]:
        page = yield from self._patiently(Request("GET", self._errand.path, "page", is_page=True))
        self._page_asked_at_ms = self._first_asked_at_ms
        return page

    def _call(self, method: str, path: str, name: str) -> Steps[Answer]:
        return (yield from self._patiently(Request(method, path, name)))

    def _patiently(self, request: Request) -> Steps[Answer]:
        """Send again while there is no answer or a busy one, after the time that one names."""
        self._first_asked_at_ms = 0
        for failures in range(1, TRIES + 1):
            answer: Answer | Lost = yield request
            self._first_asked_at_ms = self._first_asked_at_ms or answer.asked_at_ms
            retry_after_sec = 0.0
            if isinstance(answer, Lost):
                self._note("lost_answer")
            elif answer.status not in BUSY_STATUSES:
                return answer
            else:
                self._note("busy", status=answer.status)
                retry_after_sec = answer.retry_after_sec
            backoff_sec = min(LONGEST_BACKOFF_SEC, 2.0 ** (failures - 1))
            yield from self._pause(max(retry_after_sec, backoff_sec) * (1 + self._dice.random() / 2))
        raise Stuck(f"no answer, or busy, {TRIES} times in a row")

    def _pause(self, seconds: float) -> Steps[None]:
        yield Pause(self._bounded(seconds))
        self._check_patience()

    def _bounded(self, seconds: float) -> float:
        if self._deadline_ms is None:
            return seconds
        return max(0.0, min(seconds, (self._deadline_ms - now_ms()) / 1000))

    def _check_patience(self) -> None:
        if self._deadline_ms is not None and now_ms() >= self._deadline_ms:
            raise PatienceOver

    def _is_inside(self, page: Answer) -> bool:
        return page.path == self._errand.path and page.status == 200

    def _session_id(self) -> str | None:
        token = self.cookies.value(self._access_cookie)
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
    """The body of an answer with one of these statuses. Raises Stuck."""
    if answer.status not in statuses:
        raise Stuck(f"{answer.path} was answered {answer.status}: {answer.text[:200]}")
    return answer.json()
