"""The WebSocket API's function: who may connect, and where the connection is noted."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from waiting_room import bootstrap
from waiting_room.http.sockets import SocketApp


@cache
def _app() -> SocketApp:
    return bootstrap.connections(os.environ)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event; settings are read and clients made at the first."""
    return _app()(event, context)
