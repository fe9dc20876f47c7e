"""The in-memory DynamoDB client: one item at a time here, batches and transactions in their own modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import RLock
from typing import Any

from botocore.exceptions import ClientError

from tests.memory_dynamo.batches import batch_get, batch_write
from tests.memory_dynamo.binding import bind
from tests.memory_dynamo.errors import ConditionFailedError, InvalidError, client_error, malformed
from tests.memory_dynamo.reads import Page, projected, query, scan
from tests.memory_dynamo.requests import check_parameters
from tests.memory_dynamo.tables import Table
from tests.memory_dynamo.transactions import Transactions
from tests.memory_dynamo.units import Units, read_units, write_units
from tests.memory_dynamo.writes import carry_out, plan, returned, store

OnCall = Callable[[str, dict[str, Any], str], None]
Answer = dict[str, Any]


class MemoryDynamo:
    """A model of boto3's low-level `dynamodb` client, as strict as AWS, safe to call from many threads.

    tables: declarations as in schemas/tables/*.json; the table is called `prefix + declaration["name"]`.
    on_call(method, kwargs, phase): called with phase "before" and, once the operation took effect or was refused by
    DynamoDB, with "after"; what it raises reaches the caller in place of the answer, so it can play a crash or a lost
    answer. May be replaced at any time.
    batch_limit: how many keys or writes one batch call serves (None: all); the rest comes back unprocessed.
    units: consumed capacity so far.
    """

    def __init__(self, tables: Iterable[dict[str, Any]], prefix: str = "", on_call: OnCall | None = None) -> None:
        declared = [Table(prefix + declaration["name"], declaration) for declaration in tables]
        self.tables = {table.name: table for table in declared}
        self.on_call = on_call
        self.batch_limit: int | None = None
        self.units = Units()
        self._transactions = Transactions(self)
        self._lock = RLock()

    def get_item(self, **request: Any) -> Answer:
        return self._run("get_item", "GetItem", self._get, request)

    def put_item(self, **request: Any) -> Answer:
        return self._run("put_item", "PutItem", lambda asked: self._write("Put", "PutItem", asked), request)

    def update_item(self, **request: Any) -> Answer:
        return self._run("update_item", "UpdateItem", lambda asked: self._write("Update", "UpdateItem", asked), request)

    def delete_item(self, **request: Any) -> Answer:
        return self._run("delete_item", "DeleteItem", lambda asked: self._write("Delete", "DeleteItem", asked), request)

    def query(self, **request: Any) -> Answer:
        return self._run("query", "Query", lambda asked: self._read_page("Query", query, asked), request)

    def scan(self, **request: Any) -> Answer:
        return self._run("scan", "Scan", lambda asked: self._read_page("Scan", scan, asked), request)

    def batch_get_item(self, **request: Any) -> Answer:
        return self._run("batch_get_item", "BatchGetItem", lambda asked: batch_get(self, asked), request)

    def batch_write_item(self, **request: Any) -> Answer:
        return self._run("batch_write_item", "BatchWriteItem", lambda asked: batch_write(self, asked), request)

    def transact_write_items(self, **request: Any) -> Answer:
        return self._run("transact_write_items", "TransactWriteItems", self._transactions.write, request)

    def table(self, name: Any, operation: str) -> Table:
        """The table of that name. Raises ResourceNotFoundException as a ClientError."""
        if type(name) is not str:
            raise malformed(f"Invalid type for parameter TableName: {name!r}, valid types: str")
        if name not in self.tables:
            raise client_error("ResourceNotFoundException", "Requested resource not found", operation)
        return self.tables[name]

    def _run(
        self, method: str, operation: str, act: Callable[[dict[str, Any]], Answer], request: dict[str, Any]
    ) -> Answer:
        if self.on_call is None:
            return self._serve(operation, act, request)
        self.on_call(method, request, "before")
        try:
            answer = self._serve(operation, act, request)
        except ClientError:
            self.on_call(method, request, "after")
            raise
        self.on_call(method, request, "after")
        return answer

    def _serve(self, operation: str, act: Callable[[dict[str, Any]], Answer], request: dict[str, Any]) -> Answer:
        try:
            check_parameters(operation, request)
            with self._lock:
                answer = act(request)
        except InvalidError as error:
            raise client_error("ValidationException", str(error), operation) from None
        except ConditionFailedError as error:
            shown = {} if error.item is None else {"Item": error.item}
            raise client_error("ConditionalCheckFailedException", str(error), operation, **shown) from None
        answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "RetryAttempts": 0}
        return answer

    def _get(self, request: dict[str, Any]) -> Answer:
        table = self.table(request["TableName"], "GetItem")
        key, _ = table.key_of(request["Key"])
        bound, _ = bind(request)
        record = table.records.get(key)
        consumed = read_units(record.size if record else 0, bool(request.get("ConsistentRead")))
        self.units.add_read("GetItem", table.name, consumed)
        answer: Answer = {} if record is None else {"Item": projected(bound, record.item)}
        return with_capacity(answer, request, table.name, consumed)

    def _write(self, action: str, operation: str, request: dict[str, Any]) -> Answer:
        table = self.table(request["TableName"], operation)
        planned = plan(action, table, request)
        try:
            outcome = carry_out(planned)
        except ConditionFailedError:
            present = table.records.get(planned.key)
            self.units.add_write(operation, table.name, write_units(present.size if present else 0))
            raise
        store(planned, outcome)
        consumed = write_units(outcome.size)
        self.units.add_write(operation, table.name, consumed)
        attributes = returned(request.get("ReturnValues", "NONE"), planned, outcome)
        answer: Answer = {} if attributes is None else {"Attributes": attributes}
        return with_capacity(answer, request, table.name, consumed)

    def _read_page(
        self, operation: str, read: Callable[[Table, dict[str, Any]], Page], request: dict[str, Any]
    ) -> Answer:
        table = self.table(request["TableName"], operation)
        page = read(table, request)
        consumed = read_units(page.read_bytes, bool(request.get("ConsistentRead")))
        self.units.add_read(operation, table.name, consumed)
        return with_capacity(page.answer, request, table.name, consumed)


def with_capacity(answer: Answer, request: dict[str, Any], table_name: str, consumed: float) -> Answer:
    """Adds ConsumedCapacity to a single-table answer when the request asks for it."""
    if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
        answer["ConsumedCapacity"] = {"TableName": table_name, "CapacityUnits": float(consumed)}
    return answer
