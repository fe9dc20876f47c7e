"""Lambda@Edge, viewer-request: pass, wait or renew, for every request of the site."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from waiting_room.edge.gatekeeper import Gatekeeper
from waiting_room.edge.settings import read_settings


@cache
def _gatekeeper() -> Gatekeeper:
    return Gatekeeper(read_settings(Path(__file__).parent))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one event: the request to forward, or a response. A bundle without settings fails: CloudFront says 503."""
    return _gatekeeper()(event)
