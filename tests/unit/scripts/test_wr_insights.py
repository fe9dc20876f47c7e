"""Waits, drop-off and estimate errors out of minute rows."""

from __future__ import annotations

import pytest

from scripts.report.insights import course, drop_off, estimate_error, lanes_of, per_minute, percentile, waits


def row(minute, points, **counts):
    return {"minute_at_ms": minute * 60_000, "course": {"general": points}, **counts}


def steady(minutes, per_sec=1.0, delay_sec=120, told_sec=None):
    """One joins a second and is called `delay_sec` later; told_sec is what each was told."""
    rows = []
    for minute in range(minutes):
        points = []
        for second in range(0, 60, 10):
            at = minute * 60 + second
            tail, serving = int(at * per_sec), max(0, int((at - delay_sec) * per_sec))
            speed = (tail - serving) / told_sec if told_sec else 0.0
            points.append((second, tail, serving, speed))
        rows.append(row(minute, points))
    return rows


def test_a_wait_is_the_distance_between_coming_and_being_called():
    found = waits(course(steady(20), "general"))
    assert sum(wait.count for wait in found) == pytest.approx(20 * 60 - 10 - 120)
    assert percentile(found, 0.5) == pytest.approx(120, abs=1)
    assert percentile(found, 0.95) == pytest.approx(120, abs=1)


def test_only_those_called_since_a_moment_are_looked_at():
    points = course(steady(20), "general")
    assert sum(wait.count for wait in waits(points, since_ms=1_000_001)) == pytest.approx(180, abs=11)


def test_the_slow_tail_shows_in_the_95th_percentile_alone():
    quick, slow = waits(course(steady(20, delay_sec=20), "general")), waits(course(steady(4, delay_sec=200), "general"))
    assert percentile(quick + slow, 0.5) == pytest.approx(20, abs=1)
    assert percentile(quick + slow[:20], 0.95) < 30
    assert percentile([*quick, *(slow * 10)], 0.95) > 150


def test_nobody_waits_before_the_start():
    rows = [row(0, [(0, 0, 0, 0.0), (10, 100, 0, 0.0)]), row(5, [(0, 100, 0, 0.0), (10, 100, 100, 0.0)])]
    since_joining = percentile(waits(course(rows, "general")), 0.5)
    since_start = percentile(waits(course(rows, "general"), starts_at_ms=300_000), 0.5)
    assert since_joining == pytest.approx(300, abs=10)
    assert since_start == pytest.approx(5, abs=3)


def test_after_a_rest_whoever_comes_came_just_before_it_was_seen():
    rows = [row(0, [(0, 5, 5, 0.0)]), row(30, [(0, 6, 6, 0.0)])]
    assert percentile(waits(course(rows, "general")), 0.5) < 10


def test_curves_never_go_back_whatever_was_written_late():
    rows = [row(1, [(0, 10, 8, 0.0)]), row(0, [(0, 4, 2, 0.0), (0, 4, 2, 0.0)]), row(2, [(0, 9, 7, 0.0)])]
    points = course(rows, "general")
    assert [(point.tail, point.serving) for point in points] == [(4, 2), (10, 8), (10, 8)]
    assert lanes_of(rows) == ["general"]


def test_visitors_told_half_of_what_they_waited_make_an_error_of_half():
    found = waits(course(steady(30, delay_sec=200, told_sec=100), "general"))
    late = [wait for wait in found if wait.called_at_ms > 600_000]
    assert estimate_error(late) == pytest.approx(0.5, abs=0.03)
    right = waits(course(steady(30, delay_sec=200, told_sec=200), "general"))
    assert estimate_error([wait for wait in right if wait.called_at_ms > 600_000]) == pytest.approx(0, abs=0.03)


def test_without_rows_nothing_is_made_up():
    assert percentile([], 0.5) is None
    assert estimate_error([]) is None
    assert waits([]) == []
    assert drop_off({}).mean_wait_sec is None


def test_drop_off_counts_those_who_are_not_back():
    found = drop_off({"joined": 50, "departures": {"general": {"away": 8, "back": 3, "wait_sec": 400}, "vip": {}}})
    assert (found.gone, found.share, found.mean_wait_sec) == (5, 0.1, 80)


def test_a_minute_not_yet_over_is_told_by_its_own_length():
    rows = [{"joined": 10, "updated_at_ms": 50_000}, {"joined": 40, "updated_at_ms": 80_000}]
    assert per_minute(rows, "joined") == [60]
    after_a_rest = [{"joined": 10, "updated_at_ms": 0}, {"joined": 40, "updated_at_ms": 600_000}]
    assert per_minute(after_a_rest, "joined") == [30]
