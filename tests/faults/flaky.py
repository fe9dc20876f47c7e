"""A DynamoDB client as seen over a bad network: calls take time, get lost, arrive late, or the caller dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from scripts.simulation.replicas import Replicas
from tests.faults.scheduler import Crash, Scheduler

OPERATIONS = (
    "get_item",
    "put_item",
    "update_item",
    "delete_item",
    "query",
    "scan",
    "batch_get_item",
    "transact_write_items",
)
WRITES = ("put_item", "update_item", "delete_item", "transact_write_items")


@dataclass(frozen=True)
class Faults:
    """Probabilities for each call."""

    crash: float = 0.004
    lost_request: float = 0.012
    lost_answer: float = 0.012
    late_arrival: float = 0.008
    pause: float = 0.01
    longest_pause_ms: int = 25_000
    throttle: float = 0.004
    conflict: float = 0.02
    partial: float = 0.1
    throttled: str = ""
    """The table whose writes are throttled; empty: every one."""

    @classmethod
    def harsh(cls) -> Faults:
        """A network on its worst day."""
        return cls(lost_request=0.03, lost_answer=0.08, late_arrival=0.06, pause=0.05)

    @classmethod
    def refusing(cls) -> Faults:
        """Every fault of a place's write is a definite refusal: nothing is lost, late or dies."""
        return replace(cls.none(), throttle=0.2, conflict=0.5, throttled="queue")

    @property
    def definite(self) -> bool:
        """Whether every answer says what was applied."""
        return not (self.crash or self.lost_request or self.lost_answer or self.late_arrival or self.pause)

    @classmethod
    def none(cls) -> Faults:
        """A perfect network."""
        return cls(crash=0, lost_request=0, lost_answer=0, late_arrival=0, pause=0, throttle=0, conflict=0, partial=0)


class FlakyClient:
    """Wraps a store's client. `retries` is how often the SDK repeats a call by itself when the answer is lost."""

    def __init__(
        self,
        client: Any,
        scheduler: Scheduler,
        faults: Callable[[], Faults],
        retries: int,
        after: Callable[[], None],
        replicas: Replicas,
    ) -> None:
        self._client = client
        self._scheduler = scheduler
        self._faults = faults
        self._retries = retries
        self._after = after
        self._replicas = replicas
        self._left_some = False
        for operation in OPERATIONS:
            setattr(self, operation, self._operation(operation))

    def _operation(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            for attempt in range(self._retries + 1):
                try:
                    return self._once(name, request)
                except ReadTimeoutError:
                    if attempt == self._retries:
                        raise
            raise AssertionError("not reached")

        return call

    def _once(self, name: str, request: dict[str, Any]) -> Any:
        scheduler, faults = self._scheduler, self._faults()
        rng = scheduler.rng
        scheduler.sleep(rng.uniform(0, 15))
        self._disturb(faults)
        if name in WRITES:
            self._refuse(name, request, faults)
            if rng.random() < faults.lost_request:
                scheduler.sleep(2_000)
                raise ReadTimeoutError(endpoint_url="lost request")
            if rng.random() < faults.late_arrival:
                scheduler.at(
                    scheduler.now_ms + rng.randrange(2_000, 9_000), lambda: self._apply(name, request, late=True)
                )
                scheduler.sleep(2_000)
                raise ReadTimeoutError(endpoint_url="late arrival")
        answer, refused = None, None
        try:
            answer = self._in_part(request, faults) if name == "batch_get_item" else self._apply(name, request)
        except ClientError as error:
            refused = error
        if name in WRITES and rng.random() < faults.lost_answer:
            scheduler.sleep(2_000)
            raise ReadTimeoutError(endpoint_url="lost answer")
        if rng.random() < 0.4:
            scheduler.sleep(rng.uniform(0, 15))
        self._disturb(faults)
        if refused is not None:
            raise refused
        return answer

    def _apply(self, name: str, request: dict[str, Any], *, late: bool = False) -> Any:
        try:
            return self._replicas.answer(name, getattr(self._client, name), request)
        except ClientError:
            if not late:
                raise
            return None
        finally:
            # Time alone only ends sessions, and reads change nothing: the rules can break at a write alone.
            if name in WRITES:
                self._after()

    def _in_part(self, request: dict[str, Any], faults: Faults) -> Any:
        """A batch of which DynamoDB serves only some keys, never twice in a row: asked again, it serves the rest."""
        rng = self._scheduler.rng
        ((table, wanted),) = request["RequestItems"].items()
        keys = wanted["Keys"]
        self._left_some = len(keys) > 1 and not self._left_some and rng.random() < faults.partial
        if not self._left_some:
            return self._apply("batch_get_item", request)
        count = rng.randrange(1, len(keys))
        some = self._apply("batch_get_item", {"RequestItems": {table: {**wanted, "Keys": keys[:count]}}})
        return {**some, "UnprocessedKeys": {table: {**wanted, "Keys": keys[count:]}}}

    def _disturb(self, faults: Faults) -> None:
        rng = self._scheduler.rng
        if rng.random() < faults.crash:
            raise Crash
        if rng.random() < faults.pause:
            self._scheduler.sleep(rng.uniform(500, faults.longest_pause_ms))

    def _refuse(self, name: str, request: dict[str, Any], faults: Faults) -> None:
        rng = self._scheduler.rng
        if rng.random() < faults.throttle and f"'TableName': '{faults.throttled}" in str(request):
            raise _client_error(name, "ProvisionedThroughputExceededException")
        if name == "transact_write_items" and rng.random() < faults.conflict:
            error = _client_error(name, "TransactionCanceledException")
            error.response["CancellationReasons"] = [{"Code": "TransactionConflict"}, {"Code": "None"}]
            raise error


def _client_error(operation: str, code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation
    )
