"""One deployment in the simulator: the product's functions, put together as on AWS, over the model of the store."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from scripts.simulation.functions import COLD_START_SEC, Function, Quotas, Refused, Tokens
from scripts.simulation.kernel import Crash, Kernel, SerialIds, SkewedClock
from scripts.simulation.network import CALM, Connection, Partitions, Weather
from scripts.simulation.replicas import Replicas
from scripts.simulation.store import Observer, Onlooker, Store
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.composition import Stores, tick_zone, visitor_verbs
from waiting_room.domain.errors import NotReady, Overloaded, StaleVersion, Unsure
from waiting_room.domain.line.places import Session
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import StoredObject
from waiting_room.use_cases.claim import Waiting
from waiting_room.use_cases.control import ControlZone, ZoneChange
from waiting_room.use_cases.dispatch import Dispatch
from waiting_room.use_cases.exchange import Exchange
from waiting_room.use_cases.note_refusals import NoteRefusals
from waiting_room.use_cases.pass_door import PassDoor
from waiting_room.use_cases.wake import Wake
from waiting_room.use_cases.warm import WarmUp
from waiting_room.use_cases.watch_door import WatchDoor
from waiting_room.use_cases.zones import PutZone

T = TypeVar("T")
TABLES = ("protected_zones", "counters", "joins", "queue")
LARGEST_SKEW_MS = 4_900
"""No two clocks differ by the margin of 10 s."""
CDN_MS = 3_000
"""How long the CDN keeps a status document: edge location, regional cache and Origin Shield, a second each."""
DISPATCH_SEC = 60.0
HANDLING_SEC = 0.03
"""A request's own work in a bouncer at 512 MB, its signature above all: about 50 ms with its calls of the tables."""
GATE_SEC = 0.005
"""A request's work in a gatekeeper that is warm."""


class Bucket:
    """The site bucket with the CDN in front of it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._objects: dict[str, bytes] = {}
        self._cached: dict[str, tuple[int, bytes | None, Any]] = {}
        self.reads = 0

    def get(self, key: str) -> StoredObject | None:
        """As the product's functions read it."""
        body = self._objects.get(key)
        return None if body is None else StoredObject(body, str(hash(body)))

    def put(
        self,
        key: str,
        body: bytes,
        content_type: str,
        cache_control: str,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> bool:
        """Write an object, if it is as the writer has read it."""
        del content_type, cache_control
        stored = self.get(key)
        if (if_absent and stored is not None) or (if_match is not None and (stored is None or stored.etag != if_match)):
            return False
        self._objects[key] = body
        return True

    def through_cdn(self, key: str) -> Any:
        """A JSON document as browsers see it: up to CDN_MS old. None while there is none."""
        fetched_at_ms, body, document = self._cached.get(key, (0, None, None))
        if self._kernel.now_ms - fetched_at_ms < CDN_MS:
            return document
        self.reads += 1
        current = self._objects.get(key)
        if current is not body:
            document = None if current is None else json.loads(current)
        self._cached[key] = (self._kernel.now_ms, current, document)
        return document


class PublicDoor:
    """The way from the internet to the token service, which may be shut to everybody or to many, and looks at it."""

    LATENCY_SEC = 0.05

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.refused_share = 0.0
        self.refuses_looks = False

    def refuses(self) -> bool:
        """Whether this request is one of those that get nowhere."""
        return self.refused_share > 0 and self._deployment.kernel.rng.random() < self.refused_share

    def gets_through(self, zone_id: str) -> bool:
        """The exchanger's look."""
        self._deployment.kernel.sleep(self.LATENCY_SEC)
        if self.refuses_looks:
            return False
        try:
            self._deployment.request(lambda bouncer: bouncer.pass_door(bouncer.zones.get(zone_id)))
        except (Refused, Overloaded, Unsure, NotReady):
            return False
        return True


class NoTokens:
    """Tokens are not part of what is simulated: what a verb is given it may trust."""

    def sign(self, audience: str, claims: Mapping[str, Any]) -> str:
        """No token."""
        del claims
        return audience

    def verify(self, token: str, audience: str, *, now_sec: int, allow_expired: bool = False) -> dict[str, Any] | None:
        """Always good."""
        del token, audience, now_sec, allow_expired
        return {}


class Bouncer:
    """One Lambda instance of the token service: its own clock, copies and connections."""

    def __init__(self, deployment: Deployment) -> None:
        stores, clock, ids = deployment.stores(), deployment.clock(), deployment.ids
        wake = Wake(stores.locks, deployment, "exchanger", clock)
        verbs = visitor_verbs(stores, wake, clock, ids, deployment.kernel.sleep)
        self.zones = ZoneCopies(stores.zones, clock)
        self.join, self.locate = verbs.join, verbs.locate
        self.renew, self.leave, self.confirm = verbs.renew, verbs.leave, verbs.confirm
        self.pass_door = PassDoor(stores.gates, stores.queue, NoTokens(), clock)
        self._claim, self._refusals = verbs.claim, NoteRefusals(stores.refusals, clock)

    def claim(self, zone: Zone, visitor_id: str, gen: int) -> Session | Waiting:
        """As the endpoint claims: what fails by a fault of ours is noted."""
        with self._refusals.around(zone):
            return self._claim(zone, visitor_id, gen)


class Deployment:
    """Tables, functions and the CDN. It is also the port through which functions start one another."""

    def __init__(
        self,
        kernel: Kernel,
        observe: Observer,
        quotas: Quotas,
        *,
        warm: int = 8,
        weather: Weather = CALM,
        tables_warm: Mapping[str, int] | None = None,
    ) -> None:
        """`warm`: instances of bouncer and gatekeeper that are there from the beginning; `tables_warm`: for how many
        writes a second a table is."""
        self.kernel = kernel
        self.weather = weather
        self.store = Store([schemas.table(name) for name in TABLES], observe)
        self.partitions = Partitions(kernel, tables_warm)
        self.replicas = Replicas(lambda: kernel.now_ms, kernel.rng)
        self.bucket = Bucket(kernel)
        self.door = PublicDoor(self)
        self.ids = SerialIds(kernel.rng)
        self.exchangers_started = 0
        self._generation = 0
        self.quotas = quotas
        self.throttle = Tokens(kernel, quotas.api_requests_per_sec, quotas.api_burst)
        self.bouncers = Function(kernel, lambda: Bouncer(self), quotas.bouncers, HANDLING_SEC, warm=warm)
        self.gatekeepers = Function(kernel, object, quotas.gatekeepers, GATE_SEC, warm=warm)
        self.wakes = True

    def stores(self, alive: Callable[[], bool] = lambda: True) -> Stores:
        """The tables over a process's own pair of connections."""
        repeating, once = (
            Connection(self.store, self.kernel, self.partitions, lambda: self.weather, attempts, self.replicas, alive)
            for attempts in (3, 1)
        )
        return Stores(Clients(repeating, once, self.kernel.together), *TABLES)

    def clock(self) -> SkewedClock:
        """A clock of one machine."""
        return SkewedClock(self.kernel, self.kernel.rng.randint(-LARGEST_SKEW_MS, LARGEST_SKEW_MS))

    def request(self, work: Callable[[Bouncer], T]) -> T:
        """Send a request to the API, and have a bouncer answer it; raises Refused where AWS takes neither."""
        if self.door.refuses() or not self.throttle.take():
            raise Refused
        return self.bouncers.run(work)

    def calm_stores(self) -> Stores:
        """The tables as an onlooker reads them: at once, and for nothing."""
        onlooker = Onlooker(self.store)
        return Stores(Clients(onlooker, onlooker), *TABLES)

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        """Start a function asynchronously, as its port does."""
        if name == "exchanger" and self.wakes:
            zones = list(payload["zones"])
            self.kernel.start(lambda: self._exchange(zones))
        for _ in range(payload.get("warm", 0)):
            self.kernel.start(lambda: self._hold(payload["until_ms"]))

    def kill_exchangers(self) -> None:
        """Every exchanger at work dies at its next store call."""
        self._generation += 1

    def dispatch_every_minute(self, offset_sec: float = 0.0) -> None:
        """The scheduler, from now on; a minute falls where it falls, whatever visitors do."""
        self.kernel.after(offset_sec, self._dispatch)

    def put_zone(self, document: Mapping[str, Any]) -> Zone:
        """Create a zone as an operator does, before anything else runs."""
        stores = self.calm_stores()
        clock = SkewedClock(self.kernel)
        wake = Wake(stores.locks, self, "exchanger", clock)
        put = PutZone(stores.zones, stores.gates, lambda: None, wake, clock, self.ids)  # type: ignore[arg-type]
        return put(document["zone_id"], document, "simulator").zone

    def control(self, zone_id: str, change: ZoneChange) -> None:
        """Begin an operator's change; it is tried until it is through."""
        stores, clock = self.stores(), self.clock()
        wake = Wake(stores.locks, self, "exchanger", clock)
        control = ControlZone(stores.zones, stores.gates, lambda _: None, wake, clock, self.ids)

        def job() -> None:
            while True:
                try:
                    control(zone_id, change, "simulator")
                except (StaleVersion, Overloaded, Unsure):
                    self.kernel.sleep(1)
                else:
                    return

        self.kernel.start(job)

    def _hold(self, until_ms: int) -> None:
        """One call of a warm-up, which takes the instance that is free or a new one."""
        with contextlib.suppress(Refused):
            self.bouncers.run(lambda _: self.kernel.sleep((until_ms - self.kernel.now_ms) / 1000))

    def _exchange(self, zone_ids: list[str]) -> None:
        kernel, generation = self.kernel, self._generation
        self.exchangers_started += 1
        kernel.sleep(kernel.rng.uniform(*COLD_START_SEC))
        stores, clock = self.stores(lambda: generation == self._generation), self.clock()
        door = WatchDoor(self.door, stores.refusals, clock, kernel.start)
        tick = tick_zone(stores, self.bucket, clock, door=door)

        def sleep(seconds: float) -> None:
            kernel.sleep(seconds)
            if generation != self._generation:
                raise Crash

        Exchange(tick, stores.locks, clock, self.ids, sleep, kernel.start)(zone_ids)

    def _dispatch(self) -> None:
        self.kernel.after(DISPATCH_SEC, self._dispatch)
        stores, clock = self.stores(), self.clock()
        dispatch = Dispatch(
            stores.zones,
            stores.gates,
            stores.sales,
            tick_zone(stores, self.bucket, clock),
            self.bucket,
            self,
            clock,
            exchanger="exchanger",
            publisher="publisher",
            snapshot_key="gate.json",
            warm_up=WarmUp(self, "dispatcher", self.quotas.warm_instances, clock),
        )
        self.kernel.start(dispatch)
