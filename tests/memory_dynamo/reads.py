"""Query and Scan: key conditions, pages, filters, projections."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from hashlib import md5
from typing import Any, NamedTuple

from tests.memory_dynamo.binding import Bound, bind
from tests.memory_dynamo.documents import pruned
from tests.memory_dynamo.errors import InvalidError, malformed
from tests.memory_dynamo.evaluate import Values
from tests.memory_dynamo.key_conditions import KeyRange, key_range
from tests.memory_dynamo.tables import Key, Record, Table
from tests.memory_dynamo.values import Item, copied_item

MAX_PAGE_BYTES = 1024 * 1024
_SELECTS = ("ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT")


class Page(NamedTuple):
    """An answer and the bytes read for it, matching or not."""

    answer: dict[str, Any]
    read_bytes: int


def projected(bound: Bound, item: Item) -> Item:
    """A copy of the item for the caller, cut down by the ProjectionExpression if there is one."""
    return copied_item(pruned(item, bound.projection) if bound.projection else item)


def query(table: Table, request: dict[str, Any]) -> Page:
    """One page of a Query. Raises InvalidError."""
    bound, values = bind(request)
    assert bound.key_condition is not None
    wanted = key_range(table, bound.key_condition, values)
    if table.key_names & bound.condition_paths:
        raise InvalidError("Filter Expression can only contain non-primary key attributes")
    start, forward = _start_key(table, request), request.get("ScanIndexForward", True)
    end = wanted.end(forward)
    # Nothing can be left behind the end of a range: no page tells of more there, and none begins there.
    inside = start is None or (start[0] == wanted.partition and wanted.covers(start[1]) and start[1] != end)
    if not inside:
        raise InvalidError("The provided starting key does not match the range key predicate")
    page = _page(table, _in_partition(table, wanted, start, forward), bound, values, request)
    last = page.answer.get("LastEvaluatedKey")
    if last is not None and end is not None and table.key_of(last)[0][1] == end:
        del page.answer["LastEvaluatedKey"]
    return page


def scan(table: Table, request: dict[str, Any]) -> Page:
    """One page of a Scan, partitions in the order of a hash: no caller may depend on their order."""
    bound, values = bind(request)
    start = _start_key(table, request)
    return _page(table, _everywhere(table, start), bound, values, request)


def _start_key(table: Table, request: dict[str, Any]) -> Key | None:
    given = request.get("ExclusiveStartKey")
    return None if given is None else table.key_of(given)[0]


def _in_partition(table: Table, wanted: KeyRange, start: Key | None, forward: bool) -> Iterator[Record]:
    keys = [key for key in table.sort_values(wanted.partition)[wanted.slice_of(table)] if wanted.covers(key)]
    if start is not None and table.sort_key:
        keys = keys[bisect_right(keys, start[1]) :] if forward else keys[: bisect_left(keys, start[1])]
    elif start is not None:
        keys = []
    for key in keys if forward else reversed(keys):
        yield table.record(wanted.partition, key)


def _everywhere(table: Table, start: Key | None) -> Iterator[Record]:
    ordered = sorted(table.partitions(), key=_scattered)
    first = 0 if start is None else bisect_left(ordered, _scattered(start[0]), key=_scattered)
    for partition in ordered[first:]:
        keys = table.sort_values(partition)
        if start is not None and partition == start[0]:
            keys = keys[bisect_right(keys, start[1] if table.sort_key else 0) :]
        for key in keys:
            yield table.record(partition, key)


def _scattered(partition: Any) -> bytes:
    return md5(repr(partition).encode(), usedforsecurity=False).digest()


def _page(table: Table, records: Iterator[Record], bound: Bound, values: Values, request: dict[str, Any]) -> Page:
    limit, select = _limit(request), _select(bound, request)
    items: list[Item] = []
    matches = scanned = read_bytes = 0
    last: Item | None = None
    for record in records:
        scanned += 1
        read_bytes += record.size
        if bound.condition is None or bound.condition(record.item, values):
            matches += 1
            if select != "COUNT":
                items.append(projected(bound, record.item))
        if scanned == limit or read_bytes >= MAX_PAGE_BYTES:
            last = copied_item(table.key_attributes(record.item))
            break
    answer: dict[str, Any] = {"Count": matches, "ScannedCount": scanned}
    if select != "COUNT":
        answer["Items"] = items
    if last is not None:
        answer["LastEvaluatedKey"] = last
    return Page(answer, read_bytes)


def _limit(request: dict[str, Any]) -> int | None:
    limit = request.get("Limit")
    if limit is None or (type(limit) is int and limit >= 1):
        return limit
    raise malformed(f"Invalid value for parameter Limit: {limit!r}, an integer of at least 1 is needed")


def _select(bound: Bound, request: dict[str, Any]) -> str:
    select: str = request.get("Select") or ("SPECIFIC_ATTRIBUTES" if bound.projection else "ALL_ATTRIBUTES")
    if select not in _SELECTS:
        raise InvalidError(f"Select can only be one of {_SELECTS}")
    if bound.projection and select != "SPECIFIC_ATTRIBUTES":
        raise InvalidError(f"Cannot specify the ProjectionExpression when choosing to get {select}")
    if select == "SPECIFIC_ATTRIBUTES" and not bound.projection:
        raise InvalidError("Must specify the ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
    return select
