"""Other Lambda functions of the deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.dynamodb import reading


class LambdaFunctions:
    """Starts functions asynchronously: Lambda queues the event and answers before the function runs."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        """Start a function and do not wait for it; raises Overloaded when Lambda throttles or cannot be reached.

        A lost answer may start it twice: it must bear that.
        """
        body = json.dumps(payload, separators=(",", ":")).encode()
        reading(self._client.invoke, FunctionName=name, InvocationType="Event", Payload=body)
