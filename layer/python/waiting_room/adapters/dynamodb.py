"""What every table has in common: its keys, plain values for items, and the three answers a write can get."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, SSLError
from botocore.exceptions import ConnectionError as NoConnection

from waiting_room import schemas
from waiting_room.adapters.throttles import ThrottleLog, cancelled_for, is_throttle
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded, Throttled

CONFLICT_TRIES, CONFLICT_PAUSE_SEC = 4, 0.02
"""Of a write that meets a transaction on the same item, and the mean of the first pause; each is twice the last."""
BATCH, BATCH_TRIES = 100, 4
"""Keys DynamoDB takes in one BatchGetItem, and how often what it leaves is asked for."""


logger = logging.getLogger(__name__)
log_throttle = ThrottleLog()


def one_by_one(calls: Iterable[Callable[[], None]]) -> None:
    """Make calls in turn."""
    for call in calls:
        call()


@dataclass(frozen=True)
class Clients:
    """Two clients of one service.

    `repeating` lets the SDK repeat a call whose answer was lost. `once` never does: for writes that are not the
    same when applied twice. `together` makes calls at about the same time, and returns when all are done.
    """

    repeating: Any
    once: Any
    together: Callable[[Iterable[Callable[[], None]]], None] = one_by_one


class Table:
    """A table's name in the account and the keys its schema gives it."""

    def __init__(self, clients: Clients, schema_name: str, table_name: str) -> None:
        schema = schemas.table(schema_name)
        self.clients = clients
        self.name = table_name
        self.partition_key: str = schema["partition_key"]["name"]
        self.sort_key: str | None = (schema.get("sort_key") or {}).get("name")
        self.ttl: str = schema["ttl_attribute"]

    def key(self, partition: str, sort: str | int | None = None) -> dict[str, Any]:
        """The key of an item, in DynamoDB's form."""
        key: dict[str, Any] = {self.partition_key: partition}
        if self.sort_key is not None:
            key[self.sort_key] = sort
        return encode(key)

    def get(self, partition: str, sort: str | int | None = None, *, consistent: bool = True) -> dict[str, Any] | None:
        """One item as plain values, or None."""
        answer = reading(
            self.clients.repeating.get_item,
            TableName=self.name,
            Key=self.key(partition, sort),
            ConsistentRead=consistent,
        )
        return decode(answer["Item"]) if "Item" in answer else None

    def batch(self, keys: Sequence[tuple[str, str | int]]) -> tuple[dict[str, dict[str, Any]], bool]:
        """Items of several partitions, by partition (consistent), and whether every key was looked at.

        More than a hundred are asked for in several batches together, so that all are read at about the same time. What
        DynamoDB leaves for later is asked for again, BATCH_TRIES times in all, a little later each time; keys without
        an item are simply not in the answer.
        """
        found: dict[str, dict[str, Any]] = {}
        left = [self.key(*key) for key in keys]
        for attempt in range(BATCH_TRIES):
            if attempt:
                time.sleep(0.02 * 2**attempt)
            left = self._batches(left, found)
            if not left:
                return found, True
        logger.warning("some items could not be read", extra={"table": self.name, "items": len(left)})
        return found, False

    def _batches(self, keys: list[dict[str, Any]], found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask once for any number of keys; returns those that were not served."""
        unserved: list[dict[str, Any]] = []

        def ask(batch: list[dict[str, Any]]) -> None:
            unserved.extend(self._batch(batch, found))

        parts = [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]
        self.clients.together(partial(ask, part) for part in parts)
        return unserved

    def _batch(self, keys: list[dict[str, Any]], found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask once for at most a hundred keys; returns those that were not served."""
        try:
            answer = reading(
                self.clients.repeating.batch_get_item, RequestItems={self.name: {"Keys": keys, "ConsistentRead": True}}
            )
        except Overloaded:
            return keys
        for item in map(decode, answer["Responses"].get(self.name, [])):
            found[item[self.partition_key]] = item
        unserved: list[dict[str, Any]] = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
        return unserved

    def query(
        self,
        partition: str,
        *,
        begins_with: str | None = None,
        between: tuple[str | int, str | int] | None = None,
        newest: int | None = None,
        consistent: bool = True,
    ) -> list[dict[str, Any]]:
        """Items of a partition in key order: all, those of a prefix or range, or the newest few."""
        condition, names = "#pk = :pk", {"#pk": self.partition_key}
        values: dict[str, Any] = {":pk": partition}
        if begins_with is not None:
            condition += " AND begins_with(#sk, :prefix)"
            names["#sk"] = str(self.sort_key)
            values[":prefix"] = begins_with
        if between is not None:
            condition += " AND #sk BETWEEN :low AND :high"
            names["#sk"] = str(self.sort_key)
            values |= {":low": between[0], ":high": between[1]}
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": encode(values),
            "ConsistentRead": consistent,
        }
        if newest is not None:
            request |= {"ScanIndexForward": False}
        items: list[dict[str, Any]] = []
        while True:
            if newest is not None:
                request["Limit"] = newest - len(items)
            # A page ends at 1 MB, wherever its Limit lies.
            page = reading(self.clients.repeating.query, **request)
            items += [decode(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page or len(items) == newest:
                return items
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def scan(self, only: str, names: Mapping[str, str], values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every item of a small table (consistent) that fits a filter expression; the others stay with DynamoDB."""
        items: list[dict[str, Any]] = []
        request: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "FilterExpression": only,
            "ExpressionAttributeNames": dict(names),
            "ExpressionAttributeValues": encode(values),
        }
        while True:
            page = reading(self.clients.repeating.scan, **request)
            items += [decode(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return items
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def encode(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as DynamoDB attribute values; None is left out, floats keep six decimals."""
    return {name: _tagged(value) for name, value in values.items() if value is not None}


def decode(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB attribute values as plain values: whole numbers as int, others as float."""
    return {name: _plain(value) for name, value in item.items()}


def _tagged(value: Any) -> dict[str, Any]:
    # bool before int: in Python it is one.
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, float):
        return {"N": f"{value:.6f}".rstrip("0").rstrip(".")}
    if isinstance(value, Mapping):
        return {"M": encode(value)}
    if isinstance(value, list | tuple):
        return {"L": [_tagged(inner) for inner in value]}
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _plain(tagged: Mapping[str, Any]) -> Any:
    ((kind, value),) = tagged.items()
    if kind == "N":
        return int(value) if value.lstrip("-").isdigit() else _number(value)
    if kind == "M":
        return decode(value)
    if kind == "L":
        return [_plain(inner) for inner in value]
    return None if kind == "NULL" else value


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def reading(call: Callable[..., Any], **request: Any) -> Any:
    """Make a call whose loss harms nothing; raises Throttled, or Overloaded when AWS cannot be reached or fails."""
    try:
        return call(**request)
    except (NoConnection, HTTPClientError) as error:
        raise Overloaded("A part of the service could not be reached.") from error
    except ClientError as error:
        if is_throttle(error):
            log_throttle(error)
            raise Throttled from error
        if _server_fault(error):
            raise Overloaded from error
        raise


def writing(call: Callable[..., Any], **request: Any) -> Answer:
    """Make a conditional write and name its outcome; raises Overloaded when nothing was applied for lack of capacity.

    Whatever it raises, nothing was applied and nothing will be, if `call` does not repeat itself: what may still
    arrive is UNSURE. A conflict with a transaction is a definite "not applied" and is tried again, at times that
    differ, so that those who met do not meet again.
    """
    for attempt in range(CONFLICT_TRIES):
        if attempt:
            spread = random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, nothing secret
            time.sleep(CONFLICT_PAUSE_SEC * 2 ** (attempt - 1) * spread)
        try:
            call(**request)
            return Answer.YES
        except SSLError:
            # It counts as no connection, but an encrypted one may also break after the request was sent.
            return Answer.UNSURE
        except NoConnection as error:
            # Nothing was sent.
            raise Overloaded from error
        except HTTPClientError:
            return Answer.UNSURE
        except ClientError as error:
            code = error.response["Error"]["Code"]
            reasons = cancelled_for(error)
            if code == "ConditionalCheckFailedException" or "ConditionalCheckFailed" in reasons:
                return Answer.NO
            if is_throttle(error):
                log_throttle(error)
                raise Throttled from error
            if code == "TransactionConflictException" or "TransactionConflict" in reasons:
                continue
            if code == "TransactionInProgressException" or _server_fault(error):
                return Answer.UNSURE
            raise
    raise Overloaded


def _server_fault(error: ClientError) -> bool:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
