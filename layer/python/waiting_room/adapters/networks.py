"""How many places were taken from a network in a run: a count under a hash, gone with the run."""

from __future__ import annotations

import logging
from typing import Any, Literal

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.retention import Retention

logger = logging.getLogger(__name__)

Counted = Literal["counted", "known", "full"]
MARKS = 4
"""A second tab and a retry come within seconds: between them and the first lie a few places of a busy network."""


class Networks:
    """Counts by zone, run and the tag of a network, each with marks of the places that were counted last."""

    def __init__(self, clients: Clients, table_name: str, retention: Retention | None = None) -> None:
        self._table = Table(clients, "counters", table_name)
        self._kept_sec = (retention or Retention()).places_sec

    def count(self, zone_id: str, run: int, tag: str, mark: str, most: int, now_ms: int) -> Counted:
        """Count a place that is about to be stored, unless it is `known` or there are `most` already: then `full`.

        `mark` is the same for all requests that lead to one place: two tabs, or a retry whose answer was lost. The last
        MARKS are known. Raises Overloaded: then it may have been counted, and asked again it is known.
        """
        at = range(MARKS)
        # All values are those of before the write (DynamoDB guide, Update expressions): each mark moves on by one.
        moved = [f"#m{i} = if_not_exists(#m{i - 1}, :none)" for i in at[1:]]
        unknown = [f"(attribute_not_exists(#m{i}) OR #m{i} <> :mark)" for i in at]
        answer = writing(
            self._table.clients.once.update_item,
            **self._of(zone_id, run, tag),
            UpdateExpression=f"SET #ttl = :ttl, #m0 = :mark, {', '.join(moved)} ADD #n :one",
            ConditionExpression=" AND ".join(["(attribute_not_exists(#n) OR #n < :most)", *unknown]),
            ExpressionAttributeNames={"#n": "n", "#ttl": self._table.ttl} | {f"#m{i}": f"m{i}" for i in at},
            ExpressionAttributeValues=encode(
                {":one": 1, ":most": most, ":mark": mark, ":none": "", ":ttl": now_ms // 1000 + self._kept_sec}
            ),
        )
        if answer is Answer.YES:
            return "counted"
        if answer is Answer.UNSURE:
            raise Overloaded
        item = self._table.get(_partition(zone_id, run, tag), 0) or {}
        return "known" if mark in (item.get(f"m{i}") for i in at) else "full"

    def give_back(self, zone_id: str, run: int, tag: str, mark: str) -> None:
        """Take a count back whose place was surely not stored, with its mark, so that it is counted when asked again.

        Where others were counted since, both stay: whoever asks again is known. Sent at most once: lost, they stay too.
        """
        try:
            writing(
                self._table.clients.once.update_item,
                **self._of(zone_id, run, tag),
                UpdateExpression="ADD #n :less REMOVE #m0",
                ConditionExpression="#m0 = :mark",
                ExpressionAttributeNames={"#n": "n", "#m0": "m0"},
                ExpressionAttributeValues=encode({":less": -1, ":mark": mark}),
            )
        except Overloaded:
            logger.warning("a place that was not stored stays counted for its network", extra={"zone_id": zone_id})

    def _of(self, zone_id: str, run: int, tag: str) -> dict[str, Any]:
        return {"TableName": self._table.name, "Key": self._table.key(_partition(zone_id, run, tag), 0)}


def _partition(zone_id: str, run: int, tag: str) -> str:
    return f"network#{zone_id}#{run}#{tag}"
