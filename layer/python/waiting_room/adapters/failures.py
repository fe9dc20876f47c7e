"""The queue of failures: what nobody can make sense of is left there for people to look into."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.dynamodb import reading


class SqsFailures:
    """Says which record it was, and never what was in it."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, failure: Mapping[str, Any]) -> None:
        """Leave word of a failure; raises Overloaded."""
        body = json.dumps(failure, separators=(",", ":"))
        reading(self._client.send_message, QueueUrl=self._queue_url, MessageBody=body)
