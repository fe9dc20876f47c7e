"""Visitors as the waiting page and the site's script make them behave: they poll, claim, send heartbeats, go away.

Polls read the status document through the CDN; everything else is a request that runs the product's use cases.
"""

from __future__ import annotations

import contextlib
from typing import Any

from scripts.simulation.browser import Browser
from scripts.simulation.venue import Venue
from scripts.visitors.habits import Ending, Habits
from scripts.visitors.pace import pause_sec
from waiting_room.domain.errors import (
    AlreadyCompleted,
    Forbidden,
    HardEnd,
    Lapsed,
    RunOver,
    SoldOut,
    UnknownVisitor,
)
from waiting_room.domain.line.estimates import estimate
from waiting_room.domain.line.places import Place, Session
from waiting_room.use_cases.claim import Waiting

PAGE_LOAD_SEC = 2.0
"""From the access cookie to the site's script at work."""
STALE_MS = 60_000
RELOCATE_WITHIN_SEC = 8.0
COME_IN_WITHIN_SEC = 4.0
"""Of a door that is open again, those who stand at it ask within so long."""


class Visitor(Browser):
    """One browser, from its first request to its last."""

    __slots__ = (
        "arrived_ms",
        "comes",
        "doubts",
        "ending",
        "late_sec",
        "place",
        "placed_ms",
        "present",
        "served",
        "session",
        "stay_sec",
        "waits",
    )

    def __init__(self, venue: Venue, name: str, habits: Habits) -> None:
        super().__init__(venue, name, habits)
        self.arrived_ms = venue.kernel.now_ms
        # All dice of a visitor's character are thrown on arrival: another policy meets the same visitors.
        dice = venue.dice
        self.comes = self.present = dice.random() >= habits.away_share
        self.late_sec = dice.uniform(*habits.late_sec) if dice.random() < habits.late_share else None
        self.stay_sec = max(5.0, dice.expovariate(1 / habits.mean_stay_sec))
        silent = dice.random() < habits.silent_share
        buys = dice.random() * (1 - habits.silent_share) < habits.checkout_share
        self.ending: Ending = "silent" if silent else "checkout" if buys else "button"
        self.place: Place | None = None
        self.placed_ms = 0
        self.session: Session | None = None
        self.served = False
        self.waits = self.doubts = False

    def arrive(self) -> None:
        """The job that begins the visit."""
        self.come()
        self._join()

    def _join(self) -> None:
        """Join, or be told the place held."""
        venue = self.venue
        try:
            place = self.ask(lambda bouncer, zone: bouncer.join(zone, self.name, invited=self.habits.lane))
        except (RunOver, AlreadyCompleted, Forbidden):
            self._over()
            return
        venue.watch.told(self.name, self.place, place)
        self.place = place
        self.placed_ms = self.placed_ms or venue.kernel.now_ms
        if not self.waits:
            self.waits = True
            venue.watch.waiting += 1
        if not self.comes:
            self._walk_away()
            return
        if place.status == "admitted":
            self._claim()
            return
        venue.kernel.after(0.2, self._poll)

    def _walk_away(self) -> None:
        """Nobody is at the page any more; some come back after they were called."""
        venue, place, late_sec = self.venue, self.place, self.late_sec
        self._stop_waiting()
        if place is None or place.position is None or late_sec is None:
            return

        def called() -> None:
            venue.kernel.after(late_sec, self._come_back)

        venue.watch.on_called[place.run, place.lane, place.position] = called

    def _come_back(self) -> None:
        self.comes = self.waits = True
        self.venue.watch.waiting += 1
        self._poll()

    def _poll(self) -> None:
        """Read the status document, do what it calls for, and look again later."""
        venue, place = self.venue, self.place
        if not self.waits or place is None:
            return
        status = venue.deployment.bucket.through_cdn(venue.status_key)
        if status is None or status["run"] < place.run:
            venue.kernel.after(2.0, self._poll)
        elif status["run"] > place.run:
            self.place = None
            venue.kernel.start(self._join)
        elif self.habits.reload_share and venue.rng.random() < self.habits.reload_share:
            venue.kernel.start(self._join)
        else:
            self._look(status, place)

    def _look(self, status: dict[str, Any], place: Place) -> None:
        venue, phase, lane, position = self.venue, status["phase"], status["lanes"].get(place.lane), place.position
        if phase in ("sold_out", "ended"):
            venue.watch_end(phase)
            self._over()
        elif phase == "passing":
            self._over()
        elif phase in ("before", "paused", "locked") or lane is None:
            self._wait(status, place, phase)
        elif position is None:
            venue.kernel.after(venue.rng.random() * RELOCATE_WITHIN_SEC, lambda: venue.kernel.start(self._locate))
        elif position < lane["floor"]:
            venue.kernel.start(self._locate)
        elif position < lane["serving"] or position < lane["ahead"]:
            venue.kernel.start(self._claim)
        else:
            told = estimate(position - lane["serving"], lane["speed_per_sec"])
            if told is not None and phase == "open":
                venue.watch.shown(place.lane, position, told)
            self._wait(status, place, phase)

    def _wait(self, status: dict[str, Any], place: Place, phase: str) -> None:
        """Until the next poll. A document that grows old is also asked about: that wakes whoever writes it."""
        venue = self.venue
        if venue.kernel.now_ms - status["updated_at_ms"] > STALE_MS and phase != "before" and not self.doubts:
            self.doubts = True
            venue.kernel.after(STALE_MS / 1000 * (1 + venue.rng.random()), lambda: venue.kernel.start(self._doubt))
        pause = pause_sec(status, place, venue.held_sec, venue.kernel.now_ms, venue.rng.random())
        venue.kernel.after(pause, self._poll)

    def _doubt(self) -> None:
        """Ask the server while the document is old; the polls go on meanwhile and find what became of the place."""
        self.doubts = False
        with contextlib.suppress(UnknownVisitor):
            told = self.ask(lambda bouncer, zone: bouncer.locate(zone, self.name))
            self.venue.watch.told(self.name, self.place, told)

    def _locate(self) -> None:
        """Ask the server where the place stands; a place that lapsed is replaced by joining again."""
        try:
            place = self.ask(lambda bouncer, zone: bouncer.locate(zone, self.name))
        except UnknownVisitor:
            self.place = None
            self._join()
            return
        self.venue.watch.told(self.name, self.place, place)
        if place.status == "lapsed":
            self._lapse()
            return
        self.place = place
        self.venue.kernel.after(0.2, self._poll)

    def _claim(self) -> None:
        """Ask for a session until there is one, or the last word."""
        venue = self.venue
        while self.waits:
            try:
                answer = self.ask(lambda bouncer, zone: bouncer.claim(zone, self.name, 0), self._stand_at_door)
            except Lapsed:
                self._lapse()
                return
            except SoldOut:
                venue.watch_end("sold_out")
                self._over()
                return
            except HardEnd:
                self._over()
                return
            except (UnknownVisitor, AlreadyCompleted, RunOver, Forbidden):
                venue.kernel.after(1.0, self._poll)
                return
            if isinstance(answer, Session):
                self._enter(answer)
                return
            if isinstance(answer, Waiting) and answer.status == "waiting":
                venue.kernel.after(answer.retry_after_sec, self._poll)
                return
            venue.kernel.sleep(answer.retry_after_sec * (1 + venue.rng.random() / 4))

    def _stand_at_door(self, seconds: float) -> None:
        """Wait before asking again; the page goes on looking at the line, and sees when the door is open again."""
        venue, was_shut = self.venue, False
        until_ms = venue.kernel.now_ms + round(seconds * 1000)
        while (left_ms := until_ms - venue.kernel.now_ms) > 0:
            status = venue.deployment.bucket.through_cdn(venue.status_key)
            is_shut = status is not None and status["door"] == "shut"
            if was_shut and not is_shut:
                venue.kernel.sleep(min(left_ms / 1000, COME_IN_WITHIN_SEC * venue.rng.random()))
                return
            was_shut = is_shut
            venue.kernel.sleep(min(left_ms / 1000, venue.zone.poll.near_sec * (0.75 + venue.rng.random() / 2)))

    def _lapse(self) -> None:
        """The chance is gone. Whoever was at the page all the time must never come here."""
        if self.present:
            self.venue.watch.lapsed_present += 1
            self.venue.watch.breaks(f"rule 4: {self.name} was present and lapsed")
        self._join()

    def _enter(self, session: Session) -> None:
        venue, rng = self.venue, self.venue.rng
        venue.watch.given(self.name, self.session, session)
        again = self.session is not None
        self.session = session
        self._stop_waiting()
        self.served = True
        place = None if again else self.place
        venue.watch.came_in(self.arrived_ms, place, present=self.present and not again)
        if again:
            venue.kernel.after(PAGE_LOAD_SEC, lambda: venue.kernel.start(self._beat))
            return
        leaves_at_ms = venue.kernel.now_ms + round(self.stay_sec * 1000)
        venue.leaves_at_ms[self.name] = leaves_at_ms
        venue.kernel.after(PAGE_LOAD_SEC, lambda: venue.kernel.start(self._beat))
        venue.kernel.at(leaves_at_ms, lambda: venue.kernel.start(self._leave))
        if self.habits.second_tab_share and rng.random() < self.habits.second_tab_share:
            venue.kernel.after(rng.random() * 5, lambda: venue.kernel.start(self._second_tab))

    def _second_tab(self) -> None:
        """Another tab with the same cookies gets the same session."""
        try:
            answer = self.ask(lambda bouncer, zone: bouncer.claim(zone, self.name, 0))
        except (Lapsed, HardEnd, AlreadyCompleted, RunOver, SoldOut):
            return
        if isinstance(answer, Session):
            self.venue.watch.given(self.name, self.session, answer)

    def _beat(self) -> None:
        """Heartbeats of the site's script; or page views, of which one in the last third of a lease renews it."""
        venue = self.venue
        while (session := self.session) is not None and venue.kernel.now_ms < venue.leaves_at_ms[self.name]:
            left_sec = (session.expires_at_ms - venue.kernel.now_ms) / 1000
            try:
                if venue.zone.session.kind == "script" or left_sec < venue.zone.session.idle_sec / 3:
                    self.session = self.ask(
                        lambda bouncer, zone: bouncer.renew(zone, self.name, session.sid), self._until_next_beat
                    )
            except (AlreadyCompleted, Forbidden):
                return
            except (Lapsed, HardEnd):
                self._thrown_out()
                return
            venue.kernel.sleep(venue.beat_sec if venue.zone.session.kind == "script" else 20 + 40 * venue.rng.random())

    def _until_next_beat(self, seconds: float) -> None:
        """A heartbeat that failed is not repeated before its time; a page that failed is loaded again by hand."""
        script = self.venue.zone.session.kind == "script"
        self.venue.kernel.sleep(self.venue.beat_sec if script else seconds)

    def _thrown_out(self) -> None:
        """The session was lost while the visitor was there: back to the line, or in again within the grace."""
        venue = self.venue
        if self.session is None:
            return
        venue.watch.sessions_lost += 1
        venue.watch.inside -= 1
        self.waits = True
        venue.watch.waiting += 1
        if not venue.returns:
            self._over()
            return
        self._claim()

    def _leave(self) -> None:
        """The visit ends as this visitor's visits do."""
        venue, session = self.venue, self.session
        if session is None or self.waits:
            return
        venue.watch.inside, self.session = venue.watch.inside - 1, None
        if self.ending == "silent":
            return
        try:
            if self.ending == "checkout":
                until_sec = session.expires_at_ms // 1000
                reference = f"order-{session.sid}"
                self.ask(
                    lambda bouncer, zone: bouncer.confirm(
                        zone, self.name, session.sid, until_sec, reference, checkout=True
                    )
                )
            else:
                self.ask(lambda bouncer, zone: bouncer.leave(zone, self.name, session.sid))
        except (Lapsed, HardEnd, AlreadyCompleted, UnknownVisitor):
            pass

    def _stop_waiting(self) -> None:
        if self.waits:
            self.waits = False
            self.venue.watch.waiting -= 1

    def _over(self) -> None:
        """Told the last word: nothing more is to be had here."""
        self.served = True
        self.session = None
        self._stop_waiting()
