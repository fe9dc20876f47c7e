"""Random, mostly valid DynamoDB calls for differential tests, and answers in a form two engines can be compared by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import strategies as st

from tests.memory_dynamo.numbers import canonical_number

TABLE: dict[str, Any] = {
    "name": "things",
    "partition_key": {"name": "pk", "type": "S"},
    "sort_key": {"name": "sk", "type": "N"},
    "ttl_attribute": "expires_at_sec",
    "stream": None,
}
_NOT_COMPARED = ("ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics")
Call = tuple[str, dict[str, Any]]

_NUMBERS = st.sampled_from(["0", "1", "2", "5", "-3", "0.5", "10"]).map(lambda text: {"N": text})
_TEXTS = st.sampled_from(["", "a", "ab", "b"]).map(lambda text: {"S": text})
_TEXT_SETS = st.sets(st.sampled_from(["a", "b", "c"]), min_size=1).map(lambda members: {"SS": sorted(members)})
_LISTS = st.lists(_NUMBERS | _TEXTS, max_size=3).map(lambda members: {"L": members})
_MAPS = st.dictionaries(st.sampled_from(["x", "y"]), _NUMBERS | _TEXTS, max_size=2).map(lambda members: {"M": members})
_LENGTHS = st.sampled_from(["1", "2"]).map(lambda text: {"N": text})
_FLAGS = st.booleans().map(lambda flag: {"BOOL": flag})
_OF_ATTRIBUTE = {
    "n1": _NUMBERS,
    "n2": _NUMBERS,
    "s1": _TEXTS,
    "t1": _TEXT_SETS,
    "l1": _LISTS,
    "m1": _MAPS,
    "f1": _FLAGS,
}

KEYS = st.builds(lambda pk, sk: {"pk": {"S": pk}, "sk": {"N": str(sk)}}, st.sampled_from(["a", "b"]), st.integers(1, 4))
ITEMS = st.builds(lambda key, rest: {**key, **rest}, KEYS, st.fixed_dictionaries({}, optional=_OF_ATTRIBUTE))


class _Values:
    """Hands out placeholders for the values of one request."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.given: dict[str, Any] = {}

    def __call__(self, strategy: st.SearchStrategy[Any]) -> str:
        name = f":v{len(self.given)}"
        self.given[name] = self.draw(strategy)
        return name


def _simple_condition(values: _Values) -> str:
    draw = values.draw
    attribute = draw(st.sampled_from(sorted(_OF_ATTRIBUTE)))
    shape = draw(st.sampled_from(["exists", "absent", "equal", "order", "between", "in", "begins", "contains", "size"]))
    if shape == "exists":
        return f"attribute_exists({attribute})"
    if shape == "absent":
        return f"attribute_not_exists({attribute})"
    if shape == "equal":
        return f"{attribute} {draw(st.sampled_from(['=', '<>']))} {values(_OF_ATTRIBUTE[attribute])}"
    if shape == "order":
        return f"{draw(st.sampled_from(['n1', 'n2', 'm1.x']))} {_symbol(draw)} {values(_NUMBERS)}"
    if shape == "between":
        low, high = sorted([draw(st.integers(0, 6)), draw(st.integers(0, 6))])
        return f"n1 BETWEEN {values(st.just({'N': str(low)}))} AND {values(st.just({'N': str(high)}))}"
    if shape == "in":
        return f"s1 IN ({values(_TEXTS)}, {values(_TEXTS)})"
    if shape == "begins":
        return f"begins_with(s1, {values(st.sampled_from([{'S': 'a'}, {'S': 'ab'}]))})"
    if shape == "contains":
        return f"contains(t1, {values(st.sampled_from([{'S': 'a'}, {'S': 'b'}]))})"
    # moto fails on the size of what is not there, so these calls ask for it only where there is something.
    sized = draw(st.sampled_from(["s1", "l1"]))
    return f"attribute_exists({sized}) AND size({sized}) {_symbol(draw)} {values(_LENGTHS)}"


def _symbol(draw: Callable[..., Any]) -> str:
    return str(draw(st.sampled_from(["<", "<=", ">", ">=", "="])))


def _condition(values: _Values, depth: int = 0) -> str:
    draw = values.draw
    shape = draw(st.sampled_from(["one", "one", "and", "or", "not"])) if depth < 2 else "one"
    if shape == "one":
        return _simple_condition(values)
    if shape == "not":
        return f"NOT ({_simple_condition(values)})"
    return f" {shape.upper()} ".join(_grouped(_condition(values, depth + 1)) for _ in range(2))


def _grouped(condition: str) -> str:
    return f"({condition})" if " AND " in condition or " OR " in condition else condition


def _update(values: _Values) -> str:
    draw = values.draw
    sets = [
        lambda: f"n1 = n1 + {values(_NUMBERS)}",
        lambda: f"n1 = if_not_exists(n1, {values(_NUMBERS)}) - {values(_NUMBERS)}",
        lambda: f"s1 = {values(_TEXTS)}",
        lambda: f"l1 = list_append(if_not_exists(l1, {values(_LISTS)}), {values(_LISTS)})",
        lambda: f"m1.x = {values(_NUMBERS)}",
        lambda: "n1 = n2",
    ]
    others = [
        lambda: f"ADD n2 {values(_NUMBERS)}",
        lambda: f"ADD t1 {values(_TEXT_SETS)}",
        lambda: f"DELETE t1 {values(_TEXT_SETS)}",
        lambda: "REMOVE f1",
        lambda: "REMOVE l1[0]",
    ]
    clauses = []
    if draw(st.booleans()):
        clauses.append("SET " + draw(st.sampled_from(sets))())
    if not clauses or draw(st.booleans()):
        clauses.append(draw(st.sampled_from(others))())
    return _without_overlap(clauses)


def _without_overlap(clauses: list[str]) -> str:
    if len(clauses) == 2 and "l1" in clauses[0] and "l1" in clauses[1]:
        del clauses[1]
    return " ".join(clauses)


@st.composite
def conditional(draw: Callable[..., Any], base: dict[str, Any], update: bool = False) -> dict[str, Any]:
    """`base` with an UpdateExpression if asked, and often a ConditionExpression, and the values of both."""
    values, request = _Values(draw), dict(base)
    if update:
        request["UpdateExpression"] = _update(values)
    if draw(st.integers(0, 2)):
        request["ConditionExpression"] = _condition(values)
        if draw(st.booleans()):
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if values.given:
        request["ExpressionAttributeValues"] = values.given
    return request


def _named(table: str, **parts: Any) -> dict[str, Any]:
    return {"TableName": table, **parts}


@st.composite
def single_call(draw: Callable[..., Any], table: str) -> Call:
    """One call on one item, or a read of several."""
    method = draw(st.sampled_from(["put_item", "update_item", "update_item", "delete_item", "get_item", "query"]))
    if method == "put_item":
        request = draw(conditional(_named(table, Item=draw(ITEMS))))
        return method, {**request, "ReturnValues": draw(st.sampled_from(["NONE", "ALL_OLD"]))}
    if method == "delete_item":
        request = draw(conditional(_named(table, Key=draw(KEYS))))
        return method, {**request, "ReturnValues": draw(st.sampled_from(["NONE", "ALL_OLD"]))}
    if method == "update_item":
        request = draw(conditional(_named(table, Key=draw(KEYS)), update=True))
        return method, {**request, "ReturnValues": draw(st.sampled_from(["NONE", "ALL_OLD", "ALL_NEW"]))}
    if method == "get_item":
        return method, _named(table, Key=draw(KEYS), ConsistentRead=True)
    return method, draw(_query(table))


@st.composite
def _query(draw: Callable[..., Any], table: str) -> dict[str, Any]:
    values = _Values(draw)
    expression = f"pk = {values(st.sampled_from([{'S': 'a'}, {'S': 'b'}]))}"
    if draw(st.booleans()):
        expression += f" AND sk {_symbol(draw)} {values(st.sampled_from([{'N': '2'}, {'N': '3'}]))}"
    request = _named(
        table, KeyConditionExpression=expression, ScanIndexForward=draw(st.booleans()), ConsistentRead=True
    )
    if draw(st.booleans()):
        request["FilterExpression"] = _condition(values)
    if draw(st.booleans()):
        request["Limit"] = draw(st.integers(1, 3))
    return {**request, "ExpressionAttributeValues": values.given}


@st.composite
def transaction(draw: Callable[..., Any], table: str) -> Call:
    """Two or three actions on different items."""
    keys = draw(st.lists(KEYS, min_size=2, max_size=3, unique_by=repr))
    return "transact_write_items", {"TransactItems": [draw(_action(table, key)) for key in keys]}


@st.composite
def _action(draw: Callable[..., Any], table: str, key: dict[str, Any]) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Put", "Update", "Delete", "ConditionCheck"]))
    if kind == "Put":
        return {"Put": draw(conditional(_named(table, Item={**draw(ITEMS), **key})))}
    if kind == "ConditionCheck":
        values = _Values(draw)
        request = _named(table, Key=key, ConditionExpression=_condition(values))
        return {kind: {**request, "ExpressionAttributeValues": values.given} if values.given else request}
    return {kind: draw(conditional(_named(table, Key=key), update=kind == "Update"))}


def outcome(client: Any, call: Call, ignored: tuple[str, ...] = ()) -> Any:
    """What the call answered, or its error code with the modelled extras; comparable between engines.

    An update that only its stored item shows to be wrong cancels an AWS transaction with the reason ValidationError
    (API reference of TransactWriteItems); the local engines answer ValidationException. Both count as the latter.
    """
    method, request = call
    try:
        answer = getattr(client, method)(**request)
    except ClientError as error:
        reasons = [
            (reason["Code"], comparable(reason.get("Item"))) for reason in error.response.get("CancellationReasons", [])
        ]
        if any(code == "ValidationError" for code, _ in reasons):
            return "ValidationException", [], None
        return error.response["Error"]["Code"], reasons, comparable(error.response.get("Item"))
    return comparable({name: part for name, part in answer.items() if name not in (*_NOT_COMPARED, *ignored)})


def comparable(value: Any) -> Any:
    """The same value with sets sorted and numbers as plain text."""
    if isinstance(value, list):
        return [comparable(member) for member in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, body),) = value.items()
        if kind in ("SS", "NS", "BS"):
            return {kind: sorted(body)}
        if kind == "N":
            return {kind: canonical_number(body)}
    return {name: comparable(member) for name, member in value.items()}
