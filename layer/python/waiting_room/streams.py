"""Batches of a table's stream: one record after the other, and which are to come again when one could not be done."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from waiting_room import schemas
from waiting_room.adapters.dynamodb import decode
from waiting_room.domain.calls import Calls, bridged, calls_of
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import Delivery

logger = logging.getLogger(__name__)

PARTITION_KEY: str = schemas.table("counters")["partition_key"]["name"]


class CallStream:
    """Hands the calls in a batch of records to `notify`, in order, and then to `alert` for those who come next."""

    def __init__(
        self,
        notify: Callable[[Calls], Counter[Delivery]],
        alert: Callable[[Calls], Counter[Delivery]] | None = None,
    ) -> None:
        """`alert` must not raise: what it could not do, it finds again at the next record."""
        self._notify = notify
        self._alert = alert

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle a batch; the answer has Lambda's `batchItemFailures`, and how many were told.

        Stops at the first record that could not be handled: Lambda sends it and all after it again, so doing those
        now would tell everybody twice.
        """
        told: Counter[Delivery] = Counter()
        alerted: Counter[Delivery] = Counter()
        failures = []
        for record in event["Records"]:
            calls = calls_in(record)
            if calls is None:
                continue
            try:
                told += self._notify(calls)
            except Overloaded:
                logger.warning("calls will be told again", extra={"zone_id": calls.zone_id, "lane": calls.lane})
                failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
                break
            if self._alert is not None:
                alerted += self._alert(calls)
        counts = {delivery.name.lower(): told[delivery] for delivery in Delivery}
        counts |= {f"alerts_{delivery.name.lower()}": alerted[delivery] for delivery in alerted}
        return {"batchItemFailures": failures, **counts}


def calls_in(record: Mapping[str, Any]) -> Calls | None:
    """What a stream record says was called: from where its predecessor ended. None for an item that was removed."""
    change = record["dynamodb"]
    if "NewImage" not in change:
        return None
    new, old = decode(change["NewImage"]), decode(change.get("OldImage", {}))
    return bridged(calls_of(new[PARTITION_KEY], new), old.get("to"))
