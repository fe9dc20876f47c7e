"""A scripted visitor driven by gevent: sends what the visit asks for, sleeps, and listens at its connection."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any, Protocol

from ..visitors import visit
from ..visitors.browser import Cookies
from ..visitors.steps import Answer, Listen, Lost, Pause, Request, Step, Steps, Stuck
from .browser import Browser, LostAnswer
from .log import RehearsalLog
from .script import Script


class Ear(visit.Ear, Protocol):
    """A connection that can also be waited at."""

    def wait(self, seconds: float) -> dict[str, Any] | None: ...


class Visitor:
    """One visit, and the way home at the end of the rehearsal."""

    def __init__(
        self,
        name: str,
        script: Script,
        make_browser: Callable[[Cookies], Browser],
        ear: Ear,
        log: RehearsalLog,
        sleep: Callable[[float], None],
    ) -> None:
        dice = random.Random(f"{script.seed}/{name}")  # noqa: S311 - a visit that can be repeated
        self._visit = visit.Visit(name, script.errand, script.habits, log, dice, ear)
        self._browser = make_browser(self._visit.cookies)
        self._ear = ear
        self._sleep = sleep

    def visit(self) -> None:
        """The whole visit."""
        self._drive(self._visit.visit())

    def go_home(self) -> None:
        """Leave place and session, whatever the plan was."""
        self._drive(self._visit.go_home())

    def _drive(self, steps: Steps[None]) -> None:
        # Closed also when the visitor is sent away in the middle of a step: it then hangs up.
        with contextlib.closing(steps), contextlib.suppress(StopIteration):
            step = next(steps)
            while True:
                try:
                    told = self._take(step)
                except Stuck as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(told)

    def _take(self, step: Step) -> Any:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        if isinstance(step, Listen):
            return self._ear.wait(step.seconds)
        return self._ask(step)

    def _ask(self, request: Request) -> Answer | Lost:
        try:
            if request.is_page:
                return self._browser.open(request.path, request.name, request.form)
            return self._browser.call(request.method, request.path, request.name, costly=request.costly)
        except LostAnswer:
            return Lost(self._browser.asked_at_ms)
