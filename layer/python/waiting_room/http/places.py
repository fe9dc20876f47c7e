"""Places and sessions as JSON, for everybody who is told one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from waiting_room.domain.line.places import Place, Session
from waiting_room.domain.zone.zones import Zone


def place_json(zone: Zone, place: Place) -> dict[str, Any]:
    """A place as visitors are told it."""
    return {
        "zone_id": place.zone_id,
        "run": place.run,
        "visitor_id": place.visitor_id,
        "status": place.status,
        "lane": place.lane,
        "position": place.position,
        "ahead": place.ahead,
        "arrival": place.arrival,
        "estimate": None if place.estimate is None else asdict(place.estimate),
        "phase": place.phase,
        "joined_at_ms": place.joined_at_ms,
        "poll": asdict(zone.poll),
        "landing_path": zone.landing_path,
        "notice": "lapsed" if place.rejoined == "lapsed" else None,
        "phone_needed": place.phone_needed,
    }


def session_json(session: Session) -> dict[str, Any]:
    """A session as visitors are told it; the token is not in it."""
    return {
        "status": "admitted",
        "zone_id": session.zone_id,
        "run": session.run,
        "session_id": session.sid,
        "expires_at_ms": session.expires_at_ms,
        "hard_end_at_ms": session.hard_end_at_ms,
        "lease_kind": session.lease_kind,
    }
