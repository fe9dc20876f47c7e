"""A scripted visitor driven by asyncio: sends what the visit asks for with httpx, and sleeps."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import httpx

from .browser import Browser, TooManyRedirects, now_ms
from .event_log import EventLog
from .guest import Errand
from .habits import Habits
from .steps import Answer, Lost, Request, Step, Stuck
from .visit import Visit


class Visitor:
    """One visit. It has no connection: it looks at the line, and hears nothing."""

    def __init__(
        self,
        name: str,
        errand: Errand,
        habits: Habits,
        client: httpx.AsyncClient,
        slots: asyncio.Semaphore,
        log: EventLog,
        dice: random.Random,
    ) -> None:
        self._visit = Visit(name, errand, habits, log, dice)
        self._browser = Browser(client, slots, self._visit.cookies)

    async def visit(self) -> None:
        """The whole visit."""
        steps = self._visit.visit()
        try:
            step = next(steps)
            while True:
                try:
                    told = await self._take(step)
                except Stuck as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(told)
        except StopIteration:
            return
        finally:
            steps.close()

    async def _take(self, step: Step) -> Any:
        if isinstance(step, Request):
            return await self._ask(step)
        await asyncio.sleep(step.seconds)
        return None

    async def _ask(self, request: Request) -> Answer | Lost:
        try:
            if request.is_page:
                response = await self._browser.open(request.path, request.form)
            else:
                response = await self._browser.call(request.method, request.path)
        except httpx.TransportError:
            return Lost(self._browser.sent_at_ms)
        except (httpx.HTTPError, TooManyRedirects) as error:
            raise Stuck(str(error) or type(error).__name__) from error
        return Answer(
            response.status_code,
            str(response.url),
            response.headers,
            tuple(response.headers.get_list("set-cookie")),
            response.text,
            self._browser.sent_at_ms,
            now_ms(),
        )
