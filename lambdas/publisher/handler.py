"""Lambda on the protected_zones stream, and called by the dispatcher: read all zones again and publish them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from waiting_room import bootstrap
from waiting_room.init_phase import built_at_start

_app = built_at_start(lambda: bootstrap.publisher(os.environ, Path(__file__).parent / "site" / "assets"))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Publish once, whatever a batch of records holds. `{"refresh": true}` also compares with what the bucket holds.

    Any error is raised: the batch comes again.
    """
    return _app()(event, context)
