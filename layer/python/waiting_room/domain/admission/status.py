"""The status document: everything a waiting browser needs, the same for everybody (PROTOCOL, Status document)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waiting_room.domain.admission.controller import Tick
from waiting_room.domain.zone.zones import Zone


def status_document(
    zone: Zone, tick: Tick, tails: Mapping[str, int], now_ms: int, draw: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The document to publish after a tick was won; readers ignore one with a lower (run, tick).

    `draw` is what is announced of the run's draw, None where order is by arrival.
    """
    gate = tick.gate
    return {
        "zone_id": zone.zone_id,
        "run": gate.run,
        "tick": gate.tick,
        "phase": tick.phase,
        "door": "shut" if gate.state.door.shut else "open",
        "lanes": {
            name: {
                "serving": lane.serving,
                "floor": lane.floor,
                "ahead": lane.ahead,
                "tail": tails.get(name, 0),
                "speed_per_sec": round(gate.state.speed_per_sec(zone.lanes, name), 4),
            }
            for name, lane in gate.lanes.items()
        },
        "poll": vars(tick.poll or zone.poll).copy(),
        "push_window": zone.push_window,
        "title": zone.title,
        "message": zone.message,
        "picture_url": zone.picture_url,
        **{name: look for name in ("page", "translations") if (look := zone.document[name])},
        "starts_at_ms": zone.starts_at_ms,
        "opens_at_ms": zone.line_opens_at_ms,
        "updated_at_ms": now_ms,
        "draw": draw,
    }


def status_key(zone_id: str) -> str:
    """Where the document is stored; the key is the URL path without its first slash."""
    return f".waiting-room/status/{zone_id}.json"
