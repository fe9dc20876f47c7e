"""What the firewall in front says of a request: AWS WAF writes its labels into headers that clients cannot set.

Its first rule writes the header into every request, whatever stood there (terraform/modules/security); without the
firewall a client that calls itself a machine harms nobody else.
"""

from __future__ import annotations

import re

from waiting_room import schemas
from waiting_room.http.frame.request import Request

__all__ = ["NO_BOT", "bot_label"]

NO_BOT = "no"
"""What the firewall writes where it found nothing."""

_LABEL = re.compile(r"\A[a-z][a-z0-9_-]{0,39}\Z")


def bot_label(request: Request) -> str:
    """The kind of machine a request is taken for; empty for none. What cannot be one of ours is `unknown`."""
    told = request.headers.get(schemas.behaviours()["bot_header"], NO_BOT)
    if told == NO_BOT:
        return ""
    return told if _LABEL.match(told) else "unknown"
