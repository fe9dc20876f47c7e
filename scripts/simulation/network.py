"""The way to the store: latency, the limits of a partition, and what goes wrong on a bad day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from scripts.simulation.kernel import Crash, Kernel
from scripts.simulation.replicas import READS, Replicas, is_consistent
from scripts.simulation.store import Store, failure

WRITES_PER_SEC = 1_000
READS_PER_SEC = 3_000
"""What one partition key of DynamoDB takes a second (Developer Guide, "Best practices for partition keys")."""
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


CALM = Weather()
ROUGH = Weather(crash=0.001, lost_request=0.003, lost_answer=0.003, late_arrival=0.002, throttle=0.002, pause=0.0005)


class Partitions:
    """Counts what each partition key was asked for in this second, and how often it was too much."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._second = 0
        self._writes: dict[Any, float] = {}
        self._reads: dict[Any, float] = {}
        self.throttled = 0
        self.busiest_writes = 0.0
        self.busiest_reads = 0.0

    def take(self, key: Any, writes: float, reads: float) -> bool:
        """Whether the partition has this much left; if so it is used."""
        second = self._kernel.now_ms // 1000
        if second != self._second:
            self._second, self._writes, self._reads = second, {}, {}
        used, limit = (self._writes, WRITES_PER_SEC) if writes else (self._reads, READS_PER_SEC)
        total = used.get(key, 0.0) + writes + reads
        if total > limit:
            self.throttled += 1
            return False
        used[key] = total
        if reads and total > self.busiest_reads:
            self.busiest_reads = total
        if writes and total > self.busiest_writes:
            self.busiest_writes = total
        return True

    def use(self, key: Any, reads: float) -> None:
        """Count what was read beyond what was foreseen."""
        self._reads[key] = self._reads.get(key, 0.0) + reads


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
        if not self._admitted(name, request):
            raise failure(_THROTTLED, name)
        try:
            answer = self._replicas.answer(name, method, request)
            if name == "query":
                # What a page costs is only known when it has been read; it is used up all the same.
                self._partitions.use(_queried(request), self._store.last_read_units - _units(request))
        except ClientError:
            if lost:
                self._time_out()
            raise
        if lost:
            self._time_out()
        return answer

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

    def _admitted(self, name: str, request: dict[str, Any]) -> bool:
        is_read = name in READS
        for key, units in self._cost(name, request):
            if not self._partitions.take(key, 0 if is_read else units, units if is_read else 0):
                return False
        return True

    def _cost(self, name: str, request: Mapping[str, Any]) -> Iterator[tuple[Any, float]]:
        if name == "transact_write_items":
            for action in request["TransactItems"]:
                for body in action.values():
                    yield self._partition(body), 2.0
        elif name == "batch_get_item":
            for table, wanted in request["RequestItems"].items():
                for key in wanted["Keys"]:
                    yield self._partition({"TableName": table, "Key": key}), _units(request)
        elif name != "scan":
            key = _queried(request) if name == "query" else self._partition(request)
            yield key, _units(request) if name in READS else 1.0

    def _partition(self, request: Mapping[str, Any]) -> Any:
        table = self._store.tables[request["TableName"]]
        attributes = request.get("Key") or request["Item"]
        return attributes[table.partition_key]["S"]

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
