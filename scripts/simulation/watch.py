"""An onlooker of one zone: sees every write as it is applied, checks the rules of PROTOCOL.md, and keeps the figures.

Rules are checked from what is stored and what was told, never from the product's own counters.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from scripts.simulation.kernel import START_MS, Kernel
from waiting_room.adapters.gate_state import unpack
from waiting_room.adapters.gates import BUCKET, SERVING
from waiting_room.domain.leases import expires_at_ms
from waiting_room.domain.line.places import Estimate, Place, Session
from waiting_room.use_cases.minute_rows import ENTRY

EDGE_BEHIND_MS = 5_000
"""The gate's clock may be this far behind: a session is live as long as any gate may let it pass."""
VOID_AFTER_MS = 15_000
"""How long the edge may still accept tokens of a run that was reset."""
GATES_LEARN_SEC = 7.0
"""Where newcomers are sent: two for the publisher to write it, five until every gate reads it."""
MOST_BROKEN = 20


@dataclass
class Moment:
    """One second, for the plot."""

    sec: float
    waiting: int
    inside: int
    live: int
    cap: int
    serving: dict[str, int]
    """By lane, as `tail`."""
    tail: dict[str, int]

    @property
    def line(self) -> int:
        """Positions that are not called yet, of all lanes."""
        return sum(self.tail.values()) - sum(self.serving.values())


@dataclass
class Line:
    """What is known of one lane's line in one run."""

    taken_ms: dict[int, array[int]] = field(default_factory=dict)
    """By shard: when each number was taken, from number 1."""
    called_ms: array[int] = field(default_factory=lambda: array("q"))
    """By position: when it was called."""

    @property
    def tail(self) -> int:
        """How many numbers were taken."""
        return sum(len(taken) for taken in self.taken_ms.values())


@dataclass
class Run:
    """What is known of one run."""

    lines: dict[str, Line] = field(default_factory=dict)
    holders: dict[tuple[str, int, int], str] = field(default_factory=dict)
    width_sec: int = 10
    shards: int = 1

    def line(self, lane: str) -> Line:
        """The line of a lane."""
        return self.lines.setdefault(lane, Line())


@dataclass(frozen=True)
class Doorstep:
    """A moment at which the door was shut or opened: how many had been called and had come in by then."""

    at_ms: int
    is_open: bool
    called: int
    entered: int


class Watch:
    """Figures and rules of the zone `zone_id`."""

    def __init__(self, kernel: Kernel, zone_id: str) -> None:
        self.kernel = kernel
        self.zone_id = zone_id
        self.broken: list[str] = []
        self.runs: dict[int, Run] = {}
        self.run = 1
        self.cap: int | None = None
        self.bound: int | None = None
        self.inventory: int | None = None
        self.opens_at_ms = 0
        self.sold = 0
        self.live = 0
        self.peak = 0
        self.overshoot = 0
        self.inside = 0
        self.waiting = 0
        self.serving: dict[str, int] = {}
        self.tick_at_ms = 0
        self.longest_silence_ms = 0
        self.entry = "enter"
        self.sold_out_at_ms: int | None = None
        self.sold_out_shown_ms = 0
        self.first_in_ms = 0
        self.longest_wait_ms = 0
        self.duplicates = 0
        self.lapsed_present = 0
        self.sessions_lost = 0
        self.admitted = 0
        self.places = 0
        self.moments: list[Moment] = []
        self.entries: list[tuple[int, int, str, int]] = []
        """Who came in, and was there all the time: when, with which run, lane and position."""
        self.doors: list[Doorstep] = []
        self.estimates: list[tuple[int, str, int, int, int, int]] = []
        self.on_called: dict[tuple[int, str, int], Any] = {}
        self.on_token: Callable[[str, int], None] = lambda _sid, _until_ms: None
        """Told of every lease that is given or renewed, with when its token ends."""
        self._expires: dict[str, int] = {}
        self._ends: list[tuple[int, str]] = []
        self._leases = 0
        self._void_ms = 0

    def observe(
        self, table: str, key: tuple[Any, Any], before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        """A write, at the moment it is applied."""
        if after is None:
            return
        if table == "queue":
            zone_id, run, visitor = key[0].split("#")
            if zone_id == self.zone_id:
                self._place(int(run), visitor, before, after)
            return
        kind, _, rest = str(key[0]).partition("#")
        if table == "protected_zones":
            if kind == self.zone_id and key[1] == "config":
                self._zone(after)
            elif kind == self.zone_id and key[1] == ENTRY:
                self.kernel.after(GATES_LEARN_SEC, lambda: setattr(self, "entry", after["entry"]))
        elif rest.partition("#")[0] != self.zone_id:
            return
        elif kind == "gate":
            self._gate(int(rest.partition("#")[2]), before, after)
        elif kind == "join":
            _, run, lane, shard = rest.split("#")
            self._run(int(run)).line(lane).taken_ms.setdefault(int(shard), array("q")).extend(
                [self.kernel.now_ms] * (after["seq"] - (before["seq"] if before else 0))
            )
        elif kind == "sold":
            self.sold += after["n"] - (before["n"] if before else 0)
            if self.sold == self.inventory and self.sold_out_at_ms is None:
                self.sold_out_at_ms = self.kernel.now_ms
            self.check()

    def told(self, who: str, known: Place | None, place: Place) -> None:
        """A place as a browser was told; `known` is what it was told before."""
        if known is None or known.run != place.run or known.position is None or place.position is None:
            return
        if place.lane != known.lane:
            self.breaks(f"rule 2: {who} was moved from lane {known.lane} to {place.lane}")
        elif place.position != known.position and place.seq == known.seq:
            self.breaks(f"rule 2: {who} was moved from {known.position} to {place.position}")
        if place.seq != known.seq and not place.rejoined:
            self.breaks(f"rule 2: {who} got another place without joining anew")

    def came_in(self, joined_at_ms: int, place: Place | None, *, present: bool) -> None:
        """Somebody is in; the first one tells how long an empty room takes. `place` is None for one who comes back."""
        if present and place is not None and place.position is not None:
            self.entries.append((self.kernel.now_ms, place.run, place.lane, place.position))
        if present:
            self.longest_wait_ms = max(self.longest_wait_ms, self.kernel.now_ms - joined_at_ms)
        if self.inside == 0 and not self.first_in_ms:
            self.first_in_ms = self.kernel.now_ms - joined_at_ms
        self.inside += 1

    def door(self, *, is_open: bool) -> None:
        """The door was shut, or is open again."""
        self.doors.append(Doorstep(self.kernel.now_ms, is_open, sum(self.serving.values()), len(self.entries)))

    def given(self, who: str, known: Session | None, session: Session) -> None:
        """A session as a browser was told."""
        if known is not None and known.sid != session.sid and known.run == session.run:
            self.breaks(f"rule 5: {who} got a second session")

    def shown(self, lane: str, position: int, estimate: Estimate) -> None:
        """An estimate on somebody's screen."""
        self.estimates.append((self.run, lane, position, self.kernel.now_ms, estimate.low_sec, estimate.high_sec))

    def breaks(self, what: str) -> None:
        """Note a broken rule."""
        if len(self.broken) < MOST_BROKEN:
            self.broken.append(self._at(what))

    def broken_with(self, found: Iterable[str]) -> tuple[str, ...]:
        """The rules noted as broken, and behind them those found broken now; MOST_BROKEN at most."""
        return tuple([*self.broken, *map(self._at, found)][:MOST_BROKEN])

    def _at(self, what: str) -> str:
        return f"{self.kernel.now_sec:.1f} s: {what}"

    def check(self) -> None:
        """Rule 1, at this instant."""
        edge_ms = self.kernel.now_ms - EDGE_BEHIND_MS
        while self._ends and self._ends[0][0] <= edge_ms:
            until_ms, sid = heapq.heappop(self._ends)
            if self._expires.get(sid) == until_ms:
                del self._expires[sid]
                self.live -= 1
                self._lower()
        self.peak = max(self.peak, self.live)
        if self.bound is not None and self.live > self.bound:
            self.overshoot = max(self.overshoot, self.live - self.bound)
            self.breaks(f"rule 1: {self.live} live sessions, {self.bound} allowed")
        if self.inventory is not None and self.sold + self.live > self.inventory:
            self.breaks(f"rule 1: {self.sold} sold + {self.live} live > {self.inventory} in stock")

    def second(self) -> None:
        """Once a second: what the plot and the means are made of."""
        self.check()
        run = self._run(self.run)
        tail = {lane: line.tail for lane, line in run.lines.items()}
        serving = {lane: self.serving.get(lane, 0) for lane in tail}
        self.moments.append(
            Moment(self.kernel.now_sec, self.waiting, self.inside, self.live, self.cap or 0, serving, tail)
        )

    def _run(self, run: int) -> Run:
        return self.runs.setdefault(run, Run())

    def _zone(self, item: dict[str, Any]) -> None:
        cap, run = item.get("max_active"), item["run"]
        if run != self.run:
            self.run, self.serving = run, {}
            # No clock ends these: `check` adds how far one may be behind.
            self._void_ms = self.kernel.now_ms + VOID_AFTER_MS - EDGE_BEHIND_MS
            for sid, until_ms in list(self._expires.items()):
                self._issue(sid, min(until_ms, self._void_ms))
        self.inventory, self.opens_at_ms = item.get("inventory"), item.get("opens_at_ms", 0)
        self.cap = cap
        # Lowered: those in, or just coming in, may stay; as they go, the bound follows them down.
        self.bound = None if cap is None else max(cap, min(self.bound or cap, max(self.live, self._leases)))

    def _lower(self) -> None:
        if self.cap is not None and self.bound is not None and self.bound > self.cap:
            self.bound = max(self.cap, min(self.bound, max(self.live, self._leases)))

    def _gate(self, run: int, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        state = self._run(run)
        if run != self.run:
            return
        state.width_sec, state.shards = after["width"], after["joins"]
        self._leases = sum(count for name, count in after.items() if name.startswith(BUCKET))
        names = after["lanes"].split(",")
        serving = {lane: after.get(f"{SERVING}{number}", 0) for number, lane in enumerate(names)}
        if before is not None and after["tick"] != before["tick"]:
            now_ms = self.kernel.now_ms
            if self.tick_at_ms:
                self.longest_silence_ms = max(self.longest_silence_ms, now_ms - self.tick_at_ms)
            self.tick_at_ms = now_ms
        for lane, count in serving.items():
            called_ms = state.line(lane).called_ms
            while len(called_ms) < count:
                called = self.on_called.pop((run, lane, len(called_ms)), None)
                called_ms.append(self.kernel.now_ms)
                if called is not None:
                    called()
        self.serving = serving
        if self.sold_out_at_ms and not self.sold_out_shown_ms and after["lanes"]:
            state_now = unpack(after["state"], names)
            self.sold_out_shown_ms = self.kernel.now_ms if state_now.phase == "sold_out" else 0

    def _place(self, run: int, visitor: str, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        if before is None or before["seq"] != after["seq"]:
            self.places += 1
            if after["joined_at_ms"] < self.opens_at_ms:
                self.breaks("rule 3: a place was taken before the line opened")
            holder = self._run(run).holders.setdefault((after["lane"], after["shard"], after["seq"]), visitor)
            if holder != visitor:
                self.duplicates += 1
                self.breaks(f"rule 2: {holder} and {visitor} share a place")
        sid = after.get("sid")
        if sid is None:
            return
        if after["status"] == "admitted":
            until_ms = expires_at_ms(after["bucket"], after["hard_end_at_ms"], self._run(run).width_sec)
            if run != self.run:
                until_ms = min(until_ms, self._void_ms)
            if before is not None and before["status"] != "admitted" and before.get("sid") == sid:
                self.breaks(f"rule 5: the session of {visitor} came back after it had ended")
            if self._expires.get(sid) != until_ms:
                self._issue(sid, until_ms)
            self.check()
        elif self._expires.pop(sid, None) is not None:
            self.live -= 1
            self._lower()

    def _issue(self, sid: str, until_ms: int) -> None:
        if sid not in self._expires:
            self.live += 1
            self.admitted += 1
        self._expires[sid] = until_ms
        self.on_token(sid, until_ms)
        heapq.heappush(self._ends, (until_ms, sid))

    def since_start_sec(self, at_ms: int) -> float:
        """Seconds from the beginning of the run to a moment."""
        return (at_ms - START_MS) / 1000
