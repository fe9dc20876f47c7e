"""Single-item writes, worked out without being stored: the same steps serve PutItem, Update and transactions."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.memory_dynamo.binding import Bound, bind
from tests.memory_dynamo.documents import pruned
from tests.memory_dynamo.errors import ConditionFailedError, InvalidError
from tests.memory_dynamo.evaluate import Values
from tests.memory_dynamo.tables import Key, Record, Table
from tests.memory_dynamo.values import (
    MAX_ITEM_BYTES,
    Item,
    byte_length,
    checked_item,
    copied_item,
    item_size,
    size_of,
)


class Planned(NamedTuple):
    """A write that was checked as far as the request alone allows."""

    action: str
    table: Table
    key: Key
    attributes: Item
    bound: Bound
    values: Values
    show_old: bool


class Outcome(NamedTuple):
    """What a write would leave behind; `after` is None for a deletion, `before` for a new item."""

    before: Record | None
    after: Record | None

    @property
    def size(self) -> int:
        """The size AWS bills: the larger of before and after."""
        return max(self.before.size if self.before else 0, self.after.size if self.after else 0)


def plan(action: str, table: Table, request: dict[str, Any]) -> Planned:
    """Checks a Put, Update, Delete or ConditionCheck before the stored item is read. Raises InvalidError."""
    if action == "Put":
        attributes = checked_item(request["Item"])
        key = table.key_of_item(attributes)
        _check_size(item_size(attributes))
    else:
        key, attributes = table.key_of(request["Key"])
    bound, values = bind(request)
    for parts in bound.changed:
        if parts[0] in table.key_names:
            raise InvalidError(
                f"One or more parameter values were invalid: Cannot update attribute {parts[0]}. "
                "This attribute is part of the key"
            )
    show_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return Planned(action, table, key, attributes, bound, values, show_old)


def _check_size(size: int) -> None:
    if size > MAX_ITEM_BYTES:
        raise InvalidError("Item size has exceeded the maximum allowed size")


def carry_out(planned: Planned) -> Outcome:
    """The outcome against the table as it is now. Raises ConditionFailedError or InvalidError; stores nothing."""
    before = planned.table.records.get(planned.key)
    old_item = before.item if before else {}
    condition = planned.bound.condition
    if condition is not None and not condition(old_item, planned.values):
        raise ConditionFailedError(copied_item(before.item) if before and planned.show_old else None)
    if planned.action == "ConditionCheck":
        return Outcome(before, before)
    if planned.action == "Delete":
        return Outcome(before, None)
    after = _put(planned) if planned.action == "Put" else _updated(planned, before)
    _check_size(after.size)
    return Outcome(before, after)


def _put(planned: Planned) -> Record:
    return Record(planned.attributes, item_size(planned.attributes))


def _updated(planned: Planned, before: Record | None) -> Record:
    old = before or Record(planned.attributes, item_size(planned.attributes))
    if planned.bound.change is None:
        return old
    new = planned.bound.change(old.item, planned.values)
    size = old.size
    for name in {str(parts[0]) for parts in planned.bound.changed}:
        size += _attribute_size(new, name) - _attribute_size(old.item, name)
    return Record(new, size)


def _attribute_size(item: Item, name: str) -> int:
    return byte_length(name) + size_of(item[name]) if name in item else 0


def store(planned: Planned, outcome: Outcome) -> None:
    """Makes the outcome the table's state."""
    if planned.action == "ConditionCheck":
        return
    if outcome.after is None:
        planned.table.remove(planned.key)
    else:
        planned.table.store(planned.key, outcome.after)


def returned(wanted: str, planned: Planned, outcome: Outcome) -> Item | None:
    """The Attributes of the answer, or None when it has none."""
    side = outcome.before if wanted.endswith("_OLD") else outcome.after
    if wanted == "NONE" or side is None:
        return None
    if wanted.startswith("ALL_"):
        return copied_item(side.item)
    return copied_item(pruned(side.item, planned.bound.changed)) or None
