"""What a zone is doing, in the one word the status document says."""

from __future__ import annotations

from typing import Literal

from waiting_room.domain.zone.zones import Zone

Phase = Literal["before", "open", "paused", "locked", "passing", "sold_out", "ended"]


def phase(zone: Zone, sold: int, now_ms: int) -> Phase:
    """The phase of a zone; the operator's hand comes before the clock, the clock before the stock."""
    by_control: dict[str, Phase] = {"end": "ended", "pass": "passing", "lock": "locked"}
    if zone.control in by_control:
        return by_control[zone.control]
    if not zone.started(now_ms):
        return "before"
    if zone.inventory is not None and sold >= zone.inventory:
        return "sold_out"
    return "paused" if zone.control == "pause" else "open"
