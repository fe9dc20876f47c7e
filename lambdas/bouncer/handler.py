"""The token service behind the HTTP API: enter, join, locate, claim, renew, leave, confirm."""

from __future__ import annotations

import os
from typing import Any

from waiting_room import bootstrap
from waiting_room.init_phase import built_at_start

_app = built_at_start(lambda: bootstrap.bouncer(os.environ))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event."""
    return _app()(event, context)
