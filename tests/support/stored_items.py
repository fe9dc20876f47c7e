"""What is stored in the tables, beside what schemas/tables says of it."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from tests.memory_dynamo import MemoryDynamo
from waiting_room import schemas

TABLES = ("counters", "joins", "protected_zones", "queue", "user_connections")
_KIND = {
    "counters": r"(\w+)#",
    "joins": r"(\w+)#",
    "protected_zones": r".* / (\w+)",
    "queue": r"()",
    "user_connections": r".*(ws|alerts|prequeue)",
}
"""What tells the kinds of a table's items apart, in a key as in its description."""
ZONE = ("protected_zones", "config")
"""The item that schemas/zone.json describes."""

Attribute = tuple[str, str, str]
"""Table, kind of item, and name."""


class StoredItems:
    """The attributes that were ever stored, by table and kind of item."""

    def __init__(self) -> None:
        self._names: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def note(self, dynamo: MemoryDynamo) -> None:
        """Look at all that is stored now."""
        for table in dynamo.tables.values():
            for record in table.records.values():
                key = " / ".join(str(next(iter(record.item[part.name].values()))) for part in table.keys)
                self._names[table.name, _kind(table.name, key)] |= record.item.keys() - table.key_names

    def undescribed(self) -> set[Attribute]:
        """Attributes that were stored and are not described; of kinds that are not described, all."""
        expiries = {schemas.table(name)["ttl_attribute"] for name in TABLES}
        stored = {(*kind, name) for kind, names in self._names.items() if kind != ZONE for name in names - expiries}
        return {one for one in stored if not any(re.fullmatch(each, one[2]) for each in _described()[one[:2]])}

    def missing(self) -> set[Attribute]:
        """Attributes that are described and were never stored."""
        return {
            (*kind, pattern)
            for kind, patterns in _described().items()
            for pattern in patterns
            if not any(re.fullmatch(pattern, name) for name in self._names[kind])
        }


def _kind(table: str, key: str) -> str:
    found = re.match(_KIND[table], key)
    assert found, f"{table} has no such items: {key}"
    return found[1]


def _described() -> defaultdict[tuple[str, str], set[str]]:
    """Patterns of the attributes of each kind."""
    described: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for name in TABLES:
        declaration: dict[str, Any] = schemas.table(name)
        for kind in declaration["item_kinds"]:
            names = re.split(r", (?![^{]*\})", ", ".join(kind["attributes"]))
            described[name, _kind(name, kind["key"])] |= set(map(_pattern, names))
    return described


def _pattern(name: str) -> str:
    return "".join(part if index % 2 == 0 else ".+" for index, part in enumerate(re.split(r"(\{[^}]*\})", name)))
