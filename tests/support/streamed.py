"""Stream records of a table in memory: what DynamoDB would have told of every write, in order."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

from tests.memory_dynamo import MemoryDynamo

_WRITES = ("put_item", "update_item", "delete_item", "transact_write_items")


class Streamed:
    """A client that notes the changes of one table; everything else it passes on.

    `records` are as Lambda gets them. `now_ms` says when they are noted: like AWS, to the second.
    """

    def __init__(self, store: MemoryDynamo, table: str, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._table = table
        self._now_ms = now_ms
        self.records: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._store, name)
        if name not in _WRITES:
            return act

        def write(**request: Any) -> Any:
            key = self._key(request)
            before = None if key is None else self._read(key)
            answer = act(**request)
            if key is not None:
                self._note(key, before, self._read(key))
            return answer

        return write

    def _key(self, request: dict[str, Any]) -> dict[str, Any] | None:
        parts = [part for item in request.get("TransactItems", ()) for part in item.values()] or [request]
        for part in parts:
            if part["TableName"] == self._table:
                return part.get("Key") or {"place": part["Item"]["place"]}
        return None

    def _read(self, key: dict[str, Any]) -> dict[str, Any] | None:
        found = self._store.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return copy.deepcopy(found.get("Item"))

    def _note(self, key: dict[str, Any], before: Any, after: Any) -> None:
        if before == after:
            return
        number = len(self.records) + 1
        images = {name: image for name, image in (("OldImage", before), ("NewImage", after)) if image is not None}
        self.records.append(
            {
                "eventID": hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest(),
                "eventName": "REMOVE" if after is None else "INSERT" if before is None else "MODIFY",
                "dynamodb": {
                    "Keys": key,
                    "SequenceNumber": str(100_000_000_000_000_000_000 + number),
                    "ApproximateCreationDateTime": self._now_ms() // 1000,
                    **images,
                },
            }
        )
