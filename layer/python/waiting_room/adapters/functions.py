"""Other Lambda functions of the deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.dynamodb import reading
from waiting_room.domain.errors import Overloaded


class LambdaFunctions:
    """Starts functions, or calls them and waits."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        """Start a function and do not wait for it; raises Overloaded when Lambda throttles or cannot be reached.

        Lambda queues the event and answers before the function runs. A lost answer may start it twice: it must bear
        that.
        """
        self._invoke(name, "Event", payload)

    def call(self, name: str, payload: Mapping[str, Any]) -> bool:
        """Have a function deal with an event now, and wait for it; False when Lambda throttles or cannot be reached."""
        try:
            self._invoke(name, "RequestResponse", payload)
        except Overloaded:
            return False
        return True

    def _invoke(self, name: str, kind: str, payload: Mapping[str, Any]) -> None:
        body = json.dumps(payload, separators=(",", ":")).encode()
        reading(self._client.invoke, FunctionName=name, InvocationType=kind, Payload=body)
