"""The refusals of the memory model: light exceptions inside, real `botocore` errors outside."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError, ParamValidationError


class InvalidError(Exception):
    """A request that DynamoDB answers with ValidationException; the message says what is wrong with it."""


class ConditionFailedError(Exception):
    """The condition was false. `item` is the stored item the caller asked to see, or None."""

    def __init__(self, item: dict[str, Any] | None = None) -> None:
        super().__init__("The conditional request failed")
        self.item = item


def client_error(code: str, message: str, operation: str, **members: Any) -> ClientError:
    """A `ClientError` as botocore builds it; `members` are modelled extras such as Item or CancellationReasons.

    Public: fault harnesses raise the same errors (ThrottlingException, TransactionCanceledException) from a hook.
    """
    status = 500 if code == "InternalServerError" else 400
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 0},
        **members,
    }
    return ClientError(response, operation)


def malformed(report: str) -> ParamValidationError:
    """What botocore raises before it sends anything: a parameter that is unknown or of the wrong Python type."""
    return ParamValidationError(report=report)
