"""However many sessions ended or were revoked: the snapshot fits, and what an operator decides is published."""

from __future__ import annotations

import json
import logging
from itertools import count

import pytest

from tests.support.gate_support import CLOCK, ISSUER, KEYS, zone
from tests.unit.use_cases.test_publish import World
from waiting_room.domain.gate.published import SnapshotParts, build_snapshot, encode_snapshot
from waiting_room.domain.gate.snapshot import SNAPSHOT_LIMIT_BYTES, read_snapshot
from waiting_room.use_cases.leave import REVOKED_SID, REVOKED_VISITOR
from waiting_room.use_cases.publish import LEFT_OUT
from waiting_room.use_cases.revoke import REVOKED_BYPASS

LEFT = 25_000
"""More than would fit: a snapshot that holds them has 625,000 bytes."""
CHANGES = ({"control": "pass"}, {"control": "end"}, {"run": 2})


def ids(many: int, start: str = "") -> list[str]:
    """Ids as sessions and visitors have them."""
    return [f"{start}{number:0{22 - len(start)}d}" for number in range(many)]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("told", [{"reason": "left"}, {"revoked_by": "ada", "reason": "bots"}], ids=["left", "revoked"])
def test_what_an_operator_decides_is_published_over_a_table_full_of_sessions(world, caplog, told):
    for sid in ids(LEFT):
        world.zones.put_record("midnight-sun", REVOKED_SID + sid, told, world.clock.now_sec + 3600)
    world.zones.put_record("midnight-sun", REVOKED_VISITOR + ids(1, "v")[0], {"revoked_by": "ada"})
    world.zones.put_record("midnight-sun", REVOKED_BYPASS + "b", {"revoked_by": "ada"})
    for change in CHANGES:
        world.save(zone(**change))
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            world.publisher()()
        document = world.document()
        assert len(json.dumps(document, separators=(",", ":"))) <= SNAPSHOT_LIMIT_BYTES
        assert document["revoked"]["visitors"] == ids(1, "v")
        assert document["revoked"]["bypass"] == ["b"]
        read = read_snapshot(document, ISSUER).zones["midnight-sun"]
        assert {name: getattr(read, name) for name in change} == change
        lines = [record.__dict__ for record in caplog.records if "left out" in record.getMessage()]
        left_out = [line[LEFT_OUT] for line in lines]
        assert [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines] == [LEFT_OUT] * len(lines)
        assert left_out == ([document["left_out"]] if document["left_out"] else [])
        assert bool(left_out) == ("revoked_by" in told)


def test_after_a_million_revoked_sessions_the_snapshot_is_as_large_as_it_may_be():
    million = ids(1_000_000)
    revoked = {"sids": million, "visitors": ids(100, "v"), "bypass": ids(100, "b")}
    keys = [key.public_jwk for key in KEYS.keys]
    parts = SnapshotParts([zone()], keys=keys, revoked=revoked)
    document = build_snapshot(parts, version=1, published_at_ms=CLOCK.ms, issuer=ISSUER)
    body = encode_snapshot(document)
    assert SNAPSHOT_LIMIT_BYTES - 50 < len(body) <= SNAPSHOT_LIMIT_BYTES
    kept = len(document["revoked"]["sids"])
    assert document["revoked"]["sids"] == million[-kept:], "those that end last"
    assert document["left_out"] == 1_000_000 - kept
    assert (document["revoked"]["visitors"], document["revoked"]["bypass"]) == (ids(100, "v"), ids(100, "b"))


def test_sessions_make_room_for_visitors_and_visitors_for_bypass_tokens():
    revoked = {"sids": ids(10), "visitors": ids(50_000, "v"), "bypass": ids(9_000, "b")}
    document = build_snapshot(SnapshotParts([zone()], revoked=revoked), version=1, published_at_ms=1, issuer=ISSUER)
    assert len(document["revoked"]["bypass"]) == 9_000
    assert 0 < len(document["revoked"]["visitors"]) < 50_000
    assert document["revoked"]["sids"] == []
    assert len(encode_snapshot(document)) <= SNAPSHOT_LIMIT_BYTES


def test_those_that_end_first_are_left_out_first(world):
    late = count(world.clock.now_sec + 100_000, -1)
    for sid in ids(LEFT):
        world.zones.put_record("midnight-sun", REVOKED_SID + sid, {"revoked_by": "ada"}, next(late))
    world.publisher()()
    document = world.document()
    assert document["left_out"] > 0
    assert document["revoked"]["sids"] == ids(LEFT)[: LEFT - document["left_out"]]


def test_revocations_of_a_run_that_is_over_are_left_in_the_table(world):
    for run in (1, 2):
        for start in (REVOKED_SID, REVOKED_VISITOR, REVOKED_BYPASS):
            world.zones.put_record("midnight-sun", f"{start}{run}", {"revoked_by": "ada", "run": run})
    world.zones.put_record("midnight-sun", REVOKED_SID + "of an earlier release", {"revoked_by": "ada"})
    world.zones.put_record("gone", REVOKED_SID + "of no zone", {"revoked_by": "ada"})
    world.save(zone(run=2))
    world.publisher()()
    revoked = {"sids": ["2", "of an earlier release"], "visitors": ["2"], "bypass": ["2"]}
    assert world.document()["revoked"] == revoked
