"""A fast model of DynamoDB behind the methods of boto3's low-level client.

It keeps plain values and translated expressions, so that a million visitors fit in one process. It is exact in what
it knows (conditions, atomic updates, transactions, pages, units) and refuses what it does not know; the contract
tests run the product's adapters on it beside the strict engines.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from botocore.exceptions import ClientError

from scripts.simulation import expressions
from scripts.simulation.values import Plain, item_size, plain, size_of, tagged, text_size

ITEM_BYTES = 400 * 1024
PAGE_BYTES = 1024 * 1024
"""A query's or scan's page ends with the item that reaches it."""
BATCH_BYTES = 16 * 1024 * 1024
"""What one batch read answers at the most (API reference of BatchGetItem); the rest comes back unprocessed."""
BATCH_KEYS, BATCH_WRITES, TRANSACTION_ACTIONS = 100, 25, 100
Row = tuple[Plain, int]
"""An item and its size."""
Key = tuple[Any, Any]
Observer = Callable[[str, Key, Plain | None, Plain | None], None]
_NOTHING: dict[str, Any] = {}


class Table:
    """Rows by key, and the sort keys of each partition in order."""

    def __init__(self, declaration: Mapping[str, Any]) -> None:
        self.name: str = declaration["name"]
        self.partition_key: str = declaration["partition_key"]["name"]
        self.sort_key: str | None = (declaration.get("sort_key") or _NOTHING).get("name")
        self.rows: dict[Key, Row] = {}
        self.partitions: dict[Any, list[Any]] = {}

    def key(self, attributes: Plain) -> Key:
        """The key of an item or of a Key parameter."""
        return attributes[self.partition_key], attributes[self.sort_key] if self.sort_key else None

    def put(self, key: Key, row: Row) -> None:
        """Store a row."""
        if self.sort_key and key not in self.rows:
            insort(self.partitions.setdefault(key[0], []), key[1])
        self.rows[key] = row

    def remove(self, key: Key) -> None:
        """Remove a row that is there."""
        del self.rows[key]
        if self.sort_key:
            ordered = self.partitions[key[0]]
            del ordered[bisect_left(ordered, key[1])]


class Store:
    """The client. `observe` is told of every write that was applied; `units` counts what AWS would bill."""

    def __init__(self, declarations: Iterable[Mapping[str, Any]], observe: Observer | None = None) -> None:
        self.tables = {declaration["name"]: Table(declaration) for declaration in declarations}
        self.observe = observe
        self.write_units: dict[tuple[str, str], int] = {}
        self.read_units: dict[tuple[str, str], float] = {}
        self.last_read_units = 0.0
        self._transactions: set[str] = set()

    def get_item(self, **request: Any) -> dict[str, Any]:
        table = self._table(request, "GetItem")
        row = table.rows.get(table.key(plain(request["Key"])))
        self._read("GetItem", table, row[1] if row else 0, consistent=bool(request.get("ConsistentRead")))
        return {} if row is None else {"Item": tagged(_projected(row[0], request))}

    def put_item(self, **request: Any) -> dict[str, Any]:
        table = self._table(request, "PutItem")
        item = plain(request["Item"])
        return self._write("PutItem", table, table.key(item), request, item)

    def update_item(self, **request: Any) -> dict[str, Any]:
        table = self._table(request, "UpdateItem")
        attributes = plain(request["Key"])
        return self._write("UpdateItem", table, table.key(attributes), request, attributes)

    def delete_item(self, **request: Any) -> dict[str, Any]:
        table = self._table(request, "DeleteItem")
        return self._write("DeleteItem", table, table.key(plain(request["Key"])), request, None)

    def query(self, **request: Any) -> dict[str, Any]:
        table = self._table(request, "Query")
        names, values = request.get("ExpressionAttributeNames", _NOTHING), _values(request)
        wanted = expressions.condition(request["KeyConditionExpression"])
        partition = _partition_of(request["KeyConditionExpression"], table, names, values)
        keys = [(partition, sort) for sort in table.partitions.get(partition, ())] or [(partition, None)]
        keys = [key for key in keys if key in table.rows and wanted(table.rows[key][0], names, values)]
        if not request.get("ScanIndexForward", True):
            keys.reverse()
        return self._page("Query", table, keys, request)

    def scan(self, **request: Any) -> dict[str, Any]:
        table = self._table(request, "Scan")
        return self._page("Scan", table, sorted(table.rows), request)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        _refuse_more_than(BATCH_KEYS, [key for one in request["RequestItems"].values() for key in one["Keys"]])
        found: dict[str, list[Any]] = {}
        unserved: dict[str, Any] = {}
        free = BATCH_BYTES
        for name, wanted in request["RequestItems"].items():
            table = self.tables[name]
            rows = [table.rows.get(table.key(plain(key))) for key in wanted["Keys"]]
            ends = list(accumulate(row[1] if row else 0 for row in rows))
            served = sum(end <= free for end in ends)
            if served < len(rows):
                unserved[name] = {**wanted, "Keys": wanted["Keys"][served:]}
            free -= ends[served - 1] if served else 0
            rows = rows[:served]
            for row in rows:
                consistent = bool(wanted.get("ConsistentRead"))
                self._read("BatchGetItem", table, row[1] if row else 0, consistent=consistent)
            # In no promised order: reversed, so that no caller counts on one.
            found[name] = [tagged(_projected(row[0], wanted)) for row in reversed(rows) if row is not None]
        return {"Responses": found, "UnprocessedKeys": unserved}

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        _refuse_more_than(BATCH_WRITES, [write for writes in request["RequestItems"].values() for write in writes])
        for name, writes in request["RequestItems"].items():
            for write in writes:
                ((kind, body),) = write.items()
                call = self.put_item if kind == "PutRequest" else self.delete_item
                call(TableName=name, **body)
        return {"UnprocessedItems": {}}

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        _refuse_more_than(TRANSACTION_ACTIONS, request["TransactItems"])
        token = request.get("ClientRequestToken")
        if token in self._transactions:
            return {}
        planned, reasons = [], []
        for action in request["TransactItems"]:
            ((kind, body),) = action.items()
            table = self._table(body, "TransactWriteItems")
            attributes = plain(body["Item"] if kind == "Put" else body["Key"])
            key = table.key(attributes)
            holds = _holds(table.rows.get(key), body)
            planned.append((kind, table, key, body, attributes))
            reasons.append({"Code": "None" if holds else "ConditionalCheckFailed"})
        if any(reason["Code"] != "None" for reason in reasons):
            error = failure("TransactionCanceledException", "TransactWriteItems")
            error.response["CancellationReasons"] = reasons
            raise error
        for kind, table, key, body, attributes in planned:
            if kind != "ConditionCheck":
                new = None if kind == "Delete" else attributes
                self._apply("TransactWriteItems", table, key, body, new, cost=2)
        if token:
            self._transactions.add(token)
        return {}

    def _table(self, request: Mapping[str, Any], operation: str) -> Table:
        table = self.tables.get(request["TableName"])
        if table is None:
            raise failure("ResourceNotFoundException", operation)
        return table

    def _write(
        self, operation: str, table: Table, key: Key, request: Mapping[str, Any], new: Plain | None
    ) -> dict[str, Any]:
        before = table.rows.get(key)
        if not _holds(before, request):
            self._bill(operation, table, before[1] if before else 0)
            error = failure("ConditionalCheckFailedException", operation)
            if before and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                error.response["Item"] = tagged(before[0])
            raise error
        after, touched = self._apply(operation, table, key, request, new)
        wanted = request.get("ReturnValues", "NONE")
        side = (before[0] if before else None) if wanted.endswith("_OLD") else after
        if wanted == "NONE" or side is None:
            return {}
        if wanted.startswith("UPDATED"):
            side = {name: side[name] for name in touched if name in side}
        return {"Attributes": tagged(side)}

    def _apply(
        self, operation: str, table: Table, key: Key, request: Mapping[str, Any], new: Plain | None, cost: int = 1
    ) -> tuple[Plain | None, list[str]]:
        before = table.rows.get(key)
        touched: list[str] = []
        text = request.get("UpdateExpression")
        if new is None:
            size = 0
        elif text is None and operation != "PutItem" and before is not None and "Item" not in request:
            new, size = before
        elif text is None:
            size = item_size(new)
        else:
            old = before[0] if before else new
            size = before[1] if before else item_size(new)
            new, touched = expressions.update(text)(
                old, request.get("ExpressionAttributeNames", _NOTHING), _values(request)
            )
            for name in set(touched):
                size += _attribute_size(new, name) - _attribute_size(old, name)
        if size > ITEM_BYTES:
            raise failure("ValidationException", operation)
        if new is not None:
            table.put(key, (new, size))
        elif before is not None:
            table.remove(key)
        self._bill(operation, table, max(size, before[1] if before else 0), cost)
        if self.observe is not None:
            self.observe(table.name, key, before[0] if before else None, new)
        return new, touched

    def _page(self, operation: str, table: Table, keys: list[Key], request: Mapping[str, Any]) -> dict[str, Any]:
        start = request.get("ExclusiveStartKey")
        if start is not None:
            keys = keys[keys.index(table.key(plain(start))) + 1 :]
        limit, size, served = request.get("Limit", len(keys) + 1), 0, 0
        for key in keys:
            if served == limit or size >= PAGE_BYTES:
                break
            size += table.rows[key][1]
            served += 1
        self._read(operation, table, size, consistent=bool(request.get("ConsistentRead")))
        items = [table.rows[key][0] for key in keys[:served]]
        text = request.get("FilterExpression")
        if text is not None:
            wanted, names, values = (
                expressions.condition(text),
                request.get("ExpressionAttributeNames", {}),
                _values(request),
            )
            items = [item for item in items if wanted(item, names, values)]
        answer: dict[str, Any] = {"Items": [tagged(_projected(item, request)) for item in items], "Count": len(items)}
        if served < len(keys) and served > 0:
            last = table.rows[keys[served - 1]][0]
            names_of_key = [name for name in (table.partition_key, table.sort_key) if name]
            answer["LastEvaluatedKey"] = tagged({name: last[name] for name in names_of_key})
        return answer

    def _bill(self, operation: str, table: Table, size: int, cost: int = 1) -> None:
        units = cost * max(1, -(-size // 1024))
        self.write_units[operation, table.name] = self.write_units.get((operation, table.name), 0) + units

    def _read(self, operation: str, table: Table, size: int, *, consistent: bool) -> None:
        units = max(1, -(-size // 4096)) / (1 if consistent else 2)
        self.last_read_units = units
        self.read_units[operation, table.name] = self.read_units.get((operation, table.name), 0.0) + units


class Onlooker:
    """The same store for whoever measures: what is read this way is not counted."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._store, name)

        def call(**request: Any) -> Any:
            counted = dict(self._store.read_units)
            try:
                return operation(**request)
            finally:
                self._store.read_units = counted

        return call


def _refuse_more_than(most: int, parts: Sequence[Any]) -> None:
    if len(parts) > most:
        raise failure("ValidationException", "a call with too many parts")


def _values(request: Mapping[str, Any]) -> Plain:
    values = request.get("ExpressionAttributeValues")
    return plain(values) if values else {}


def _holds(row: Row | None, request: Mapping[str, Any]) -> bool:
    text = request.get("ConditionExpression")
    if text is None:
        return True
    names = request.get("ExpressionAttributeNames", _NOTHING)
    return expressions.condition(text)(row[0] if row else {}, names, _values(request))


def _projected(item: Plain, request: Mapping[str, Any]) -> Plain:
    text = request.get("ProjectionExpression")
    if text is None:
        return item
    names = request.get("ExpressionAttributeNames", _NOTHING)
    wanted = [names.get(name, name) for name in expressions.projection(text)]
    return {name: item[name] for name in wanted if name in item}


def _partition_of(text: str, table: Table, names: Mapping[str, str], values: Plain) -> Any:
    """The partition a key condition names: `pk = :value`, wherever it stands."""
    for part in text.replace("(", " ").replace(")", " ").split(" AND "):
        left, symbol, right = [*part.split(), "", "", ""][:3]
        if symbol == "=" and names.get(left, left) == table.partition_key:
            return values[right]
    raise expressions.UnknownExpression(text)


def _attribute_size(item: Plain, name: str) -> int:
    return text_size(name) + size_of(item[name]) if name in item else 0


def failure(code: str, operation: str) -> ClientError:
    """An error as boto3 raises it."""
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": 400}},
        operation,
    )
