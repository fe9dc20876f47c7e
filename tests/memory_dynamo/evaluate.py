"""Turns condition trees into closures `test(item, values) -> bool`, and lists the checks their values must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.memory_dynamo.conditions import Between, Compare, Condition, Either, Every, In, Not
from tests.memory_dynamo.errors import InvalidError
from tests.memory_dynamo.syntax import Call, Operand, Path, Value
from tests.memory_dynamo.values import KINDS, AttributeValue, Item, in_order, kind_of, length_of

Values = dict[str, AttributeValue]
Read = Callable[[Item, Values], AttributeValue | None]
Truth = Callable[[Item, Values], bool]
Check = Callable[[Values], None]

_ORDERED_KINDS = ("S", "N", "B")
_SIZED_KINDS = ("S", "B", "SS", "NS", "BS", "L", "M")


def read_path(path: Path) -> Read:
    """Reads a document path; None where the item has nothing there."""
    root, *rest = path.parts
    if not rest:
        return lambda item, _values: item.get(root)  # type: ignore[arg-type]

    def read(item: Item, _values: Values) -> AttributeValue | None:
        value = item.get(root)  # type: ignore[arg-type]
        for part in rest:
            if value is None:
                return None
            value = member_of(value, part)
        return value

    return read


def member_of(value: AttributeValue, part: str | int) -> AttributeValue | None:
    """The member of a map or list, or None."""
    if isinstance(part, str):
        return value["M"].get(part) if "M" in value else None
    members = value.get("L", ())
    return members[part] if part < len(members) else None


def read_operand(operand: Operand) -> Read:
    """Reads a path, a placeholder or `size(...)`."""
    if isinstance(operand, Path):
        return read_path(operand)
    if isinstance(operand, Value):
        name = operand.name
        return lambda _item, values: values[name]
    assert isinstance(operand, Call)
    inner = read_operand(operand.arguments[0])

    def size(item: Item, values: Values) -> AttributeValue | None:
        value = inner(item, values)
        length = None if value is None else length_of(value)
        return None if length is None else {"N": str(length)}

    return size


def compile_condition(condition: Condition) -> Truth:
    """The closure of a whole tree."""
    if isinstance(condition, Every):
        every = [compile_condition(term) for term in condition.terms]
        return lambda item, values: all(term(item, values) for term in every)
    if isinstance(condition, Either):
        either = [compile_condition(term) for term in condition.terms]
        return lambda item, values: any(term(item, values) for term in either)
    if isinstance(condition, Not):
        inner = compile_condition(condition.inner)
        return lambda item, values: not inner(item, values)
    if isinstance(condition, Compare):
        return _compare(condition)
    if isinstance(condition, Between):
        return _between(condition)
    if isinstance(condition, In):
        operand, listed = read_operand(condition.operand), [read_operand(one) for one in condition.listed]
        return lambda item, values: _is_one_of(operand(item, values), (one(item, values) for one in listed))
    return _test(condition.call)


def _compare(condition: Compare) -> Truth:
    left, right, symbol = read_operand(condition.left), read_operand(condition.right), condition.symbol
    if symbol == "<>":
        # As AWS: what is missing differs from everything, so only this comparison is true without it.
        return lambda item, values: left(item, values) != right(item, values) or left(item, values) is None

    if symbol == "=":
        return lambda item, values: left(item, values) == right(item, values) and left(item, values) is not None

    def ordered(item: Item, values: Values) -> bool:
        a, b = left(item, values), right(item, values)
        return a is not None and b is not None and in_order(symbol, a, b)

    return ordered


def _between(condition: Between) -> Truth:
    operand, low, high = map(read_operand, (condition.operand, condition.low, condition.high))

    def between(item: Item, values: Values) -> bool:
        value, least, most = operand(item, values), low(item, values), high(item, values)
        if value is None or least is None or most is None:
            return False
        return in_order(">=", value, least) and in_order("<=", value, most)

    return between


def _is_one_of(value: AttributeValue | None, listed: Iterator[AttributeValue | None]) -> bool:
    return value is not None and any(value == one for one in listed)


def _test(call: Call) -> Truth:
    first = read_operand(call.arguments[0])
    if call.name == "attribute_exists":
        return lambda item, values: first(item, values) is not None
    if call.name == "attribute_not_exists":
        return lambda item, values: first(item, values) is None
    second = read_operand(call.arguments[1])
    relation = {"attribute_type": _has_type, "begins_with": _begins_with, "contains": _contains}[call.name]

    def test(item: Item, values: Values) -> bool:
        a, b = first(item, values), second(item, values)
        return a is not None and b is not None and relation(a, b)

    return test


def _has_type(value: AttributeValue, wanted: AttributeValue) -> bool:
    return bool(kind_of(value) == wanted["S"])


def _begins_with(value: AttributeValue, prefix: AttributeValue) -> bool:
    kind = kind_of(value)
    return kind == kind_of(prefix) and kind in ("S", "B") and value[kind].startswith(prefix[kind])


def _contains(value: AttributeValue, member: AttributeValue) -> bool:
    kind, member_kind = kind_of(value), kind_of(member)
    if kind == "L":
        return member in value["L"]
    if kind in ("SS", "NS", "BS"):
        return member_kind == kind[0] and member[member_kind] in value[kind]
    return kind == member_kind and kind in ("S", "B") and member[kind] in value[kind]


def value_checks(kind: str, condition: Condition) -> list[Check]:
    """What AWS checks of the placeholders' values before it reads the item; each check may raise InvalidError."""
    if isinstance(condition, Every | Either):
        return [check for term in condition.terms for check in value_checks(kind, term)]
    if isinstance(condition, Not):
        return value_checks(kind, condition.inner)
    if isinstance(condition, Compare):
        sides = (condition.left, condition.right)
        ordered = () if condition.symbol in ("=", "<>") else sides
        checks = [typed(kind, condition.symbol, side, _ORDERED_KINDS) for side in ordered if isinstance(side, Value)]
        return [*_size_checks(kind, sides), *checks]
    if isinstance(condition, Between):
        return [
            *_size_checks(kind, (condition.operand, condition.low, condition.high)),
            *_between_checks(kind, condition),
        ]
    if isinstance(condition, In):
        return _size_checks(kind, (condition.operand, *condition.listed))
    return [*_size_checks(kind, condition.call.arguments), *_test_checks(kind, condition.call)]


def _size_checks(kind: str, operands: tuple[Operand, ...]) -> list[Check]:
    """Each `size(:value)` needs a value that has one."""
    measured = [operand.arguments[0] for operand in operands if isinstance(operand, Call)]
    return [typed(kind, "size", one, _SIZED_KINDS) for one in measured if isinstance(one, Value)]


def typed(kind: str, name: str, value: Value, allowed: tuple[str, ...]) -> Check:
    """A check that a placeholder's value has one of the allowed types."""

    placeholder, kinds = value.name, frozenset(allowed)

    def check(values: Values) -> None:
        if not values[placeholder].keys() <= kinds:
            raise InvalidError(
                f"Invalid {kind}: Incorrect operand type for operator or function; "
                f"operator or function: {name}, operand type: {kind_of(values[placeholder])}"
            )

    return check


def _between_checks(kind: str, condition: Between) -> list[Check]:
    sides = (condition.operand, condition.low, condition.high)
    checks = [typed(kind, "BETWEEN", side, _ORDERED_KINDS) for side in sides if isinstance(side, Value)]
    low, high = condition.low, condition.high
    if not (isinstance(low, Value) and isinstance(high, Value)):
        return checks

    def check_bounds(values: Values) -> None:
        least, most = values[low.name], values[high.name]
        if kind_of(least) != kind_of(most):
            raise InvalidError(f"Invalid {kind}: The BETWEEN operator requires same data type for both bounds")
        if in_order(">", least, most):
            raise InvalidError(f"Invalid {kind}: The BETWEEN operator requires upper bound >= lower bound")

    return [*checks, check_bounds]


def _test_checks(kind: str, call: Call) -> list[Check]:
    if call.name not in ("begins_with", "attribute_type"):
        return []
    second = call.arguments[1]
    if call.name == "begins_with":
        return [typed(kind, call.name, one, ("S", "B")) for one in call.arguments if isinstance(one, Value)]
    if not isinstance(second, Value):
        raise InvalidError(f"Invalid {kind}: attribute_type requires a value as its second operand")

    def check_type_name(values: Values) -> None:
        if values[second.name]["S"] not in KINDS:
            raise InvalidError(f"Invalid {kind}: Invalid attribute type name found; type: {values[second.name]['S']}")

    return [typed(kind, call.name, second, ("S",)), check_type_name]
