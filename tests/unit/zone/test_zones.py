"""Zones: defaults, round trips, and contradictions refused with the place and a way out."""

from __future__ import annotations

from typing import Any

import pytest

from waiting_room.domain.errors import InvalidZone
from waiting_room.domain.zone.zones import Zone

QUEUEING: dict[str, Any] = {
    "zone_id": "midnight-sun",
    "mode": "queueing",
    "rules": [{"paths": ["/events/midnight-sun"]}],
    "max_active": 5,
}


def test_a_zone_survives_its_own_document() -> None:
    zone = Zone.from_document({**QUEUEING, "session": {"idle_sec": 45}, "claim": {"window_sec": 12}})
    assert Zone.from_document(zone.document) == zone
    assert zone.session.max_sec == 3600
    assert "starts_at_ms" not in zone.document


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"max_active": None}, "/max_active"),
        ({"max_active": 0}, "/max_active"),
        ({"mode": "waiting_room"}, "/starts_at_ms"),
        ({"mode": "waiting_room", "starts_at_ms": 1}, "/rate_per_min"),
        ({"mode": "combined"}, "/starts_at_ms"),
        ({"rate_per_min": 0}, "/rate_per_min"),
        ({"rules": []}, "/rules"),
        ({"zone_id": "Upper"}, "/zone_id"),
        ({"zone_id": "a" * 41}, "/zone_id"),
        ({"zone_id": "a#b"}, "/zone_id"),
        ({"zone_id": "trailing\n"}, "/zone_id"),
        ({"lanes": {"vip": {"weight": 1}}}, "/lanes"),
        ({"lanes": {"general": {"weight": 0}}}, "/lanes"),
        ({"lanes": {"general": {"weight": 0}, "vip": {"weight": 0, "reserved_share": 0.9}}}, "/lanes"),
        ({"lanes": {"general": {"weight": 0}, "vip": {"weight": 1}}}, "/lanes/general"),
        ({"lanes": {"general": {"weight": 1}, "vip": {"weight": 1, "reserved_share": 1}}}, "/lanes/general"),
        (
            {"lanes": {name: {"weight": 0, "reserved_share": 0.6} for name in ("general", "vip")}},
            "/lanes",
        ),
        ({"lanes": {name: {"weight": 1} for name in ("general", *"abcdef")}}, "/lanes"),
        ({"expected_joins_per_sec": 200_001}, "/expected_joins_per_sec"),
        ({"session": {"idle_sec": 900, "max_sec": 600}}, "/session/max_sec"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], pointer: str) -> None:
    document = {name: value for name, value in {**QUEUEING, **changes}.items() if value is not None}
    with pytest.raises(InvalidZone) as refused:
        Zone.from_document(document)
    assert refused.value.pointer == pointer
    assert refused.value.detail.endswith(".")


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(InvalidZone, match="max_activ"):
        Zone.from_document({**QUEUEING, "max_activ": 5})


def test_a_change_is_checked_again() -> None:
    zone = Zone.from_document(QUEUEING)
    assert zone.with_changes(max_active=9).max_active == 9
    with pytest.raises(InvalidZone):
        zone.with_changes(max_active=0)


def test_a_queueing_zone_without_a_start_has_started() -> None:
    zone = Zone.from_document(QUEUEING)
    assert zone.started(0)
    assert not zone.with_changes(starts_at_ms=10).started(9)
    assert zone.with_changes(starts_at_ms=10).started(10)
