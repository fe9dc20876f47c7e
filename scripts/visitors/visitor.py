"""One scripted visitor: arrives, waits in line as the waiting page's script would, goes in, stays, and goes away."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from .browser import Browser, CookieSet, TooManyRedirects, now_ms, path_of, token_claims
from .event_log import EventLog
from .habits import Plan
from .pace import WAY_BETWEEN_LOOKS

BUSY_STATUSES = (429, 502, 503, 504)
BUSY_PAUSE_SEC = 2.0
TRIES = 30
"""Busy or lost answers in a row after which a visitor calls it a fault."""


class Unexpected(Exception):
    """Raised when the site or the waiting room answers what no visitor could make sense of."""


@dataclass(frozen=True)
class Errand:
    """What a visitor came for: the guarded page, and how its checkout is submitted."""

    zone_id: str
    path: str
    checkout_path: str


class Visitor:
    """Runs one plan and logs what happened. A fault ends the visit with a `fault` event, never with an exception."""

    def __init__(
        self,
        name: str,
        errand: Errand,
        plan: Plan,
        client: httpx.AsyncClient,
        slots: asyncio.Semaphore,
        log: EventLog,
        dice: random.Random,
    ) -> None:
        self._name = name
        self._errand = errand
        self._plan = plan
        self._log = log
        self._dice = dice
        self._browser = Browser(client, slots, self._on_cookie)
        self._access_cookie = f"__Host-wr-access-{errand.zone_id}"
        self._api = f"/.waiting-room/v1/zones/{errand.zone_id}"
        self._joins = 0
        self._lost_at_ms: int | None = None
        self._last_line: tuple[int, int] | None = None

    async def visit(self) -> None:
        """The whole visit."""
        self._note("arrived")
        try:
            async with asyncio.timeout(self._plan.patience_sec):
                inside = await self._come_in()
            if inside:
                await self._stay_and_go()
            else:
                self._note("absent")
        except TimeoutError:
            self._note("gave_up")
            # The page's beacon: nobody waits for its answer.
            with contextlib.suppress(httpx.HTTPError):
                await self._browser.call("POST", f"{self._api}/visitors/me/away")
        except (httpx.HTTPError, Unexpected, TooManyRedirects) as error:
            self._note("fault", what=str(error) or type(error).__name__)

    async def _come_in(self) -> bool:
        """Until the guarded page is open; False for one who was called and does not come."""
        page = await self._open(self._errand.path)
        while not self._is_inside(page):
            if page.status_code != 200:
                raise Unexpected(f"GET {self._errand.path} ended in {page.status_code} at {path_of(page)}")
            if not await self._wait_for_turn():
                return False
            page = await self._open(self._errand.path)
        self._note("inside")
        return True

    async def _wait_for_turn(self) -> bool:
        """Wait by polling the public status document only; True with an access cookie, False for an absentee."""
        place = await self._place()
        while True:
            status = await self._status()
            if status is None or status["phase"] == "before":
                await self._pause(place["poll"]["near_sec"])
                continue
            if status["run"] != place["run"] or place["position"] is None:
                await self._pause(place["poll"]["near_sec"])
                place = await self._place()
                continue
            lane = status["lanes"][place["lane"]]
            position = place["position"]
            self._note_line(place["run"], position, max(0, position - lane["serving"]))
            if position < lane["floor"]:
                place = await self._join()
            elif status["phase"] == "open" and (position < lane["serving"] or position < lane["ahead"]):
                if not self._plan.comes:
                    return False
                if await self._claim():
                    return True
                place = await self._place()
            else:
                await self._pause(self._poll_sec(status, position - lane["serving"], lane["speed_per_sec"]))

    def _poll_sec(self, status: dict[str, Any], ahead: int, speed_per_sec: float) -> float:
        """As the waiting page does: often near the front, further back when most of the way there should be done."""
        poll = status["poll"]
        if ahead <= poll["near_ahead"]:
            return float(poll["near_sec"])
        until_near_sec = (ahead - poll["near_ahead"]) / speed_per_sec if speed_per_sec > 0 else float("inf")
        return float(min(poll["far_sec"], max(poll["near_sec"], until_near_sec * WAY_BETWEEN_LOOKS)))

    async def _place(self) -> dict[str, Any]:
        """The place held, or a new one for somebody who has none (anymore)."""
        answer = await self._call("GET", f"{self._api}/visitors/me")
        if answer.status_code in (401, 404, 410):
            return await self._join()
        place: dict[str, Any] = _expect(answer, 200)
        if place["status"] in ("lapsed", "left", "completed"):
            return await self._join()
        return place

    async def _join(self) -> dict[str, Any]:
        answer = await self._call("POST", f"{self._api}/visitors")
        place: dict[str, Any] = _expect(answer, 200, 201)
        self._joins += 1
        self._note("joined", run=place["run"], position=place.get("position"))
        return place

    async def _status(self) -> dict[str, Any] | None:
        answer = await self._call("GET", f"/.waiting-room/status/{self._errand.zone_id}.json")
        if answer.status_code in (403, 404):
            return None
        status: dict[str, Any] = _expect(answer, 200)
        return status

    async def _claim(self) -> bool:
        """Ask for the session; False when it is not to be had with this place (anymore)."""
        answer = await self._call("POST", f"{self._api}/access-tokens")
        if answer.status_code == 202:
            retry_after_sec = answer.json()["retry_after_sec"]
            self._note("not_yet", retry_after_sec=retry_after_sec)
            await self._pause(retry_after_sec)
            return False
        if answer.status_code == 410:
            return False
        _expect(answer, 200, 201)
        return True

    async def _open(self, path: str, form: Mapping[str, str] | None = None) -> httpx.Response:
        return await self._patiently(lambda: self._browser.open(path, form))

    async def _call(self, method: str, path: str) -> httpx.Response:
        return await self._patiently(lambda: self._browser.call(method, path))

    async def _patiently(self, send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        """Send again while there is no answer or a busy one, after the time that one names."""
        self._lost_at_ms = None
        for _ in range(TRIES):
            try:
                answer = await send()
            except httpx.TransportError:
                self._note("lost_answer")
                self._lost_at_ms = self._lost_at_ms or self._browser.sent_at_ms
                await self._pause(BUSY_PAUSE_SEC)
                continue
            if answer.status_code not in BUSY_STATUSES:
                return answer
            self._note("busy", status=answer.status_code)
            self._lost_at_ms = self._lost_at_ms or self._browser.sent_at_ms
            await self._pause(_retry_after_sec(answer))
        raise Unexpected(f"no answer, or busy, {TRIES} times in a row")

    async def _stay_and_go(self) -> None:
        await asyncio.sleep(self._plan.stay_sec / 2)
        page = await self._open(self._errand.path)
        if not self._is_inside(page):
            raise Unexpected(f"the session was lost: {page.status_code} at {path_of(page)}")
        await asyncio.sleep(self._plan.stay_sec / 2)
        if self._plan.ending == "silent":
            self._note("silent")
            return
        sid = self._session_id()
        if self._plan.ending == "checkout":
            page = await self._open(self._errand.checkout_path, form={"order": f"{self._dice.getrandbits(48):012x}"})
        else:
            page = await self._call("DELETE", f"{self._api}/sessions/me")
        if page.status_code not in (200, 204):
            raise Unexpected(f"{self._plan.ending} was answered {page.status_code} at {path_of(page)}")
        requested_at_ms = self._lost_at_ms or self._browser.sent_at_ms
        self._note("ended", sid=sid, how=self._plan.ending, requested_at_ms=requested_at_ms, received_at_ms=now_ms())

    def _is_inside(self, page: httpx.Response) -> bool:
        return page.status_code == 200 and path_of(page) == self._errand.path

    def _session_id(self) -> str:
        token = self._browser.cookie(self._access_cookie)
        if token is None:
            raise Unexpected("the access cookie is gone")
        return str(token_claims(token)["sid"])

    async def _pause(self, seconds: float) -> None:
        """Wait a time, give or take a fifth, so that the crowd does not march in step."""
        await asyncio.sleep(seconds * self._dice.uniform(0.8, 1.2))

    def _on_cookie(self, cookie: CookieSet) -> None:
        if cookie.name != self._access_cookie:
            return
        claims = token_claims(cookie.value)
        # A session may have begun with a request whose answer was lost.
        requested_at_ms = self._lost_at_ms or cookie.requested_at_ms
        self._note(
            "token",
            sid=claims["sid"],
            run=claims["run"],
            exp_sec=claims["exp"],
            requested_at_ms=requested_at_ms,
            received_at_ms=cookie.received_at_ms,
        )

    def _note_line(self, run: int, position: int, ahead: int) -> None:
        if self._last_line != (position, ahead):
            self._last_line = (position, ahead)
            self._note("line", run=run, position=position, ahead=ahead, joined=self._joins)

    def _note(self, event: str, **details: Any) -> None:
        self._log.write(self._name, event, **details)


def _retry_after_sec(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else BUSY_PAUSE_SEC


def _expect(answer: httpx.Response, *statuses: int) -> Any:
    if answer.status_code not in statuses:
        said = answer.text[:200]
        raise Unexpected(f"{answer.request.method} {path_of(answer)} was answered {answer.status_code}: {said}")
    return answer.json()
