"""Lambda@Edge, viewer-request: pass, wait or renew, for every request of the site."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from waiting_room.edge.gatekeeper import Gatekeeper
from waiting_room.edge.settings import find_settings


@cache
def _gatekeeper(function_name: str, on_missing_snapshot: str) -> Gatekeeper:
    return Gatekeeper(find_settings(Path(__file__).parent, function_name, on_missing_snapshot))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event: the request to forward, or a response. A name without settings fails: CloudFront says 503."""
    return _gatekeeper(getattr(context, "function_name", ""), "refuse")(event)


def open_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The same, but everybody passes while there is no gate snapshot."""
    return _gatekeeper(getattr(context, "function_name", ""), "pass")(event)
