"""Batches of a table's stream: one record after the other, and which are to come again when one could not be done."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from waiting_room import schemas
from waiting_room.adapters.dynamodb import decode
from waiting_room.domain.admission.calls import Calls, bridged, calls_of
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.record.changes import BadRecord, Change, change_of
from waiting_room.ports import Delivery, Failures
from waiting_room.use_cases.record import Recorded

logger = logging.getLogger(__name__)

PARTITION_KEY: str = schemas.table("counters")["partition_key"]["name"]
PLACE: str = schemas.table("queue")["partition_key"]["name"]


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
        self._told: frozenset[str] = frozenset()

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle a batch; the answer has Lambda's `batchItemFailures`, and how many were told.

        A record that could not be handled stops its zone: the zone's later ones would come out of turn. The other
        zones' are handled. Lambda sends it and all after it again; this instance tells of those only once.
        """
        told: Counter[Delivery] = Counter()
        alerted: Counter[Delivery] = Counter()
        failures, done, stopped = [], set(), set()
        for record in event["Records"]:
            calls, number = calls_in(record), record["dynamodb"]["SequenceNumber"]
            if number in self._told:
                done.add(number)
            if calls is None or number in done or calls.zone_id in stopped:
                continue
            try:
                told += self._notify(calls)
            except Overloaded:
                logger.warning("calls will be told again", extra={"zone_id": calls.zone_id, "lane": calls.lane})
                failures.append({"itemIdentifier": number})
                stopped.add(calls.zone_id)
                continue
            done.add(number)
            if self._alert is not None:
                alerted += self._alert(calls)
        self._told = frozenset(done) if failures else frozenset()
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


class QueueStream:
    """Hands the changes in a batch of the queue's records to `record`, all at once.

    A record that nobody can make sense of goes to the queue of failures at once: asked for again it would hold up all
    that follow it for a day. A record that could not be dealt with comes again, with all after it; those that were
    dealt with already do not count twice.
    """

    def __init__(self, record: Callable[[Sequence[Change]], Recorded], failures: Failures) -> None:
        self._record = record
        self._failures = failures

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle a batch; the answer has Lambda's `batchItemFailures`, and how many were archived and set apart."""
        changes: list[Change] = []
        numbers: list[str] = []
        again: list[str] = []
        poison = 0
        for record in event["Records"]:
            if record.get("eventName") == "REMOVE":
                continue
            try:
                changes.append(change_in(record))
                numbers.append(record["dynamodb"]["SequenceNumber"])
            except BadRecord as error:
                poison += 1
                again += self._set_apart(record, str(error))
        recorded = self._record(changes)
        again += [numbers[position] for position in sorted(recorded.again)]
        failures = [{"itemIdentifier": number} for number in again]
        return {"batchItemFailures": failures, "archived": recorded.archived, "set_apart": poison}

    def _set_apart(self, record: Mapping[str, Any], why: str) -> list[str]:
        """Leave word of a record; its number, to come again, when even that could not be done."""
        number = str(record.get("dynamodb", {}).get("SequenceNumber", ""))
        failure = {"component": "recorder", "event_id": record.get("eventID"), "sequence": number, "why": why}
        logger.error("a record makes no sense", extra={"event_id": record.get("eventID"), "why": why})
        try:
            self._failures.put(failure)
        except Overloaded:
            return [number] if number else []
        return []


def change_in(record: Mapping[str, Any]) -> Change:
    """The change of a place that a stream record tells; raises BadRecord."""
    try:
        noted = record["dynamodb"]
        new = decode(noted["NewImage"])
        old = decode(noted["OldImage"]) if "OldImage" in noted else None
        return change_of(
            decode(noted["Keys"])[PLACE],
            old,
            new,
            event_id=record["eventID"],
            sequence=noted["SequenceNumber"],
            at_ms=round(noted["ApproximateCreationDateTime"] * 1000),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRecord(str(error) if isinstance(error, BadRecord) else type(error).__name__) from error
