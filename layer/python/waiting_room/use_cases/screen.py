"""Screen: what becomes of a newcomer whom the firewall takes for a machine."""

from __future__ import annotations

from typing import Literal

from waiting_room.domain.errors import MachineRefused
from waiting_room.domain.zone.zones import Zone

BotMode = Literal["observe", "challenge", "refuse"]


def screen(zone: Zone, label: str) -> bool:
    """Whether a newcomer with this label of the firewall (empty: none) has to prove work; raises MachineRefused."""
    if zone.bots is None or not label:
        return False
    if zone.bots["mode"] == "refuse":
        raise MachineRefused("This looks like an automated visit: please come with an ordinary browser.")
    return bool(zone.bots["mode"] == "challenge")
