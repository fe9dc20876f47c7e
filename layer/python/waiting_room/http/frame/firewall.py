"""What the firewall in front says of a request: AWS WAF writes the class of its labels into a header.

Its rule writes the header into every request, whatever stood there (terraform/modules/security). Where no such rule is,
the header is a client's own word, which might claim a class that is treated better: it is not read.
"""

from __future__ import annotations

from waiting_room import schemas
from waiting_room.domain.zone.machines import AUTOMATED, CLASSES
from waiting_room.http.frame.request import Request

__all__ = ["NO_BOT", "machine_class"]

NO_BOT = "no"
"""What the firewall writes where it found nothing."""


def machine_class(request: Request) -> str:
    """The class of machines a request is taken for; empty for none. What is no class of ours counts as automated."""
    told = request.headers.get(schemas.behaviours()["bot_header"], NO_BOT)
    if told == NO_BOT:
        return ""
    return told if told in CLASSES else AUTOMATED
