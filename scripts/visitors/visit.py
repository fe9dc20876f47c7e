"""One visitor as the waiting page and the site make people behave: joins, polls, is called, comes in, stays, goes.

The page's own rules are in lambdas/publisher/site/assets; how often it looks and when it opens a connection is in
pace.py. A visit does no I/O of its own (see steps.py): every scripted visitor over HTTP is one of these.
"""

from __future__ import annotations

import contextlib
import random
from typing import Any, Literal, Protocol

from waiting_room.domain.line.estimates import estimate

from .browser import now_ms
from .event_log import EventLog
from .guest import Errand, Guest, PatienceOver, expect
from .habits import Habits
from .pace import pause_sec, wants_push
from .places import Place
from .steps import Answer, Listen, Lost, Pause, Request, Steps, Stuck

Outcome = Literal["in", "absent", "over"]
Json = dict[str, Any]

RELOCATE_WITHIN_SEC = 8.0
STALE_SEC = 60.0


class Ear(Protocol):
    """A connection that hears "your turn" while it is wanted; Listen waits for what it hears."""

    @property
    def is_open(self) -> bool: ...
    @property
    def is_wanted(self) -> bool: ...
    def want(self, wanted: bool, cookies: dict[str, str]) -> None: ...


class Deaf:
    """No connection: the line is looked at and nothing else."""

    is_open = is_wanted = False

    def want(self, wanted: bool, cookies: dict[str, str]) -> None:
        """There is none to be had."""


class Visit(Guest):
    """Runs one plan and logs what happened. A fault ends the visit with a `fault` event, never with an exception."""

    def __init__(
        self,
        name: str,
        errand: Errand,
        habits: Habits,
        log: EventLog,
        dice: random.Random,
        ear: Ear | None = None,
    ) -> None:
        super().__init__(name, errand, habits, log, dice)
        self._ear = ear or Deaf()
        self._joins = 0
        self._last_line: tuple[int, int] | None = None
        self._called_at_ms: int | None = None
        self._gone = False

    def visit(self) -> Steps[None]:
        """The whole visit."""
        self._note("arrived", comes=self._plan.comes)
        if self._plan.patience_sec is not None:
            self._deadline_ms = now_ms() + self._plan.patience_sec * 1000
        try:
            outcome = yield from self._come_in()
            self._deadline_ms = None
            if outcome == "in":
                yield from self._stay()
                yield from self._go()
            else:
                self._note(outcome)
        except PatienceOver:
            self._deadline_ms = None
            self._note("gave_up")
            yield from self._say_away()
        except Stuck as error:
            self._note("fault", what=str(error) or type(error).__name__)
        finally:
            self._ear.want(False, {})

    def go_home(self) -> Steps[None]:
        """Leave place and session at the end of the rehearsal, whatever the plan was; quietly."""
        if self._gone or self.cookies.value(self._visitor_cookie) is None:
            return
        sid = self._session_id()
        self._gone = True
        asked_at_ms = now_ms()
        answer: Answer | Lost = yield Request("DELETE", f"{self._api}/sessions/me", "leave at the end")
        if isinstance(answer, Answer) and answer.status == 204 and sid is not None:
            self._note("ended", sid=sid, how="home", requested_at_ms=asked_at_ms, received_at_ms=now_ms())

    def _come_in(self) -> Steps[Outcome]:
        """Until the guarded page is open."""
        page = yield from self._open()
        while not self._is_inside(page):
            if page.status != 200:
                raise Stuck(f"GET {self._errand.path} ended in {page.status} at {page.path}")
            outcome = yield from self._wait_for_turn()
            if outcome != "in":
                return outcome
            page = yield from self._open()
        self._note("inside", called_at_ms=self._called_at_ms)
        return "in"

    def _wait_for_turn(self) -> Steps[Outcome]:
        """Wait by the public status document and the connection; ask for a session when called."""
        place = yield from self._place()
        while True:
            status = yield from self._status()
            if status is None or status["run"] < place.run:
                yield from self._pause(2.0)
            elif status["phase"] in ("sold_out", "ended"):
                return "over"
            elif status["phase"] == "passing":
                return "in"
            elif status["run"] > place.run:
                place = yield from self._join()
            elif place.is_dropped(status):
                # Only the server knows whether the place is still good.
                yield from self._pause(self._dice.random() * RELOCATE_WITHIN_SEC)
                place = yield from self._place()
            elif place.is_called(status):
                outcome = yield from self._answer_call(status, place)
                if outcome is not None:
                    return outcome
                place = yield from self._place()
            elif self._dice.random() < self._habits.reload_share:
                self._note("reloaded")
                page = yield from self._open()
                if self._is_inside(page):
                    return "in"
                place = yield from self._place()
            else:
                place = yield from self._wait(status, place)

    def _wait(self, status: Json, place: Place) -> Steps[Place]:
        """Until the next look, or the message; the place as it is known then."""
        now = now_ms()
        if place.position is None and status["phase"] == "open":
            yield from self._pause(self._dice.random() * RELOCATE_WITHIN_SEC)
            return (yield from self._place())
        if now - status["updated_at_ms"] > STALE_SEC * 1000 and now - place.told_at_ms > STALE_SEC * 1000:
            # A document that grows old is asked about: that wakes whoever writes it.
            return (yield from self._place())
        self._note_line(status, place)
        wanted = wants_push(status, place, now, pushed=self._ear.is_wanted)
        self._ear.want(wanted, self.cookies.header())
        pause = pause_sec(status, place, self._errand.held_sec, now, self._dice.random(), pushed=self._ear.is_open)
        message: Json | None = yield Listen(self._bounded(pause))
        self._check_patience()
        if message is None or (message["run"], message["position"]) != (place.run, place.position):
            return place
        self._note("pushed", run=place.run, tick=message["tick"], position=place.position)
        return Place(place.run, place.lane, place.position, "called", place.told_at_ms)

    def _answer_call(self, status: Json, place: Place) -> Steps[Outcome | None]:
        """Claim, unless this visitor does not come; None when it is to be looked at again."""
        if self._called_at_ms is None:
            self._called_at_ms = now_ms()
            self._note("called", run=place.run, position=place.position)
        self._ear.want(False, {})
        if status["phase"] != "open":
            yield from self._pause(2.0)
            return None
        return (yield from self._claim()) if self._plan.comes else "absent"

    def _claim(self) -> Steps[Outcome | None]:
        while True:
            answer = yield from self._call("POST", f"{self._api}/access-tokens", "claim")
            if answer.status in (200, 201):
                self._note("claimed", ms=answer.answered_at_ms - answer.asked_at_ms)
                return "in"
            if answer.status != 202:
                break
            told = answer.json()
            self._note("not_yet", retry_after_sec=told["retry_after_sec"])
            yield from self._pause(told["retry_after_sec"] * (1 + self._dice.random() / 4))
            if told["status"] != "called":
                return None
        if answer.problem in ("sold-out", "run-over", "hard-end", "already-completed"):
            return "over"
        if answer.status in (401, 404, 410):
            return None
        raise Stuck(f"the claim was answered {answer.status} {answer.problem}")

    def _place(self) -> Steps[Place]:
        """The place held, or a new one for somebody who has none (any more); a stranger joins without asking first."""
        if not self._joins:
            return (yield from self._join())
        answer = yield from self._call("GET", f"{self._api}/visitors/me", "place")
        if answer.status in (401, 404, 410):
            return (yield from self._join())
        told = expect(answer, 200)
        if told["status"] in ("lapsed", "left", "completed"):
            if told["status"] == "lapsed":
                self._note("lapsed", present=self._plan.comes)
            return (yield from self._join())
        return _place_of(told)

    def _join(self) -> Steps[Place]:
        answer = yield from self._call("POST", f"{self._api}/visitors", "join")
        while answer.problem == "not-open":
            yield from self._pause(max(1.0, answer.retry_after_sec))
            answer = yield from self._call("POST", f"{self._api}/visitors", "join")
        told = expect(answer, 200, 201)
        # A place known already was given on the way here: the page's first request led through `enter`.
        known = answer.status == 200 and not self._joins
        self._joined(told, self._page_asked_at_ms if known else self._first_asked_at_ms, answer.answered_at_ms)
        self._called_at_ms = None
        return _place_of(told)

    def _joined(self, told: Json, asked_at_ms: int, answered_at_ms: int) -> None:
        self._joins += 1
        self._note(
            "joined",
            run=told["run"],
            position=told.get("position"),
            joined=self._joins,
            requested_at_ms=asked_at_ms,
            received_at_ms=answered_at_ms,
        )

    def _status(self) -> Steps[Json | None]:
        path = f"/.waiting-room/status/{self._errand.zone_id}.json"
        answer = yield from self._patiently(Request("GET", path, "look at the line", costly=False))
        if answer.status in (403, 404):
            return None
        status: Json = expect(answer, 200)
        self._log.status(status)
        return status

    def _stay(self) -> Steps[None]:
        """Look at pages, or send heartbeats where the site's script does; either keeps the session."""
        until_ms = now_ms() + self._plan.stay_sec * 1000
        while (left_sec := (until_ms - now_ms()) / 1000) > 0:
            beat_sec = self._errand.heartbeat_sec or self._dice.uniform(*self._errand.look_around_sec)
            yield Pause(min(left_sec, beat_sec))
            if left_sec <= beat_sec:
                return
            if self._errand.heartbeat_sec is None:
                page = yield from self._open()
                kept = self._is_inside(page)
            else:
                renewed = yield from self._call("POST", f"{self._api}/sessions/me/renewals", "renew")
                kept = renewed.status == 200
            if not kept:
                self._note("session_lost")
                raise Stuck("the session was lost while the visitor was there")

    def _go(self) -> Steps[None]:
        """The visit ends as this visitor's visits do."""
        ending, sid = self._plan.ending, self._session_id()
        if ending == "silent" or sid is None:
            self._note("silent")
            return
        if ending == "checkout" and self._errand.checkout_path is not None:
            form = {"order": f"{self._dice.getrandbits(48):012x}"}
            order = Request("POST", self._errand.checkout_path, "checkout", is_page=True, form=form)
            answer = yield from self._patiently(order)
        else:
            ending = "button"
            answer = yield from self._call("DELETE", f"{self._api}/sessions/me", "leave")
        if answer.status not in (200, 204):
            raise Stuck(f"{ending} was answered {answer.status} at {answer.path}")
        self._gone = True
        self._note(
            "ended", sid=sid, how=ending, requested_at_ms=self._first_asked_at_ms, received_at_ms=answer.answered_at_ms
        )

    def _say_away(self) -> Steps[None]:
        """The page's beacon: nobody waits for its answer."""
        with contextlib.suppress(Stuck):
            yield Request("POST", f"{self._api}/visitors/me/away", "away")

    def _note_line(self, status: Json, place: Place) -> None:
        """What the page shows now."""
        lane = status["lanes"][place.lane]
        if place.position is None:
            return
        ahead = max(0, place.position - lane["serving"])
        if self._last_line == (place.position, ahead):
            return
        self._last_line = (place.position, ahead)
        shown = estimate(ahead, lane["speed_per_sec"]) if status["phase"] == "open" else None
        told = {} if shown is None else {"low_sec": shown.low_sec, "high_sec": shown.high_sec}
        self._note("line", run=place.run, position=place.position, ahead=ahead, joined=self._joins, **told)


def _place_of(told: Json) -> Place:
    return Place(told["run"], told["lane"], told.get("position"), told["status"], now_ms())
