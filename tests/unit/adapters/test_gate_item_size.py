"""The gate item costs one write unit, whatever stands in it."""

from __future__ import annotations

import pytest

from tests.memory_dynamo.values import item_size
from tests.support import largest_gate as largest
from waiting_room.domain.leases import bucket_width_sec, script_bucket_width_sec

WRITE_UNIT = 1024
SPARE = 1
"""Bytes left for what the memory has yet to learn."""


def test_the_gate_item_stays_under_one_write_unit_with_six_lanes() -> None:
    assert item_size(largest.stored(largest.largest_gate())) + SPARE < WRITE_UNIT


@pytest.mark.parametrize("idle_sec", largest.IDLE_SEC)
@pytest.mark.parametrize("width_sec", [script_bucket_width_sec(15), bucket_width_sec(30), bucket_width_sec(3_600)])
def test_a_lease_made_longer_in_a_run_opens_no_more_buckets(idle_sec: int, width_sec: int) -> None:
    most = len(largest.largest_gate().buckets)
    assert len(largest.open_buckets(idle_sec, width_sec)) <= most
