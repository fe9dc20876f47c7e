"""The way to the store: latency, the limits of a partition, and what goes wrong on a bad day."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from scripts.simulation.kernel import Crash, Kernel
from scripts.simulation.replicas import READS, Replicas, is_consistent
from scripts.simulation.store import Store, failure

WRITES_PER_SEC = 1_000
READS_PER_SEC = 3_000
"""What one partition of DynamoDB takes a second, whatever lies in it (Developer Guide, "Understanding DynamoDB warm
throughput in different scenarios" and "Best practices for designing and using partition keys effectively").

Left out: capacity a partition did not use in the last five minutes ("burst capacity": nobody is promised it), and
partitions that are split for heat: that takes minutes, and a rush is over by then ("adaptive capacity")."""
FRESH_WRITES_PER_SEC = 4_000
"""The warm throughput of a new on-demand table (the same page on warm throughput)."""
TIMEOUT_SEC = 3.0
WRITES = frozenset({"put_item", "update_item", "delete_item", "transact_write_items"})


@dataclass(frozen=True)
class Weather:
    """Probabilities for each call, and the shortest and longest latency in milliseconds."""

    crash: float = 0.0
    lost_request: float = 0.0
    lost_answer: float = 0.0
    late_arrival: float = 0.0
    throttle: float = 0.0
    pause: float = 0.0
    longest_pause_sec: float = 20.0
    latency_ms: tuple[int, int] = (2, 8)

    @property
    def is_calm(self) -> bool:
        """Whether nothing goes wrong."""
        return not (
            self.crash or self.lost_request or self.lost_answer or self.late_arrival or self.throttle or self.pause
        )


Partition = tuple[str, int]
"""A table and the number of one of its partitions."""
CALM = Weather()
ROUGH = Weather(crash=0.001, lost_request=0.003, lost_answer=0.003, late_arrival=0.002, throttle=0.002, pause=0.0005)


class Partitions:
    """What each partition was asked for in this second, and how often it was too much.

    A table has about one partition for every 1,000 writes a second of its warm throughput (`warm`, by table). A key's
    partition follows from its hash. DynamoDB does not tell its hash; MD5 stands for it, with ranges of the same width.
    """

    def __init__(self, kernel: Kernel, warm: Mapping[str, int] | None = None) -> None:
        self._kernel = kernel
        self._warm = warm or {}
        self._second = 0
        self._writes: dict[Partition, float] = {}
        self._reads: dict[Partition, float] = {}
        self.asked: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.busiest_writes = 0.0
        self.busiest_reads = 0.0

    @property
    def throttled(self) -> int:
        """How often a partition refused anything."""
        return sum(self.refused.values())

    def of(self, table: str, key: str) -> Partition:
        """Where a partition key lies."""
        count = max(FRESH_WRITES_PER_SEC, self._warm.get(table, 0)) // WRITES_PER_SEC
        digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
        return table, int.from_bytes(digest[:8], "big") * count >> 64

    def take(self, kind: str, partition: Partition, writes: float, reads: float) -> bool:
        """Whether the partition has this much left; if so it is used. `kind` is what a write is counted under."""
        second = self._kernel.now_ms // 1000
        if second != self._second:
            self._second, self._writes, self._reads = second, {}, {}
        used, limit = (self._writes, WRITES_PER_SEC) if writes else (self._reads, READS_PER_SEC)
        total = used.get(partition, 0.0) + writes + reads
        kind = kind if writes else "read"
        self.asked[kind] = self.asked.get(kind, 0) + 1
        if total > limit:
            self.refused[kind] = self.refused.get(kind, 0) + 1
            return False
        used[partition] = total
        if reads and total > self.busiest_reads:
            self.busiest_reads = total
        if writes and total > self.busiest_writes:
            self.busiest_writes = total
        return True

    def use(self, partition: Partition, writes: float = 0.0, reads: float = 0.0) -> None:
        """Count what was used beyond what was foreseen."""
        used = self._writes if writes else self._reads
        used[partition] = used.get(partition, 0.0) + writes + reads


class Connection:
    """A process's client. `attempts` is how often the SDK makes a call before it gives up."""

    def __init__(
        self,
        store: Store,
        kernel: Kernel,
        partitions: Partitions,
        weather: Callable[[], Weather],
        attempts: int,
        replicas: Replicas,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._kernel = kernel
        self._partitions = partitions
        self._weather = weather
        self._attempts = attempts
        self._replicas = replicas
        self._alive = alive
        for name in READS | WRITES:
            setattr(self, name, self._operation(name))

    def _operation(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)

        def call(**request: Any) -> Any:
            for attempt in range(1, self._attempts + 1):
                try:
                    return self._once(name, method, request)
                except ReadTimeoutError:
                    if attempt == self._attempts:
                        raise
                except ClientError as error:
                    if attempt == self._attempts or error.response["Error"]["Code"] != _THROTTLED:
                        raise
                # As botocore's standard mode: a random part of 1, 2, ... seconds.
                self._kernel.sleep(self._kernel.rng.random() * 2 ** (attempt - 1))
            raise AssertionError("not reached")

        return call

    def _once(self, name: str, method: Callable[..., Any], request: dict[str, Any]) -> Any:
        kernel, weather = self._kernel, self._weather()
        shortest, longest = weather.latency_ms
        kernel.sleep((shortest + kernel.rng.random() * (longest - shortest)) / 1000)
        if not self._alive():
            raise Crash
        lost = not weather.is_calm and self._disturb(name, method, request, weather)
        request, unserved = self._admitted(name, request)
        written = sum(self._store.write_units.values())
        try:
            answer = self._replicas.answer(name, method, request)
        except ClientError:
            if lost:
                self._time_out()
            raise
        # What a page or a large item costs is only known when it is there; it is used up all the same.
        if name == "query":
            ((_, partition, units),) = self._cost(name, request)
            self._partitions.use(partition, reads=self._store.last_read_units - units)
        elif name in WRITES:
            self._use_more(name, request, sum(self._store.write_units.values()) - written)
        if lost:
            self._time_out()
        return answer | {"UnprocessedKeys": unserved} if unserved else answer

    def _disturb(self, name: str, method: Callable[..., Any], request: dict[str, Any], weather: Weather) -> bool:
        """What goes wrong before the call; True when its answer will be lost."""
        rng = self._kernel.rng
        if rng.random() < weather.crash:
            raise Crash
        if rng.random() < weather.pause:
            self._kernel.sleep(rng.random() * weather.longest_pause_sec)
        if rng.random() < weather.throttle:
            raise failure(_THROTTLED, name)
        if name not in WRITES:
            return False
        if rng.random() < weather.lost_request:
            self._time_out()
        if rng.random() < weather.late_arrival:
            self._kernel.after(2 + rng.random() * 7, lambda: _arrive(method, request))
            self._time_out()
        return rng.random() < weather.lost_answer

    def _admitted(self, name: str, request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The request as far as partitions have room for it, and the keys of a batch that were left out.

        Of a batch it is refused only when no key is served (API Reference, BatchGetItem).
        """
        is_read = name in READS
        taken = [
            self._partitions.take(kind, partition, 0 if is_read else units, units if is_read else 0)
            for kind, partition, units in self._cost(name, request)
        ]
        if all(taken):
            return request, {}
        if name != "batch_get_item" or not any(taken):
            raise failure(_THROTTLED, name)
        # The product asks one table at a time.
        ((table, wanted),) = request["RequestItems"].items()
        served, left = (
            {**wanted, "Keys": [key for key, took in zip(wanted["Keys"], taken, strict=True) if took is wished]}
            for wished in (True, False)
        )
        return {**request, "RequestItems": {table: served}}, {table: left}

    def _use_more(self, name: str, request: Mapping[str, Any], written: int) -> None:
        """Of items over one write unit the rest, once they are written."""
        costs = list(self._cost(name, request))
        more = written - sum(units for _, _, units in costs)
        if more > 0:
            for _, partition, _ in costs:
                self._partitions.use(partition, writes=more / len(costs))

    def _cost(self, name: str, request: Mapping[str, Any]) -> Iterator[tuple[str, Partition, float]]:
        """What a call is counted under, the partitions it touches, and the units it takes there at least."""
        if name == "transact_write_items":
            for action in request["TransactItems"]:
                for body in action.values():
                    yield *self._where(body), 2.0
        elif name == "batch_get_item":
            for table, wanted in request["RequestItems"].items():
                for key in wanted["Keys"]:
                    yield *self._where({"TableName": table, "Key": key}), _units(request)
        elif name != "scan":
            yield *self._where(request), _units(request) if name in READS else 1.0

    def _where(self, request: Mapping[str, Any]) -> tuple[str, Partition]:
        """The kind of an item, the first word of its key, and its partition."""
        name = request["TableName"]
        attributes = request.get("Key") or request.get("Item")
        key = attributes[self._store.tables[name].partition_key]["S"] if attributes else _queried(request)
        kind = key.partition("#")[0] if self._store.tables[name].sort_key else name
        return kind, self._partitions.of(name, key)

    def _time_out(self) -> None:
        self._kernel.sleep(TIMEOUT_SEC)
        raise ReadTimeoutError(endpoint_url="simulated")


_THROTTLED = "ProvisionedThroughputExceededException"


def _units(request: Mapping[str, Any]) -> float:
    """What a small read costs."""
    return 1.0 if is_consistent(request) else 0.5


def _queried(request: Mapping[str, Any]) -> str:
    """The partition of a query; the product names it `:pk`."""
    return str(request["ExpressionAttributeValues"][":pk"]["S"])


def _arrive(method: Callable[..., Any], request: dict[str, Any]) -> None:
    """A write whose sender has long given up."""
    try:
        method(**request)
    except ClientError:
        return
