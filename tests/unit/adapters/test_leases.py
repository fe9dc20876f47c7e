"""Leases: no token outlives its bucket, no bucket is closed while a token of it may be live on any clock."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiting_room.domain import leases

times = st.integers(min_value=1_700_000_000_000, max_value=1_900_000_000_000)
widths = st.integers(min_value=10, max_value=120)


@pytest.mark.parametrize(("idle_sec", "width_sec"), [(30, 10), (200, 10), (201, 11), (300, 15), (3600, 180)])
def test_about_twenty_buckets_are_open(idle_sec: int, width_sec: int) -> None:
    assert leases.bucket_width_sec(idle_sec) == width_sec


@given(times, st.integers(min_value=1, max_value=3600), widths)
def test_a_lease_lasts_at_least_as_long_as_asked(now_ms: int, lease_sec: int, width_sec: int) -> None:
    bucket = leases.lease_bucket(now_ms, lease_sec, now_ms + 10**9, width_sec)
    end_ms = leases.bucket_end_ms(bucket, width_sec)
    wide_sec = width_sec * max(1, math.ceil(lease_sec / (leases.OPEN_BUCKETS * width_sec)))
    assert now_ms + lease_sec * 1000 <= end_ms < now_ms + (lease_sec + wide_sec) * 1000


@given(times, widths, st.integers(min_value=-5_000, max_value=5_000), st.integers(min_value=-5_000, max_value=5_000))
def test_a_closed_bucket_is_over_on_every_clock(now_ms: int, width_sec: int, closer_ms: int, gate_ms: int) -> None:
    closed = leases.last_ended_bucket(now_ms + closer_ms, width_sec)
    assert leases.bucket_end_ms(closed, width_sec) <= now_ms + gate_ms


@given(times, widths)
def test_a_bucket_is_closed_soon_after_its_end(now_ms: int, width_sec: int) -> None:
    closed = leases.last_ended_bucket(now_ms, width_sec)
    assert leases.bucket_end_ms(closed + 1, width_sec) > now_ms - leases.MARGIN_SEC * 1000


@given(times, widths, st.integers(min_value=1, max_value=7200))
def test_nothing_lasts_beyond_the_hard_end(now_ms: int, width_sec: int, left_sec: int) -> None:
    hard_end_ms = now_ms + left_sec * 1000
    bucket = leases.lease_bucket(now_ms, 3600, hard_end_ms, width_sec)
    assert leases.expires_at_ms(bucket, hard_end_ms, width_sec) <= hard_end_ms


def test_heartbeats_spread_with_the_cap() -> None:
    assert leases.heartbeat_sec(10_000, None) == 50
    assert leases.heartbeat_sec(100, None) == 15
    assert leases.heartbeat_sec(10_000, 20) == 20


def test_a_script_session_has_time_to_load_first() -> None:
    assert leases.lease_sec("script", 300, 15, first=True) == 60
    assert leases.lease_sec("script", 300, 15, first=False) == 30
    assert leases.lease_sec("navigation", 300, 15, first=True) == 300
