"""One deployment in the simulator: the product's functions, put together as on AWS, over the model of the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from scripts.simulation.kernel import Crash, Kernel, SerialIds, SkewedClock
from scripts.simulation.network import CALM, Connection, Partitions, Weather
from scripts.simulation.replicas import Replicas
from scripts.simulation.store import Observer, Onlooker, Store
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.composition import Stores, tick_zone, visitor_verbs
from waiting_room.domain.errors import Overloaded, StaleVersion, Unsure
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import StoredObject
from waiting_room.use_cases.control import ControlZone, ZoneChange
from waiting_room.use_cases.dispatch import Dispatch
from waiting_room.use_cases.exchange import Exchange
from waiting_room.use_cases.wake import Wake
from waiting_room.use_cases.zones import PutZone

TABLES = ("protected_zones", "counters", "joins", "queue")
LARGEST_SKEW_MS = 4_900
"""No two clocks differ by the margin of 10 s."""
COLD_START_SEC = (0.4, 1.5)
CDN_MS = 1_000
"""How long the CDN keeps a status document."""
DISPATCH_SEC = 60.0


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
        """Write an object; the product's conditional writes are the publisher's, which the simulator leaves out."""
        del content_type, cache_control, if_match, if_absent
        self._objects[key] = body
        return True

    def through_cdn(self, key: str) -> Any:
        """A JSON document as browsers see it: up to a second old. None while there is none."""
        fetched_at_ms, body, document = self._cached.get(key, (0, None, None))
        if self._kernel.now_ms - fetched_at_ms < CDN_MS:
            return document
        self.reads += 1
        current = self._objects.get(key)
        if current is not body:
            document = None if current is None else json.loads(current)
        self._cached[key] = (self._kernel.now_ms, current, document)
        return document


class Bouncer:
    """One Lambda instance of the token service: its own clock, copies and connections."""

    def __init__(self, deployment: Deployment) -> None:
        stores, clock, ids = deployment.stores(), deployment.clock(), deployment.ids
        wake = Wake(stores.locks, deployment, "exchanger", clock)
        verbs = visitor_verbs(stores, wake, clock, ids, deployment.kernel.sleep)
        self.zones = ZoneCopies(stores.zones, clock)
        self.join, self.locate, self.claim = verbs.join, verbs.locate, verbs.claim
        self.renew, self.leave, self.confirm = verbs.renew, verbs.leave, verbs.confirm


class Deployment:
    """Tables, functions and the CDN. It is also the port through which functions start one another."""

    def __init__(
        self,
        kernel: Kernel,
        observe: Observer,
        *,
        bouncers: int = 8,
        weather: Weather = CALM,
        warm: Mapping[str, int] | None = None,
    ) -> None:
        self.kernel = kernel
        self.weather = weather
        self.store = Store([schemas.table(name) for name in TABLES], observe)
        self.partitions = Partitions(kernel, warm)
        self.replicas = Replicas(lambda: kernel.now_ms, kernel.rng)
        self.bucket = Bucket(kernel)
        self.ids = SerialIds(kernel.rng)
        self.exchangers_started = 0
        self._generation = 0
        self._bouncers = [Bouncer(self) for _ in range(bouncers)]
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

    def bouncer(self) -> Bouncer:
        """The instance a request meets: any."""
        return self._bouncers[int(self.kernel.rng.random() * len(self._bouncers))]

    def calm_stores(self) -> Stores:
        """The tables as an onlooker reads them: at once, and for nothing."""
        onlooker = Onlooker(self.store)
        return Stores(Clients(onlooker, onlooker), *TABLES)

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        """Start a function asynchronously, as its port does."""
        if name == "exchanger" and self.wakes:
            zones = list(payload["zones"])
            self.kernel.start(lambda: self._exchange(zones))

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

    def _exchange(self, zone_ids: list[str]) -> None:
        kernel, generation = self.kernel, self._generation
        self.exchangers_started += 1
        kernel.sleep(kernel.rng.uniform(*COLD_START_SEC))
        stores, clock = self.stores(lambda: generation == self._generation), self.clock()
        tick = tick_zone(stores, self.bucket, clock, self.ids)

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
            tick_zone(stores, self.bucket, clock, self.ids),
            self.bucket,
            self,
            clock,
            exchanger="exchanger",
            publisher="publisher",
            snapshot_key="gate.json",
        )
        self.kernel.start(dispatch)
