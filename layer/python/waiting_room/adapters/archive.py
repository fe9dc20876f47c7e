"""The archive's delivery stream: Firehose puts the rows into S3, by the partitions of schemas/archive.json."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from waiting_room.adapters.dynamodb import reading
from waiting_room.domain.errors import Overloaded

logger = logging.getLogger(__name__)

MOST_RECORDS, MOST_BYTES = 500, 4 * 2**20
"""What PutRecordBatch takes at a time."""
TRIES = 3
PAUSE_SEC = 0.1

Row = Mapping[str, Any]


class FirehoseArchive:
    """Hands rows over; what is refused for the moment is sent again, on its own, a little later each time."""

    def __init__(self, client: Any, stream_name: str, sleep: Callable[[float], None], tries: int = TRIES) -> None:
        self._client = client
        self._stream_name = stream_name
        self._sleep = sleep
        self._tries = tries

    def put(self, rows: Sequence[Row]) -> set[int]:
        """Archive rows; the numbers of those that were not taken. A row handed over twice lies there twice."""
        lines = [line_of(row) for row in rows]
        missed = {number for batch in _batches(lines) for number in self._put(lines, batch)}
        if missed:
            logger.warning("rows were not archived", extra={"rows": len(missed)})
        return missed

    def _put(self, lines: Sequence[bytes], batch: list[int]) -> list[int]:
        for attempt in range(self._tries):
            if attempt:
                self._sleep(PAUSE_SEC * 2**attempt)
            batch = self._refused(lines, batch)
            if not batch:
                break
        return batch

    def _refused(self, lines: Sequence[bytes], batch: list[int]) -> list[int]:
        """Send a batch once; what was not taken. A lost answer counts as not taken: copies are told by their id."""
        records = [{"Data": lines[number]} for number in batch]
        try:
            answer = reading(self._client.put_record_batch, DeliveryStreamName=self._stream_name, Records=records)
        except Overloaded:
            return batch
        if not answer["FailedPutCount"]:
            return []
        outcomes = zip(batch, answer["RequestResponses"], strict=True)
        return [number for number, outcome in outcomes if outcome.get("ErrorCode")]


class NoArchive:
    """For deployments whose archive is switched off."""

    def put(self, rows: Sequence[Row]) -> set[int]:  # noqa: ARG002
        """Keep nothing."""
        return set()


def line_of(row: Row) -> bytes:
    """A row as it lies in the files: one JSON object and the end of a line."""
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _batches(lines: Sequence[bytes]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for number, line in enumerate(lines):
        if batch and (len(batch) == MOST_RECORDS or size + len(line) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(number)
        size += len(line)
    if batch:
        yield batch
