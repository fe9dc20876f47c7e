"""The WebSocket API's function: who may connect, and where the connection is noted."""

from __future__ import annotations

import os
from typing import Any

from waiting_room import bootstrap
from waiting_room.init_phase import built_at_start

_app = built_at_start(lambda: bootstrap.connections(os.environ))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event."""
    return _app()(event, context)
