"""One zone's waiting room, as the site's own servers use it."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import httpx

from foyer_origin.confirmations import Confirmation, Verdict, judged, require_reference, retry_after_sec
from foyer_origin.errors import BadSettings
from foyer_origin.keys import KeySet
from foyer_origin.settings import Settings
from foyer_origin.visits import Headers, Visit, read_visit

TRIES = 3
FIRST_PAUSE_SEC = 0.25
KEYS_TIMEOUT_SEC = 3.0
_AGAIN = (429, 500, 502, 503, 504)
_THREADS = 16
"""Confirmations at once in an asyncio server: apart from the loop's own threads, which they must not use up."""

_log = logging.getLogger("foyer_origin")


class WaitingRoom:
    """Checks visits and confirms purchases; safe to share between threads, made once for each zone.

    `transport`, `clock` and `sleep` stand in for the network and for time in tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self._http = httpx.Client(base_url=settings.site_url, transport=transport, follow_redirects=False)
        self._keys = KeySet(self._fetch_keys, clock)
        self._clock = clock
        self._sleep = sleep
        self._threads = ThreadPoolExecutor(_THREADS, "foyer-origin")

    @classmethod
    def from_env(cls, **given: Any) -> Self:
        """A waiting room by the FOYER_ variables of the environment; `given` replaces some. Raises BadSettings."""
        return cls(Settings.from_env(**given))

    def check(self, headers: Headers) -> Visit:
        """Who sent a request with these headers. Raises NotAdmitted, or KeysUnavailable when that cannot be told."""
        return read_visit(headers, self.settings, self._keys)

    async def check_async(self, headers: Headers) -> Visit:
        """`check` for asyncio: the keys may have to be fetched."""
        return await asyncio.to_thread(self.check, headers)

    def confirm(self, visit: Visit | str, reference: str, *, checkout: bool = True) -> Confirmation:
        """Spend a visit, or its token, on the purchase with this reference; asked again, the same answer.

        `checkout` completes the visit and gives its room to the next in line; without it the visit is only tied to the
        purchase. Asks up to three times. A visit without a session has nothing to spend and is confirmed at once.
        Raises BadReference, and BadSettings without a site key.
        """
        require_reference(reference)
        token = _token(visit)
        if not token:
            return Confirmation(Verdict.CONFIRMED, reference, detail="no session: the gate let this one pass")
        if self.settings.site_key is None:
            raise BadSettings(["site_key (FOYER_SITE_KEY) is missing: purchases are confirmed with it"])
        body = {"token": token, "reference": reference, "checkout": checkout}
        answer = self._ask("POST", "/.waiting-room/v1/confirmations", self.settings.site_key, body)
        confirmation = judged(answer, self.settings, reference, checkout=checkout)
        if confirmation.verdict in (Verdict.REFUSED, Verdict.UNSURE):
            _log.warning("purchase %r is %s: %s", reference, confirmation.verdict.value, confirmation.detail)
        return confirmation

    async def confirm_async(self, visit: Visit | str, reference: str, *, checkout: bool = True) -> Confirmation:
        """`confirm` for asyncio."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self.confirm(visit, reference, checkout=checkout))

    def leave(self, visit: Visit | str) -> bool:
        """End a visit that bought nothing, so that the next in line comes in; False when that is not sure.

        An answer to the visitor then takes `end_visit_cookies` along.
        """
        token = _token(visit)
        if not token:
            return True
        path = f"/.waiting-room/v1/zones/{self.settings.zone_id}/sessions/me"
        answer = self._ask("DELETE", path, token)
        return answer is not None and answer.status_code == 204

    async def leave_async(self, visit: Visit | str) -> bool:
        """`leave` for asyncio."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.leave, visit)

    def close(self) -> None:
        """Close the connections. Harmless when repeated."""
        self._threads.shutdown(wait=False)
        self._http.close()

    def _ask(self, method: str, path: str, bearer: str, body: object = None) -> httpx.Response | None:
        """The first answer that settles it; else the last one, None where there was none.

        All that is asked for here is the same when it is done twice, and so may be asked for again.
        """
        until = self._clock() + TRIES * self.settings.timeout_sec
        answer = None
        for attempt in range(TRIES):
            answer = self._try(method, path, bearer, body) or answer
            if answer is not None and answer.status_code not in _AGAIN:
                return answer
            told = answer is not None and "retry-after" in answer.headers
            pause = retry_after_sec(answer) if told else FIRST_PAUSE_SEC * 2**attempt
            # Spread out, so that the servers of a crowd do not come back all at once.
            pause *= random.uniform(1.0, 1.5)  # noqa: S311 - spreads load, nothing secret
            if attempt + 1 == TRIES or self._clock() + pause >= until:
                break
            self._sleep(pause)
        return answer

    def _try(self, method: str, path: str, bearer: str, body: object) -> httpx.Response | None:
        headers = {"authorization": f"Bearer {bearer}", "accept": "application/json"}
        try:
            return self._http.request(method, path, headers=headers, json=body, timeout=self.settings.timeout_sec)
        except httpx.HTTPError:
            return None

    def _fetch_keys(self) -> Any:
        answer = self._http.get("/.waiting-room/jwks.json", timeout=KEYS_TIMEOUT_SEC)
        return answer.raise_for_status().json()


def _token(visit: Visit | str) -> str:
    return visit if isinstance(visit, str) else visit.token
