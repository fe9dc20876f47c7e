"""What DynamoDB refuses for lack of capacity, and which of its limits it names as the reason.

Since August 2025 the three exceptions carry `ThrottlingReasons`, each `Table` or `Index`, `Read` or `Write`, and the
limit (API Reference, ThrottlingReason; Developer Guide, "Diagnosing throttling"). What to do: terraform/README.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from botocore.exceptions import ClientError

THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
IN_TRANSACTION = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})
"""Codes of reasons for which a transaction was cancelled (API Reference, TransactWriteItems)."""
LIMITS = {
    "KeyRangeThroughputExceeded": "hot key",
    "ProvisionedThroughputExceeded": "table",
    "MaxOnDemandThroughputExceeded": "table",
    "AccountLimitExceeded": "account",
}
"""What a reason ends with, and what is too small then: one partition, the table, or the account's quota for a table."""
QUIET_SEC = 10
"""Of the same limit of the same table an instance logs one line in this time: in a rush thousands are refused."""

logger = logging.getLogger(__name__)


def is_throttle(error: ClientError) -> bool:
    """Whether the call was refused for lack of capacity: then nothing of it was applied."""
    return error.response["Error"]["Code"] in THROTTLES or bool(cancelled_for(error) & IN_TRANSACTION)


def cancelled_for(error: ClientError) -> set[str]:
    """The codes a transaction was cancelled for; none for any other error."""
    return {str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])}


class ThrottleLog:
    """Says which limit refused a call: `hot key`, `table`, `account`, or `unnamed` where DynamoDB gives no reason."""

    def __init__(self, now_sec: Callable[[], float] = time.monotonic) -> None:
        self._now_sec = now_sec
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def __call__(self, error: ClientError) -> None:
        """Log a refusal, with how many of its kind went unsaid since the last line."""
        for limit, reason, resource in reasons(error):
            told_at_sec, unsaid = self._told.get((limit, resource), (-float(QUIET_SEC), 0))
            if self._now_sec() - told_at_sec < QUIET_SEC:
                self._told[limit, resource] = told_at_sec, unsaid + 1
                continue
            self._told[limit, resource] = self._now_sec(), 0
            told = {"limit": limit, "reason": reason, "resource": resource, "before": unsaid}
            logger.warning("throttled", extra=told)


def reasons(error: ClientError) -> list[tuple[str, str, str]]:
    """Limit, reason and table (its ARN) of each reason DynamoDB names; `unnamed` and the error's code for none."""
    response = error.response
    # ThrottlingException spells the member with a small letter, the other two do not (botocore's service model).
    named = response.get("ThrottlingReasons") or response.get("throttlingReasons") or []
    found = [
        (limit, str(each.get("reason")), str(each.get("resource", "")))
        for each in named
        for ending, limit in LIMITS.items()
        if str(each.get("reason")).endswith(ending)
    ]
    return found or [("unnamed", str(response["Error"]["Code"]), "")]
