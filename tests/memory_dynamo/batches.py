"""BatchGetItem and BatchWriteItem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.memory_dynamo.binding import bind
from tests.memory_dynamo.errors import InvalidError, malformed
from tests.memory_dynamo.reads import projected
from tests.memory_dynamo.requests import check_parameters
from tests.memory_dynamo.tables import Key, Table
from tests.memory_dynamo.units import read_units, write_units
from tests.memory_dynamo.writes import Planned, carry_out, plan, store

if TYPE_CHECKING:
    from tests.memory_dynamo.client import MemoryDynamo

MAX_KEYS = 100
MAX_READ_BYTES = 16 * 1024 * 1024
"""What one batch read answers at the most (API reference of BatchGetItem): the rest comes back unprocessed."""
MAX_WRITES = 25
_DUPLICATES = "Provided list of item keys contains duplicates"


def batch_get(client: MemoryDynamo, request: dict[str, Any]) -> dict[str, Any]:
    """Items of several keys, in no promised order (here reversed, so that no caller counts on one)."""
    asked = _request_items(request)
    for wanted in asked.values():
        check_parameters("BatchGetItem.Keys", wanted)
        if not wanted["Keys"]:
            raise malformed("Invalid length for parameter Keys, value: 0, valid min length: 1")
    if sum(len(wanted["Keys"]) for wanted in asked.values()) > MAX_KEYS:
        raise InvalidError("Too many items requested for the BatchGetItem call")
    left = MAX_KEYS if client.batch_limit is None else client.batch_limit
    free = MAX_READ_BYTES
    responses: dict[str, list[Any]] = {}
    unprocessed: dict[str, Any] = {}
    for name, wanted in asked.items():
        table = client.table(name, "BatchGetItem")
        keys = [table.key_of(given)[0] for given in wanted["Keys"]]
        if len(set(keys)) != len(keys):
            raise InvalidError(_DUPLICATES)
        sizes = [table.records[key].size if key in table.records else 0 for key in keys[:left]]
        served = sum(sum(sizes[: index + 1]) <= free for index in range(len(sizes)))
        free -= sum(sizes[:served])
        responses[name] = _found(client, table, wanted, keys[:served])
        if len(keys) > served:
            unprocessed[name] = {**wanted, "Keys": wanted["Keys"][served:]}
        left = max(0, left - len(keys))
    return {"Responses": responses, "UnprocessedKeys": unprocessed}


def _request_items(request: dict[str, Any]) -> dict[str, Any]:
    asked = request["RequestItems"]
    if type(asked) is not dict:
        raise malformed(f"Invalid type for parameter RequestItems: {asked!r}, valid types: dict")
    if not asked:
        raise InvalidError("The batch has no requests")
    return asked


def _found(client: MemoryDynamo, table: Table, wanted: dict[str, Any], keys: list[Key]) -> list[Any]:
    bound, _ = bind(wanted)
    records = [table.records.get(key) for key in keys]
    for record in records:
        consumed = read_units(record.size if record else 0, bool(wanted.get("ConsistentRead")))
        client.units.add_read("BatchGetItem", table.name, consumed)
    return [projected(bound, record.item) for record in reversed(records) if record is not None]


def batch_write(client: MemoryDynamo, request: dict[str, Any]) -> dict[str, Any]:
    """Puts and deletions without conditions; every one is checked before the first is stored."""
    asked = _request_items(request)
    if sum(len(writes) for writes in asked.values()) > MAX_WRITES:
        raise InvalidError("Too many items requested for the BatchWriteItem call")
    left = MAX_WRITES if client.batch_limit is None else client.batch_limit
    unprocessed: dict[str, Any] = {}
    planned: list[Planned] = []
    for name, writes in asked.items():
        table = client.table(name, "BatchWriteItem")
        of_table = [_planned(table, write) for write in writes]
        if len({one.key for one in of_table}) != len(of_table):
            raise InvalidError(_DUPLICATES)
        planned += of_table[:left]
        if len(of_table) > left:
            unprocessed[name] = writes[left:]
        left = max(0, left - len(of_table))
    outcomes = [carry_out(one) for one in planned]
    for one, outcome in zip(planned, outcomes, strict=True):
        store(one, outcome)
        client.units.add_write("BatchWriteItem", one.table.name, write_units(outcome.size))
    return {"UnprocessedItems": unprocessed}


def _planned(table: Table, write: Any) -> Planned:
    match write:
        case {"PutRequest": {"Item": _} as put} if len(write) == 1 and len(put) == 1:
            return plan("Put", table, put)
        case {"DeleteRequest": {"Key": _} as delete} if len(write) == 1 and len(delete) == 1:
            return plan("Delete", table, delete)
    raise malformed(f"A write must be one PutRequest with Item or one DeleteRequest with Key: {write!r}")
