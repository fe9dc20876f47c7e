"""The cap at the gate: sessions that are let in where gates are asked with every token that was ever given.

Scenarios of people who leave early, by habit or to come again at once, and the figure `let_in_max`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scripts.simulation.browser import Browser
from scripts.simulation.deployment import CDN_MS, Deployment
from scripts.simulation.kernel import SkewedClock
from scripts.simulation.occupancy import queueing
from scripts.simulation.simulation import Action, Scenario, Simulation
from scripts.visitors.arrivals import Curve, flash, steady
from scripts.visitors.habits import Habits
from waiting_room.domain.errors import Lapsed
from waiting_room.domain.gate.exit_list import exit_id
from waiting_room.domain.gate.snapshot import GateZone
from waiting_room.domain.line.places import Session
from waiting_room.edge.exit_lists import ExitLists
from waiting_room.edge.snapshots import Fetched

GATES = 5
"""Each in a Region of its own: with a clock, a copy and caches that no other has."""
ASK_SEC = 1.0
LOOPER = Habits()


class EdgeCaches:
    """The bucket as one gate sees it through the CDN: an object is as old as the caches on its way keep it."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._fetched_at_ms = 0
        self._found = Fetched(404, b"", "")

    def __call__(self, path: str, limit_bytes: int, etag: str) -> Fetched:
        """As the gate's own transport answers."""
        del limit_bytes
        now_ms = self._deployment.kernel.now_ms
        if now_ms - self._fetched_at_ms >= CDN_MS:
            stored = self._deployment.bucket.get(path.lstrip("/"))
            self._found = Fetched(200, stored.body, stored.etag) if stored else Fetched(404, b"", "")
            self._fetched_at_ms = now_ms
        return Fetched(304, b"", etag) if etag and etag == self._found.etag else self._found


@dataclass
class EveryToken:
    """Asks each gate with every token, once a second, and counts whom one of them lets in."""

    simulation: Simulation
    tokens: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By session: its number on exit lists, and when its last token ends."""
    let_in_max: int = 0
    broken: list[str] = field(default_factory=list)
    _gates: Sequence[tuple[SkewedClock, ExitLists]] = ()

    def begin(self) -> None:
        """From now on."""
        deployment, watch = self.simulation.deployment, self.simulation.watch
        self._gates = [(deployment.clock(), ExitLists(EdgeCaches(deployment))) for _ in range(GATES)]
        watch.on_token = self._given
        self._ask()

    def figures(self) -> dict[str, float]:
        """`let_in_max`: sessions that were let in at one instant, at most."""
        return {"let_in_max": self.let_in_max}

    def _given(self, sid: str, until_ms: int) -> None:
        number, known_ms = self.tokens.get(sid, (int.from_bytes(exit_id(sid), "big"), 0))
        self.tokens[sid] = number, max(until_ms, known_ms)

    def _ask(self) -> None:
        watch, zone = self.simulation.watch, self.simulation.venue.zone
        known = GateZone(zone.zone_id, watch.run, "auto", False, "enter", False, zone.session.kind, 0)
        let_in = set()
        for clock, ended in self._gates:
            now_ms = clock.now_ms()
            for sid, (number, until_ms) in self.tokens.items():
                if now_ms < until_ms and ended(known, number, now_ms // 1000) is False:
                    let_in.add(sid)
        self.let_in_max = max(self.let_in_max, len(let_in))
        if watch.cap is not None and len(let_in) > watch.cap and not self.broken:
            self.broken.append(f"rule 1: the gate let {len(let_in)} sessions in, {watch.cap} are allowed")
        self.simulation.kernel.after(ASK_SEC, self._ask)


def try_every_token(simulation: Simulation) -> None:
    """Count whom the gates let in, from now on."""
    asking = EveryToken(simulation)
    simulation.also_measured.append(asking)
    asking.begin()


class Looper(Browser):
    """Somebody who claims, leaves at once, and comes again as somebody else."""

    __slots__ = ()

    def loop(self) -> None:
        """The job; it never ends."""
        venue, times = self.venue, 0
        first = self.name
        while True:
            times += 1
            self.name = f"{first}{times:010d}"
            self.ask(lambda bouncer, zone: bouncer.join(zone, self.name))
            session = self._claimed()
            if session is not None:
                self.ask(lambda bouncer, zone, sid=session.sid: bouncer.leave(zone, self.name, sid))  # type: ignore[misc]
            venue.kernel.sleep(venue.rng.random())

    def _claimed(self) -> Session | None:
        while True:
            try:
                answer = self.ask(lambda bouncer, zone: bouncer.claim(zone, self.name, 0))
            except Lapsed:
                return None
            if isinstance(answer, Session):
                return answer
            self.venue.kernel.sleep(answer.retry_after_sec)


def loopers(count: int) -> Action:
    """So many begin to loop."""

    def act(simulation: Simulation) -> None:
        for number in range(count):
            looper = Looper(simulation.venue, f"loop{number:08d}", LOOPER)
            simulation.kernel.start(looper.loop)

    return act


def _at_the_gate(
    name: str,
    about: str,
    cap: int,
    groups: tuple[tuple[Curve, Habits], ...],
    actions: tuple[tuple[float, Action], ...] = (),
) -> Scenario:
    return Scenario(
        name=name,
        about=about,
        zone=queueing(cap),
        groups=groups,
        actions=((1, try_every_token), *actions),
        seconds=420,
        drains=False,
    )


BUTTON = Habits(button_share=1.0, stay_sec=(15, 15))
GATE = (
    _at_the_gate(
        "claim, leave and claim again",
        "40 loop and keep every token, 20 others come; cap 5",
        5,
        ((flash(20, 60, from_sec=30), BUTTON),),
        ((5, loopers(40)),),
    ),
    _at_the_gate(
        "everybody leaves early",
        "a line for seven minutes, all say good-bye after 15 s; cap 50",
        50,
        ((flash(200, 30), BUTTON), (steady(2.0, 360, from_sec=30), BUTTON)),
    ),
)
