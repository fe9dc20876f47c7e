"""ProtectedZones on every engine: versions, records, deletion."""

from __future__ import annotations

import pytest

from tests.contract.engines import Dynamo
from tests.contract.runs import ZONE_ID, zone
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.answers import Answer


@pytest.fixture
def store(dynamo: Dynamo) -> ProtectedZones:
    return ProtectedZones(dynamo.clients, dynamo.table("protected_zones"))


def test_a_zone_reads_as_it_was_saved(store: ProtectedZones) -> None:
    saved = zone(rate_per_min=12.5, session={"idle_sec": 60}, observe=True, version=1)
    assert store.save(saved, None)
    assert store.get(ZONE_ID) == saved
    assert store.get(ZONE_ID, consistent=False) == saved
    assert store.get("other") is None


def test_a_zone_is_created_once(store: ProtectedZones) -> None:
    assert store.save(zone(version=1), None)
    assert not store.save(zone(version=1, title="Another"), None)
    assert store.get(ZONE_ID) == zone(version=1)


def test_a_zone_is_saved_over_the_version_that_was_read(store: ProtectedZones) -> None:
    assert store.save(zone(version=1), None)
    assert store.save(zone(version=2, title="Second"), 1)
    assert not store.save(zone(version=2, title="Late"), 1)
    assert not store.save(zone(version=9), 8)
    assert store.get(ZONE_ID) == zone(version=2, title="Second")


def test_no_zone_is_saved_over_one_that_is_not_there(store: ProtectedZones) -> None:
    assert not store.save(zone(version=2), 1)
    assert store.get(ZONE_ID) is None


def test_all_zones_by_id_without_their_records(store: ProtectedZones) -> None:
    for zone_id in ("b", "a"):
        store.save(zone(zone_id=zone_id, version=1), None)
        store.put_record(zone_id, "bypass#1", {"name": "crew"})
    assert [found.zone_id for found in store.all()] == ["a", "b"]
    assert len(store.scan_items(0, "revocation#sid#")) == 4


def test_a_scan_leaves_with_the_table_what_has_expired_and_what_nobody_signed(store: ProtectedZones) -> None:
    store.save(zone(version=1), None)
    for number in range(300):
        store.put_record(ZONE_ID, f"revocation#sid#{number}", {"reason": "left"}, expires_at_sec=2_000)
    store.put_record(ZONE_ID, "revocation#sid#a", {"revoked_by": "ada"}, expires_at_sec=2_000)
    store.put_record(ZONE_ID, "revocation#sid#b", {"revoked_by": "ada"}, expires_at_sec=1_000)
    store.put_record(ZONE_ID, "revocation#visitor#c", {"revoked_by": "ada"})
    found = {item["item"] for item in store.scan_items(1_000, "revocation#sid#")}
    assert found == {"config", "revocation#sid#a", "revocation#visitor#c"}
    assert [each.zone_id for each in store.all()] == [ZONE_ID]


def test_records_by_prefix_in_order(store: ProtectedZones) -> None:
    for item in ("revocation#sid#2", "bypass#1", "revocation#sid#1", "revocation#visitor#1"):
        store.put_record(ZONE_ID, item, {"reason": item}, expires_at_sec=4_102_444_800)
    found = [(record["item"], record["expires_at_sec"]) for record in store.records(ZONE_ID, "revocation#sid#")]
    assert found == [("revocation#sid#1", 4_102_444_800), ("revocation#sid#2", 4_102_444_800)]
    assert store.records("other", "revocation#") == []


def test_a_record_written_again_is_one_record(store: ProtectedZones) -> None:
    for reason in ("first", "second"):
        store.put_record(ZONE_ID, "revocation#sid#1", {"reason": reason})
    assert store.record(ZONE_ID, "revocation#sid#1") == {
        "zone_id": ZONE_ID,
        "item": "revocation#sid#1",
        "reason": "second",
    }
    assert store.record(ZONE_ID, "revocation#sid#2") is None


def test_a_lock_is_held_by_one_until_its_time_or_until_it_is_given_back(store: ProtectedZones) -> None:
    assert store.hold("_keys", "lock", until_ms=2_000, now_ms=1_000)
    assert not store.hold("_keys", "lock", until_ms=3_000, now_ms=1_999)
    assert store.hold("_keys", "lock", until_ms=3_000, now_ms=2_000)
    for _ in range(2):
        store.delete_record("_keys", "lock")
    assert store.hold("_keys", "lock", until_ms=2_000, now_ms=1_000)


def test_a_deleted_zone_leaves_nothing_and_others_alone(store: ProtectedZones) -> None:
    for zone_id in (ZONE_ID, "other"):
        store.save(zone(zone_id=zone_id, version=1), None)
        store.put_record(zone_id, "bypass#1", {"name": "crew"})
    for _ in range(2):
        store.delete(ZONE_ID)
    assert {item["zone_id"] for item in store.scan_items(0, "revocation#sid#")} == {"other"}
    assert store.get(ZONE_ID) is None


def test_a_record_is_settled_once(store: ProtectedZones) -> None:
    store.put_record(ZONE_ID, "draw#1", {"secret": "s"})
    settled = {"secret": "s", "early": {"general": 3}, "opened_at_ms": 5, "beacon_value": None}
    assert store.put_record_once(ZONE_ID, "draw#1", settled, unless="opened_at_ms") is Answer.YES
    assert store.put_record_once(ZONE_ID, "draw#1", {"opened_at_ms": 6}, unless="opened_at_ms") is Answer.NO
    record = store.record(ZONE_ID, "draw#1")
    assert record is not None
    assert (record["early"], record["opened_at_ms"]) == ({"general": 3}, 5)
    assert "beacon_value" not in record
