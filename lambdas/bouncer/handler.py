"""The token service behind the HTTP API: enter, join, locate, claim, renew, leave, confirm."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from waiting_room import bootstrap
from waiting_room.jobs import Warmable


@cache
def _app() -> Warmable:
    return bootstrap.bouncer(os.environ)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event; settings are read and clients made at the first."""
    return _app()(event, context)
