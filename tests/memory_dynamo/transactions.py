"""TransactWriteItems: all or nothing, with reasons per action and idempotency by ClientRequestToken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.memory_dynamo.errors import ConditionFailedError, InvalidError, client_error, malformed
from tests.memory_dynamo.requests import check_parameters
from tests.memory_dynamo.units import read_units, write_units
from tests.memory_dynamo.values import item_size, size_of
from tests.memory_dynamo.writes import Outcome, Planned, carry_out, plan, store

if TYPE_CHECKING:
    from tests.memory_dynamo.client import MemoryDynamo

MAX_ACTIONS = 100
MAX_TOKEN = 36
MAX_BYTES = 4 * 1024 * 1024
"""Of all items of a transaction together (API reference of TransactWriteItems)."""
_OPERATION = "TransactWriteItems"
_ACTIONS = ("Put", "Update", "Delete", "ConditionCheck")
_REMEMBERED_TOKENS = 10_000


class Transactions:
    """The transactions of one client. AWS forgets a token after ten minutes; here the oldest of 10,000 goes."""

    def __init__(self, client: MemoryDynamo) -> None:
        self._client = client
        self._done: dict[str, Any] = {}

    def write(self, request: dict[str, Any]) -> dict[str, Any]:
        """Applies all actions or none. Raises TransactionCanceledException and others as ClientError."""
        actions = request["TransactItems"]
        if not isinstance(actions, list | tuple) or not actions:
            raise malformed("Invalid length for parameter TransactItems, value: 0, valid min length: 1")
        if len(actions) > MAX_ACTIONS:
            raise InvalidError("Member must have length less than or equal to 100")
        planned = [self._plan(action) for action in actions]
        if len({(one.table.name, one.key) for one in planned}) != len(planned):
            raise InvalidError("Transaction request cannot include multiple operations on one item")
        if sum(map(_size, planned)) > MAX_BYTES:
            raise InvalidError("Transaction payload size cannot exceed 4MB")
        token = request.get("ClientRequestToken")
        if token is not None and not 1 <= len(token) <= MAX_TOKEN:
            raise InvalidError(f"ClientRequestToken must have between 1 and {MAX_TOKEN} characters")
        if token is not None and self._is_repeat(token, actions, planned):
            return {}
        for one, outcome in zip(planned, self._outcomes(planned), strict=True):
            store(one, outcome)
            self._client.units.add_write(_OPERATION, one.table.name, write_units(outcome.size, transactional=True))
        if token is not None:
            self._remember(token, actions)
        return {}

    def _plan(self, action: Any) -> Planned:
        if type(action) is not dict or len(action) != 1:
            raise InvalidError("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, request),) = action.items()
        if kind not in _ACTIONS:
            raise malformed(f"Unknown parameter in TransactItems: {kind!r}")
        check_parameters(kind, request)
        return plan(kind, self._client.table(request["TableName"], _OPERATION), request)

    def _is_repeat(self, token: str, actions: Any, planned: list[Planned]) -> bool:
        """Whether this very transaction was done before; a repeat is billed as reads of its items."""
        if token not in self._done:
            return False
        if self._done[token] != repr(actions):
            raise client_error(
                "IdempotentParameterMismatchException", "The token was used with other parameters", _OPERATION
            )
        for one in planned:
            record = one.table.records.get(one.key)
            consumed = 2 * read_units(record.size if record else 0, consistent=True)
            self._client.units.add_read(_OPERATION, one.table.name, consumed)
        return True

    def _remember(self, token: str, actions: Any) -> None:
        self._done[token] = repr(actions)
        if len(self._done) > _REMEMBERED_TOKENS:
            del self._done[next(iter(self._done))]

    def _outcomes(self, planned: list[Planned]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        reasons: list[dict[str, Any]] = []
        for one in planned:
            try:
                outcomes.append(carry_out(one))
                reasons.append({"Code": "None"})
            except ConditionFailedError as error:
                shown = {} if error.item is None else {"Item": error.item}
                reasons.append({"Code": "ConditionalCheckFailed", "Message": str(error), **shown})
            except InvalidError as error:
                reasons.append({"Code": "ValidationError", "Message": str(error)})
        if len(outcomes) < len(planned):
            self._charge_refused(planned)
            codes = ", ".join(reason["Code"] for reason in reasons)
            raise client_error(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
                _OPERATION,
                CancellationReasons=reasons,
            )
        return outcomes

    def _charge_refused(self, planned: list[Planned]) -> None:
        for one in planned:
            record = one.table.records.get(one.key)
            consumed = write_units(record.size if record else 0, transactional=True)
            self._client.units.add_write(_OPERATION, one.table.name, consumed)


def _size(planned: Planned) -> int:
    """Bytes of what a write brings, or of the item there is if that is larger: by the book the item counts."""
    record = planned.table.records.get(planned.key)
    brought = item_size(planned.attributes) + sum(map(size_of, planned.values.values()))
    return max(brought, record.size if record else 0)
