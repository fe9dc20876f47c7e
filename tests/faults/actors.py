"""Who takes part in a run: visitors with one or two tabs, exchangers, an operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults.rules import RuleBroken
from tests.faults.scheduler import Crash
from tests.faults.world import Bouncer, SkewedClock, World, exchanger
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import (
    AlreadyCompleted,
    HardEnd,
    InvalidInput,
    Lapsed,
    NotOpen,
    Overloaded,
    ReferenceUsed,
    SoldOut,
    TooSoon,
    Unsure,
    WaitingRoomError,
)
from waiting_room.domain.line.places import Session
from waiting_room.use_cases.claim import Waiting
from waiting_room.use_cases.restore import RestorePlaces
from waiting_room.use_cases.wake import Wake

GIVE_UP_TRIES = 400
GIVES_BACK = 8
"""In one of so many runs the operator also gives lapsed places back."""
TICK_MS = 4_000
"""Two exchangers tick in turn, so the line moves faster than once in this time."""


class Visitor:
    """One browser. Its tabs share the cookies, so the session a tab gets is the session of all."""

    def __init__(self, world: World, name: str, bouncers: list[Bouncer]) -> None:
        self.world = world
        self.name = name
        self.key = f"z#1#{name}"
        self.bouncers = bouncers
        self.session: Session | None = None
        self.done = False
        rng = world.rng
        self.ending = rng.choice(["complete", "complete", "leave", "silent"])
        self.absent = rng.random() < 0.15
        self.stay_ms = rng.uniform(2_000, 35_000)
        self.invited = "vip" if world.scenario.lanes and rng.random() < 0.5 else ""
        self.shows_invitation = rng.random() < 0.5

    def call(self, verb: Callable[[Bouncer], Any]) -> Any:
        """Send a request, to any bouncer; repeated while the answer is "try again" or the process died.

        A repeat may be sent although the first went through: that is what retries are.
        """
        rng, sleep = self.world.rng, self.world.scheduler.sleep
        for _ in range(GIVE_UP_TRIES):
            try:
                answer = verb(rng.choice(self.bouncers))
            except (Overloaded, Crash, NotOpen):
                sleep(rng.uniform(100, 2_000))
                continue
            except TooSoon as error:
                sleep(error.retry_after_sec * 1_000)
                continue
            if rng.random() < 0.03:
                continue
            return answer
        raise RuleBroken(f"{self.name} was never answered")

    def tab(self, number: int) -> None:
        """One tab's life: join, ask until in, stay, go."""
        sleep, rng = self.world.scheduler.sleep, self.world.rng
        while not self.done:
            try:
                self.join(number)
                if self.absent:
                    self.absent = False
                    sleep(rng.uniform(12_000, 40_000))
                self.get_in(number)
                self.stay()
            except (Lapsed, HardEnd):
                # Whoever ran out of time once is quicker the next time.
                self.session, self.stay_ms = None, self.stay_ms / 2
                sleep(rng.uniform(100, 3_000))
            except AlreadyCompleted:
                # A purchase whose answer came to nobody: bought is bought.
                self.done = True
            except SoldOut:
                return
            except WaitingRoomError as error:
                raise RuleBroken(f"{self.name} got {error!r}") from error

    def join(self, number: int) -> None:
        """Take a place, or be told the one there is; with the invitation, once it is shown."""
        invited = self.invited if self.shows_invitation else ""
        place = self.call(lambda b: b.join(self.world.zone, self.name, None, invited))
        self.world.rules.told(f"{self.name}/{number}", place)

    def get_in(self, number: int) -> None:
        """Claim, as often as it takes; a session held already is given again."""
        while not self.done:
            answer = self.call(lambda b: b.claim(self.world.zone, self.name, 0))
            if isinstance(answer, Waiting):
                self.world.scheduler.sleep(answer.retry_after_sec * 2_500)
                if self.invited and self.world.rng.random() < 0.3:
                    self.shows_invitation = True
                    self.join(number)
                continue
            self.world.rules.given(self.key, answer)
            self.session = answer
            return

    def stay(self) -> None:
        """Renew now and then, then end as this visitor does."""
        world, scheduler = self.world, self.world.scheduler
        until_ms = scheduler.now_ms + self.stay_ms
        while not self.done and scheduler.now_ms < until_ms:
            scheduler.sleep(self.pause_ms())
            session = self.session
            if session is None:
                return
            if world.rng.random() < 0.7:
                self.session = self.renew(session.sid)
        session = self.session
        if self.done or session is None:
            return
        if self.ending == "complete":
            self.buy(session)
        elif self.ending == "leave":
            self.call(lambda b: b.leave(world.zone, self.name, session.sid))
        self.done = True

    def pause_ms(self) -> float:
        """Until the next page: some seconds; for a phone that slept, until about when its lease is given away."""
        rng, session = self.world.rng, self.session
        if session is None or rng.random() < 0.75:
            return rng.uniform(2_000, 12_000)
        return max(1_000, session.expires_at_ms - self.world.scheduler.now_ms + rng.uniform(-2_000, 25_000))

    def renew(self, sid: str) -> Session:
        """Lengthen the lease."""
        session: Session = self.call(lambda b: b.renew(self.world.zone, self.name, sid))
        self.world.rules.given(self.key, session)
        return session

    def buy(self, session: Session) -> None:
        """Confirm and complete; the same again is the same, another reference is refused."""
        zone, until_sec = self.world.zone, session.expires_at_ms // 1000
        if self.world.rng.random() < 0.5:
            # Long over the form, and off at the last moment.
            last_moment_ms = session.expires_at_ms - self.world.rng.uniform(500, 5_000)
            self.world.scheduler.sleep(max(0.0, last_moment_ms - self.world.scheduler.now_ms))
        order = f"order-{session.sid}"

        def confirm(reference: str) -> Any:
            return self.call(lambda b: b.confirm(zone, self.name, session.sid, until_sec, reference, checkout=True))

        first = confirm(order)
        if confirm(order) != first:
            raise RuleBroken("rule 5: the same confirmation got another answer")
        try:
            confirm("another order")
        except ReferenceUsed:
            return
        raise RuleBroken("rule 5: a second purchase on one session was accepted")


def ticking(world: World) -> Callable[[], None]:
    """An exchanger that ticks for ever; when its process dies, another takes its place."""

    def life() -> None:
        tick = exchanger(world)
        while True:
            try:
                tick("z")
            except Overloaded:
                pass
            except Crash:
                world.scheduler.sleep(world.rng.uniform(1_000, 20_000))
                tick = exchanger(world)
            world.scheduler.sleep(TICK_MS)

    return life


def sealing(world: World) -> Callable[[], None]:
    """What an exchanger does between its ticks, as a process of its own: it may come at any moment."""

    def life() -> None:
        while True:
            tick = exchanger(world)
            try:
                tick("z")
                for _ in range(world.rng.randrange(1, 12)):
                    world.scheduler.sleep(world.rng.uniform(200, 2_000))
                    tick.seal("z")
            except Overloaded:
                pass
            except Crash:
                world.scheduler.sleep(world.rng.uniform(1_000, 10_000))

    return life


def operator(world: World) -> Callable[[], None]:
    """Halves and doubles the cap, pauses and resumes, now and then; in some runs gives lapsed places back."""

    def life() -> None:
        rng = world.rng
        while True:
            world.scheduler.sleep(rng.uniform(4_000, 30_000))
            if world.seed % GIVES_BACK == 5 and rng.random() < 0.3:
                restore(world)
                continue
            cap = rng.choice([max(1, world.scenario.cap // 2), world.scenario.cap, world.scenario.cap + 2])
            control = rng.choice(["auto", "auto", "auto", "pause"])
            try:
                change(world, max_active=cap, control=control)
            except (Overloaded, Crash):
                world.scheduler.sleep(500)
                _settle(world)

    return life


def restore(world: World) -> None:
    """Give lapsed places back, to a moment of the last minutes or, where it is found, to when people came last."""
    clients, clock = world.clients(), SkewedClock(world.scheduler, world.skew_ms())
    stores = world.parts.stores(clients)
    wake = Wake(stores.locks, world.functions, "exchanger", clock)
    ago_ms = world.rng.choice([None, 20_000, 60_000, 200_000])
    to_at_ms = None if ago_ms is None else world.scheduler.now_ms - ago_ms
    world.rules.lines.may_fall = True
    try:
        RestorePlaces(stores.zones, stores.gates, stores.minutes, wake)("z", to_at_ms)
    except (Overloaded, Unsure, InvalidInput, Crash):
        # Refused, or perhaps still to come: a write whose answer is lost may arrive later.
        world.scheduler.sleep(500)


def change(world: World, **changes: Any) -> None:
    """An operator's change: the zone first, then the fence. Until the fence, the larger cap is allowed."""
    clients = world.clients()
    zones, gates = ProtectedZones(clients, "protected_zones"), world.parts.gates(clients, "counters")
    stored = zones.get("z")
    assert stored is not None
    wanted = stored.with_changes(**changes, version=stored.version + 1)
    if zones.save(wanted, stored.version):
        gates.fence("z", wanted.run)
    _settle(world)


def _settle(world: World) -> None:
    """After the fence: the new cap counts, for all but the leases that were counted by then."""
    stored = ProtectedZones(world.calm, "protected_zones").get("z")
    assert stored is not None
    Gates(world.calm, "counters").fence("z", stored.run)
    world.zone = stored
    world.rules.bound = max(world.rules.bound, world.rules.cap)
    world.rules.cap = stored.max_active or 0
