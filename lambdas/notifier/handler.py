"""Lambda on the counters stream, calls items only: tell those who were called."""

from __future__ import annotations

import os
from typing import Any

from waiting_room import bootstrap
from waiting_room.init_phase import built_at_start

_app = built_at_start(lambda: bootstrap.notifier(os.environ))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one batch with the records to be sent again (ReportBatchItemFailures)."""
    return _app()(event, context)
