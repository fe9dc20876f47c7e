"""Turns update actions into one closure `change(old item, values) -> new item`.

Every operand is read from the item as it was before the update. Stored values are shared between old and new item
until an action goes inside one: then that top-level value is copied first.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.memory_dynamo import numbers
from tests.memory_dynamo.documents import remove_member, set_member
from tests.memory_dynamo.errors import InvalidError
from tests.memory_dynamo.evaluate import Check, Read, Values, read_path, typed
from tests.memory_dynamo.syntax import Call, Operand, Path, Sum, Value
from tests.memory_dynamo.updates import Action, Add, Assign, Delete, Remove
from tests.memory_dynamo.values import (
    MAX_ITEM_BYTES,
    AttributeValue,
    Item,
    byte_length,
    check_depth,
    copied,
    kind_of,
    size_of,
)

Change = Callable[[Item, Values], Item]
_Step = Callable[[Item, Item, Values], None]

_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_NOTHING_THERE = "The provided expression refers to an attribute that does not exist in the item"
_ADDABLE = ("N", "SS", "NS", "BS")
_SETS = ("SS", "NS", "BS")


def compile_update(actions: list[Action]) -> Change:
    """The closure of all actions. It raises InvalidError for what only the stored item can show to be wrong."""
    steps = [_step(action) for action in _in_order_of_effect(actions)]

    def change(old: Item, values: Values) -> Item:
        new = old.copy()
        for step in steps:
            step(old, new, values)
        return new

    return change


def _in_order_of_effect(actions: list[Action]) -> list[Action]:
    """Sets before removals; list elements set from low to high, removed from high to low: indexes are the old ones."""
    removals = [action for action in actions if isinstance(action, Remove)]
    others = [action for action in actions if not isinstance(action, Remove)]
    others.sort(key=_rank)
    return [*others, *sorted(removals, key=_rank, reverse=True)]


def _rank(action: Action) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in action.path.parts)


def _step(action: Action) -> _Step:
    if isinstance(action, Assign):
        return _assign(action)
    if isinstance(action, Remove):
        return _remove(action.path)
    return _combine(action)


def _assign(action: Assign) -> _Step:
    operand, parts = _read(action.operand), action.path.parts
    name = str(parts[0])
    if len(parts) == 1:

        def assign(old: Item, new: Item, values: Values) -> None:
            value = operand(old, values)
            assert value is not None
            check_depth(value)
            new[name] = value

        return assign

    def assign_inside(old: Item, new: Item, values: Values) -> None:
        value = operand(old, values)
        assert value is not None
        check_depth(value, len(parts) - 1)
        set_member(_owned(old, new, name), parts[1:], copied(value))

    return assign_inside


def _remove(path: Path) -> _Step:
    name = str(path.parts[0])

    def remove(old: Item, new: Item, _values: Values) -> None:
        if len(path.parts) == 1:
            new.pop(name, None)
        else:
            remove_member(_owned(old, new, name), path.parts[1:])

    return remove


def _owned(old: Item, new: Item, name: str) -> AttributeValue | None:
    """The top-level value of the new item, copied when it is still the stored one."""
    if name in new and new[name] is old.get(name):
        new[name] = copied(new[name])
    return new.get(name)


def _combine(action: Add | Delete) -> _Step:
    name, placeholder = str(action.path.parts[0]), action.value.name
    combine = _added if isinstance(action, Add) else _without

    def step(old: Item, new: Item, values: Values) -> None:
        result = combine(old.get(name), values[placeholder])
        if result is None:
            new.pop(name, None)
        else:
            new[name] = result

    return step


def _added(present: AttributeValue | None, value: AttributeValue) -> AttributeValue | None:
    if present is None:
        return value
    kind = kind_of(value)
    if kind_of(present) != kind:
        raise InvalidError(_WRONG_TYPE)
    if kind == "N":
        return {"N": numbers.add(present["N"], value["N"])}
    return {kind: sorted({*present[kind], *value[kind]})}


def _without(present: AttributeValue | None, value: AttributeValue) -> AttributeValue | None:
    if present is None:
        return None
    kind = kind_of(value)
    if kind_of(present) != kind:
        raise InvalidError(_WRONG_TYPE)
    left = [member for member in present[kind] if member not in value[kind]]
    return {kind: left} if left else None


def _read(operand: Operand) -> Read:
    """Reads an operand of SET; the closure raises InvalidError where the item has nothing there."""
    if isinstance(operand, Value):
        name = operand.name
        return lambda _item, values: values[name]
    if isinstance(operand, Path):
        return _required(read_path(operand))
    if isinstance(operand, Sum):
        return _sum(operand)
    first, second = operand.arguments
    if operand.name == "list_append":
        return _joined(_read(first), _read(second))
    assert isinstance(first, Path)
    present, otherwise = read_path(first), _read(second)

    def if_not_exists(item: Item, values: Values) -> AttributeValue | None:
        # What stands in its place is read in any case, and is refused where there is nothing.
        found, instead = present(item, values), otherwise(item, values)
        return instead if found is None else found

    return if_not_exists


def _required(read: Read) -> Read:
    def required(item: Item, values: Values) -> AttributeValue:
        value = read(item, values)
        if value is None:
            raise InvalidError(_NOTHING_THERE)
        return value

    return required


def _sum(operand: Sum) -> Read:
    left, right, sign = _read(operand.left), _read(operand.right), operand.sign

    def add(item: Item, values: Values) -> AttributeValue:
        a, b = left(item, values), right(item, values)
        if a is None or b is None or "N" not in a or "N" not in b:
            raise InvalidError(_WRONG_TYPE)
        return {"N": numbers.add(a["N"], b["N"], sign)}

    return add


def _joined(left: Read, right: Read) -> Read:
    def joined(item: Item, values: Values) -> AttributeValue:
        a, b = left(item, values), right(item, values)
        if a is None or b is None or "L" not in a or "L" not in b:
            raise InvalidError(_WRONG_TYPE)
        return {"L": [*a["L"], *b["L"]]}

    return joined


def update_checks(actions: list[Action]) -> list[Check]:
    """What AWS checks of the placeholders' values before it reads the item."""
    checks: list[Check] = [_size_check(actions)]
    for action in actions:
        if isinstance(action, Assign):
            checks += _operand_checks(action.operand)
        elif isinstance(action, Add):
            checks.append(typed("UpdateExpression", "ADD", action.value, _ADDABLE))
        elif isinstance(action, Delete):
            checks.append(typed("UpdateExpression", "DELETE", action.value, _SETS))
    return checks


def _size_check(actions: list[Action]) -> Check:
    """What an update writes may be no larger than an item, whatever the stored item leaves of it."""
    writes = [action for action in actions if isinstance(action, Assign | Add)]
    names_size = sum(byte_length(part) for action in writes for part in action.path.parts if isinstance(part, str))
    operands = [action.operand if isinstance(action, Assign) else action.value for action in writes]
    written = [value.name for operand in operands for value in _values_in(operand)]

    def check(values: Values) -> None:
        if names_size + sum(size_of(values[name]) for name in written) > MAX_ITEM_BYTES:
            raise InvalidError("Item size to update has exceeded the maximum allowed size")

    return check


def _values_in(operand: Operand) -> list[Value]:
    if isinstance(operand, Value):
        return [operand]
    if isinstance(operand, Sum):
        return [*_values_in(operand.left), *_values_in(operand.right)]
    return [value for one in operand.arguments for value in _values_in(one)] if isinstance(operand, Call) else []


def _operand_checks(operand: Operand) -> list[Check]:
    if isinstance(operand, Sum):
        symbol = "+" if operand.sign > 0 else "-"
        return _argument_checks(symbol, (operand.left, operand.right), ("N",))
    if isinstance(operand, Call) and operand.name == "list_append":
        return _argument_checks("list_append", operand.arguments, ("L",))
    if isinstance(operand, Call):
        return _operand_checks(operand.arguments[1])
    return []


def _argument_checks(name: str, operands: tuple[Operand, ...], allowed: tuple[str, ...]) -> list[Check]:
    checks = [typed("UpdateExpression", name, one, allowed) for one in operands if isinstance(one, Value)]
    return checks + [check for one in operands for check in _operand_checks(one)]
