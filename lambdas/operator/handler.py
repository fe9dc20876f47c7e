"""The operators' API: zones, live control, keys, bypass tokens, revocations, look-up."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from waiting_room import bootstrap
from waiting_room.http.frame.app import HttpApp


@cache
def _app() -> HttpApp:
    return bootstrap.operator(os.environ)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event; settings are read and clients made at the first."""
    return _app()(event, context)
