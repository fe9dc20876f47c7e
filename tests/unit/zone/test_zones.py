"""Zones: defaults, round trips, and contradictions refused with the place and a way out."""

from __future__ import annotations

from typing import Any

import pytest

from waiting_room.domain.errors import Fault, InvalidZone
from waiting_room.domain.zone.checked import checked
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
        ({"expected_joins_per_sec": 100_001}, "/expected_joins_per_sec"),
        ({"session": {"idle_sec": 900, "max_sec": 600}}, "/session/max_sec"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], pointer: str) -> None:
    document = {name: value for name, value in {**QUEUEING, **changes}.items() if value is not None}
    with pytest.raises(InvalidZone) as refused:
        checked(document)
    assert refused.value.pointer == pointer
    assert refused.value.detail.endswith(".")


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(InvalidZone, match="max_activ"):
        Zone.from_document({**QUEUEING, "max_activ": 5})


def test_every_contradiction_is_told_at_once() -> None:
    document: dict[str, Any] = {
        "zone_id": "Upper",
        "mode": "combined",
        "rules": [],
        "rate_per_min": 0,
        "session": {"idle_sec": 900, "max_sec": 600},
        "lanes": {"vip": {"weight": 0}},
        "beacon": "drand",
        "protection": {"least_per_min": 5},
        "expected_joins_per_sec": 100_001,
        "proof_of_work": {"bits": 18, "most_bits": 12},
        "identity": {"mode": "require", "keys": [{"alg": "ES256", "kty": "RSA"}], "jwks_url": "https://a.example/k"},
        "schedule": {
            "windows": [
                {"starts_at_ms": 9_000_000, "ends_at_ms": 8_000_000},
                {"starts_at_ms": 10_000_000},
                {"starts_at_ms": 20_000_000, "ends_at_ms": 30_000_000},
                {"starts_at_ms": 30_000_001},
            ]
        },
    }
    with pytest.raises(InvalidZone) as refused:
        checked(document)
    assert [fault.pointer for fault in refused.value.faults] == [
        *("/zone_id", "/rules", "/max_active", "/rate_per_min", "/expected_joins_per_sec"),
        *(
            "/identity",
            "/identity/issuer",
            "/identity/keys/0",
            "/proof_of_work/most_bits",
            "/session/max_sec",
            "/lanes",
            "/lanes",
        ),
        *("/schedule/windows/0", "/schedule/windows", "/schedule/windows"),
        *("/protection", "/protection/least_per_min", "/beacon"),
    ]
    assert all(fault.detail.endswith(".") for fault in refused.value.faults)


def test_further_judges_are_heard_with_the_first() -> None:
    with pytest.raises(InvalidZone) as refused:
        checked({**QUEUEING, "max_active": 0}, lambda zone: [Fault("/title", f"{zone.zone_id} has none.")])
    assert refused.value.faults == (refused.value.faults[0], ("/title", "midnight-sun has none."))
    assert checked(QUEUEING) == Zone.from_document(QUEUEING)


def test_a_stored_zone_is_read_as_it_is() -> None:
    assert Zone.from_document({**QUEUEING, "max_active": 0}).max_active == 0


def test_a_queueing_zone_without_a_start_has_started() -> None:
    zone = Zone.from_document(QUEUEING)
    assert zone.started(0)
    assert not zone.with_changes(starts_at_ms=10).started(9)
    assert zone.with_changes(starts_at_ms=10).started(10)
