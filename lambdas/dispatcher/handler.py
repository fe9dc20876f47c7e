"""Every minute: start exchangers where they are needed, heal an old snapshot."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from waiting_room import bootstrap
from waiting_room.jobs import Job


@cache
def _app() -> Job:
    return bootstrap.dispatcher(os.environ)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event; settings are read and clients made at the first."""
    return _app()(event, context)
