"""Tables in memory: key schemas, stored records, ordered partitions."""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from tests.memory_dynamo.errors import InvalidError
from tests.memory_dynamo.numbers import number
from tests.memory_dynamo.values import AttributeValue, Item, byte_length, checked, kind_of

KeyPart = str | bytes | int | Decimal
Key = tuple[KeyPart, KeyPart | None]
_MAX_KEY_BYTES = {"partition": 2048, "sort": 1024}


class Record(NamedTuple):
    """A stored item with its size in bytes; replaced as a whole by every write."""

    item: Item
    size: int


class Attribute(NamedTuple):
    name: str
    kind: str
    role: str


def load_declarations(folder: Path) -> list[dict[str, Any]]:
    """The table declarations of schemas/tables/*.json, in order of file name."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


class Table:
    """One table: `{"name", "partition_key": {"name", "type"}, "sort_key": {...} (optional)}`.

    Records lie in partitions, each with its sort keys in order, so that a Query is a slice.
    """

    def __init__(self, name: str, declaration: dict[str, Any]) -> None:
        self.name = name
        self.partition_key = _attribute(declaration["partition_key"], "partition")
        self.sort_key = _attribute(declaration["sort_key"], "sort") if declaration.get("sort_key") else None
        self.keys = [self.partition_key, *([self.sort_key] if self.sort_key else [])]
        self.key_names = frozenset(key.name for key in self.keys)
        self.records: dict[Key, Record] = {}
        self._ordered: dict[KeyPart, list[Any]] = {}

    def key_of_item(self, item: Item) -> Key:
        """The key of an item to put. Raises InvalidError when a key is missing, of the wrong type or empty."""
        for key in self.keys:
            if key.name not in item:
                raise InvalidError(f"One or more parameter values were invalid: Missing the key {key.name} in the item")
        return self._key(item)

    def key_of(self, given: Any) -> tuple[Key, Item]:
        """The key named by a `Key` parameter, with its canonical attributes. Raises InvalidError."""
        if type(given) is not dict or given.keys() != self.key_names:
            raise InvalidError("The provided key element does not match the schema")
        attributes = {name: checked(value) for name, value in given.items()}
        return self._key(attributes), attributes

    def _key(self, attributes: Item) -> Key:
        partition = key_part(self.partition_key, attributes[self.partition_key.name])
        if self.sort_key is None:
            return partition, None
        return partition, key_part(self.sort_key, attributes[self.sort_key.name])

    def key_attributes(self, item: Item) -> Item:
        """Only the key attributes of an item."""
        return {key.name: item[key.name] for key in self.keys}

    def store(self, key: Key, record: Record) -> None:
        if key not in self.records:
            insort(self._ordered.setdefault(key[0], []), key[1] if self.sort_key else 0)
        self.records[key] = record

    def remove(self, key: Key) -> None:
        if self.records.pop(key, None) is None:
            return
        ordered = self._ordered[key[0]]
        del ordered[bisect_left(ordered, key[1] if self.sort_key else 0)]
        if not ordered:
            del self._ordered[key[0]]

    def partitions(self) -> Iterable[KeyPart]:
        return self._ordered

    def sort_values(self, partition: KeyPart) -> list[Any]:
        """The sort keys of a partition in ascending order (a single 0 in a table without a sort key)."""
        return self._ordered.get(partition, [])

    def record(self, partition: KeyPart, sort_value: Any) -> Record:
        return self.records[partition, sort_value if self.sort_key else None]


def _attribute(declared: dict[str, str], role: str) -> Attribute:
    return Attribute(declared["name"], declared["type"], role)


def key_part(key: Attribute, value: AttributeValue) -> KeyPart:
    """A comparable Python value of one key attribute. Raises InvalidError for a wrong type, an empty or long key."""
    kind = kind_of(value)
    if kind != key.kind:
        raise InvalidError(
            "One or more parameter values were invalid: "
            f"Type mismatch for key {key.name} expected: {key.kind} actual: {kind}"
        )
    if kind == "N":
        return number(value["N"])
    body: str | bytes = value[kind]
    if not body:
        raise InvalidError(
            "One or more parameter values are not valid. "
            f"The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {key.name}"
        )
    length = byte_length(body) if isinstance(body, str) else len(body)
    if length > _MAX_KEY_BYTES[key.role]:
        raise InvalidError(
            f"One or more parameter values were invalid: Size of the {key.role} key has exceeded its limit"
        )
    return body
