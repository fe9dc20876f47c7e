"""Sums of changes and the audit log on every engine that is exact: an expression means the same on all of them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.contract.engines import Dynamo
from waiting_room.adapters.audit_log import AuditLog
from waiting_room.adapters.tallies import Tallies
from waiting_room.domain.record.audit import Entry

SECOND = time.time_ns() // 60_000_000_000 * 60
"""The minute that was begun last: Amazon's engine deletes what has expired, and a fixed moment will have some day."""


def test_a_change_is_counted_once_however_often_it_is_added(exact_dynamo: Dynamo) -> None:
    tallies = Tallies(exact_dynamo.clients, exact_dynamo.table("counters"))
    added = {str(number): {"general#admitted": 1, f"general#wait#{number % 3}": 1} for number in range(90)}
    tallies.add("z", 1, SECOND, added)
    tallies.add("z", 1, SECOND, dict(list(added.items())[30:]))
    tallies.add("z", 1, SECOND + 59, {"later": {"vip#left": 1}})
    tallies.add("z", 1, SECOND + 60, {"next minute": {"vip#left": 1}})
    assert tallies.sums("z", 1, SECOND // 60) == {
        "general#admitted": 90,
        **{f"general#wait#{number}": 30 for number in range(3)},
        "vip#left": 1,
    }
    assert tallies.sums("z", 2, SECOND // 60) == {}


def test_recorders_side_by_side_count_each_change_once(exact_dynamo: Dynamo) -> None:
    tallies = Tallies(exact_dynamo.clients, exact_dynamo.table("counters"))
    ids = [str(number) for number in range(120)]

    def deliver(first: int) -> None:
        for start in range(first, len(ids), 10):
            tallies.add("z", 1, SECOND, {each: {"general#left": 1} for each in ids[start : start + 20]})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(deliver, (0, 3, 5, 0)))
    assert tallies.sums("z", 1, SECOND // 60) == {"general#left": 120}


def test_of_two_minute_rows_the_one_of_more_changes_stays(exact_dynamo: Dynamo) -> None:
    tallies = Tallies(exact_dynamo.clients, exact_dynamo.table("counters"))
    minute = SECOND // 60
    for changes, left in ((2, 2), (5, 5), (4, 4)):
        tallies.put_minute("z", 1, minute, changes, {"lanes": {"general": {"left": left, "wait_median_sec": 1.5}}})
    assert tallies.minutes("z", 1, minute, minute + 9) == {
        minute: {"lanes": {"general": {"left": 5, "wait_median_sec": 1.5}}}
    }


def test_entries_of_one_moment_are_kept_apart_and_read_in_order(exact_dynamo: Dynamo) -> None:
    log = AuditLog(exact_dynamo.clients, exact_dynamo.table("counters"))
    entry = Entry("z", SECOND * 1000, "set_control", "ada", 1, "Why.", {"max_active": [None, 5]}, {"n": 1})
    written = [log.add(entry), log.add(entry), log.add(entry.at(SECOND * 1000 + 500))]
    assert [each.at_ms - SECOND * 1000 for each in written] == [0, 1, 500]
    assert log.latest("z", 10) == written
    assert log.latest("z", 2) == written[1:]
